// Node's table of reason phrases. Only this file and method.ts in http import node:http.
import { STATUS_CODES } from "node:http";

/** The registered statuses with their reason phrases. Any number from 100 to 999 may be sent (RFC 9110 15). */
export const statuses: Readonly<Record<number, string | undefined>> = STATUS_CODES;

/** The reason phrase of a status, such as `Not Found` for 404; empty if it has none. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "";
}

/** Whether a number is a status: three digits, the first not 0 (RFC 9110 15). */
export function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 999;
}

/** Whether a response with this status never has a body: RFC 9112 6.3, rule 1. */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}
