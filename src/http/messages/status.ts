// The platform's table of reasons; with method.ts, the only place of http that names node:http.
import { STATUS_CODES } from "node:http";

/** The registered statuses, each with its reason phrase. Any number from 100 to 999 may be sent (RFC 9110 15). */
export const statuses: Readonly<Record<number, string | undefined>> = STATUS_CODES;

/** The reason phrase that goes with a status, such as `Not Found` with 404; empty where none is known. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "";
}

/** Whether a number is a status: three digits, of which the first is not 0 (RFC 9110 15). */
export function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 999;
}

/** Whether a response with this status never has a body: RFC 9112 6.3, rule 1. */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}
