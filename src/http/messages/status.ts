// Node's table of reason phrases. Only this file and method.ts in http import node:http.
import { STATUS_CODES } from "node:http";
import type { ResponseLike } from "../../core/index.ts";

/** The registered statuses with their reason phrases. Any number from 100 to 999 may be sent (RFC 9110 15). */
export const statuses: Readonly<Record<number, string | undefined>> = STATUS_CODES;

/** The reason phrase of a status, such as `Not Found` for 404; empty if it has none. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "";
}

/** The statuses whose Location says where else to look (RFC 9110 15.4). */
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Whether a response sends the client elsewhere. */
export function isRedirect({ status, headers }: ResponseLike): boolean {
  return redirects.includes(status) && headers.first("Location") !== undefined;
}

/** The status of a response for a message, and whether its body is cut. */
export function statusText({ status, reason, body }: ResponseLike, isCut: boolean): string {
  const cut = isCut ? ` (its body is cut after ${body.length.toLocaleString("en-US")} bytes)` : "";
  return `${status} ${reason}`.trimEnd() + cut;
}

/** Whether a number is a status: three digits, the first not 0 (RFC 9110 15). */
export function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 999;
}

/** Whether a response with this status never has a body: RFC 9112 6.3, rule 1. */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}
