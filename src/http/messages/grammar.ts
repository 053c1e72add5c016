// Characters of HTTP/1.1 as lookup tables by byte: 1 if the byte belongs to the rule, else 0.

function table(belongs: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (belongs(code) ? 1 : 0));
}

const isVisible = (code: number): boolean => code > 0x20 && code < 0x7f;
const delimiters = '"(),/:;<=>?@[\\]{}';

/** RFC 9110 5.6.2: `tchar`, any VCHAR except delimiters. */
export const tokenCharacters: Uint8Array = table(
  (code) => isVisible(code) && !delimiters.includes(String.fromCharCode(code)),
);

/** The characters of a request target (RFC 9112 3.2). Every VCHAR is accepted, as in browsers; RFC 3986 has fewer. */
const targetCharacters: Uint8Array = table(isVisible);

/** Carriage return. */
export const cr = 0x0d;
/** Line feed. */
export const lf = 0x0a;
/** Space. */
export const sp = 0x20;
/** Horizontal tab. */
export const htab = 0x09;

/** Stands for any digit in {@link httpVersion}. */
export const anyDigit = 0;

/** RFC 9112 2.3: `"HTTP" "/" DIGIT "." DIGIT`. */
export const httpVersion: readonly number[] = [0x48, 0x54, 0x54, 0x50, 0x2f, anyDigit, 0x2e, anyDigit];

/** Where a run of token characters that begins at `start` ends, `end` at the latest. */
export function skipToken(bytes: Uint8Array, start: number, end: number): number {
  const characters = tokenCharacters;
  let at = start;
  while (at < end && characters[bytes[at]] === 1) at++;
  return at;
}

/** Where a run of target characters that begins at `start` ends, `end` at the latest. */
export function skipTarget(bytes: Uint8Array, start: number, end: number): number {
  const characters = targetCharacters;
  let at = start;
  while (at < end && characters[bytes[at]] === 1) at++;
  return at;
}

/**
 * Where a run of a value's characters that begins at `start` ends, `end` at the latest: `field-vchar` (VCHAR and
 * obs-text), SP and HTAB (RFC 9110 5.5). Most of a head is values; here comparing with literals is a quarter faster
 * than a table or a named constant.
 */
export function skipValue(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte < 0x20 ? byte !== 0x09 : byte === 0x7f) return at;
  }
  return end;
}

/** Where a run of token characters of a text that begins at `start` ends. */
export function tokenEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && tokenCharacters[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** Whether a text is a token: RFC 9110 5.6.2. */
export function isToken(text: string): boolean {
  return text.length > 0 && tokenEnd(text, 0) === text.length;
}

/** Whether a text is a valid request target, of at least one character. */
export function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (targetCharacters[text.charCodeAt(i)] !== 1) return false;
  }
  return text.length > 0;
}

/** RFC 9110 7.2 and 4.2.1: uri-host [":" port], where the host must not be empty. */
const host = /^(?:\[[\dA-Fa-f:.]+\]|[\w\-.~%!$&'()*+,;=]+)(?::\d*)?$/;

/** The last one: most requests of a server are for few hosts. */
let knownHost = "";

/** Whether a text is a valid value of Host. */
export function isHost(text: string): boolean {
  if (text === knownHost && text !== "") return true;
  if (!host.test(text)) return false;
  knownHost = text;
  return true;
}

/** Whether a text, possibly empty, is a valid field value or reason (RFC 9110 5.5, RFC 9112 4). */
export function isValue(text: string): boolean {
  // An object could become another text after this check. In the other checks an object has no length and fails.
  if (typeof text !== "string") return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 ? code !== htab : code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** Where the text between `start` and `end` begins without leading OWS (RFC 9110 5.6.3). */
export function skipOws(text: string, start: number, end: number): number {
  let from = start;
  while (from < end && isOws(text.charCodeAt(from))) from++;
  return from;
}

/** Where the text between `start` and `end` ends without trailing OWS. */
export function dropOws(text: string, start: number, end: number): number {
  let to = end;
  while (to > start && isOws(text.charCodeAt(to - 1))) to--;
  return to;
}

function isOws(code: number): boolean {
  return code === sp || code === htab;
}

/** Whether `text` from `start` to `end` equals `other`, ignoring the case of ASCII letters. Allocates nothing. */
export function equalsIgnoringCase(text: string, start: number, end: number, other: string): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) {
    const a = text.charCodeAt(start + i);
    const b = other.charCodeAt(i);
    if (a === b) continue;
    const lower = a | 0x20;
    if (lower !== (b | 0x20) || lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}
