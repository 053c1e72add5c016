import type { ResponseLike } from "../core/index.ts";

// How long a server asks its clients to stay away (RFC 9110 section 10.2.3). Pure but for the clock of a date.

/** The longest wait that a server can ask for, in milliseconds: an hour. */
const most = 3_600_000;

/**
 * The wait that the Retry-After of a 503 or 429 asks for, in milliseconds, an hour at most; 0 for any other response, and
 * for a value that is malformed or past. A date is compared with the response's own Date, since clocks differ.
 */
export function retryAfter(response: ResponseLike | undefined): number {
  if (response?.status !== 503 && response?.status !== 429) return 0;
  const value = response.headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(value)) return Math.min(most, Number(value) * 1000);
  const at = parseDate(value);
  if (at === undefined) return 0;
  const now = parseDate(response.headers.get("Date") ?? "") ?? Date.now();
  return Math.min(most, Math.max(0, at - now));
}

/** RFC 9110 section 5.6.7: the preferred form and the two obsolete ones. */
const forms: readonly RegExp[] = [
  /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
  /^\w{6,9}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
];

/** A date in milliseconds since 1970; undefined for anything else. */
function parseDate(value: string): number | undefined {
  if (!forms.some((form) => form.test(value))) return undefined;
  // The last form does not say that it is in GMT.
  const time = Date.parse(value.endsWith("GMT") ? value : `${value} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
