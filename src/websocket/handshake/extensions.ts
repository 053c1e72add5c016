import { decodeLatin1, encodeLatin1 } from "../../core/internal.ts";
import { skipOws, tokenEnd } from "../../http/internal.ts";

// The value of Sec-WebSocket-Extensions (RFC 6455 section 9.1), pure:
//   extension-list  = 1#extension
//   extension       = extension-token *( ";" extension-param )
//   extension-param = token [ "=" (token | quoted-string) ]
// What a quoted-string stands for must be a token too. Space may stand around each part, and a list may have empty
// elements, as in the other lists of HTTP (RFC 9110 section 5.6.1.2).

/** One extension, as offered or agreed to. Parameters are in order, with repeats. */
export interface Extension {
  readonly name: string;
  readonly parameters: readonly ExtensionParameter[];
}

/** A parameter's name and value; the value is undefined if it has none. */
export type ExtensionParameter = readonly [name: string, value: string | undefined];

const quotedToken = /"((?:\\?[!#$%&'*+\-.^_`|~\dA-Za-z])+)"/y;

/** A value that was parsed, and its extensions: browsers of a kind all send the same. */
let known: { readonly value: string; readonly extensions: readonly Extension[] } | undefined;
const longestKnown = 256;

/** The extensions in a header's value, in order; undefined if it is malformed, so a list is never cut short. */
export function parseExtensions(value: string): readonly Extension[] | undefined {
  if (value === known?.value) return known.extensions;
  const extensions = parse(value);
  if (extensions !== undefined && value.length <= longestKnown) {
    // A copy, since V8 would keep the head that the value is part of.
    known = { value: decodeLatin1(encodeLatin1(value)), extensions };
  }
  return extensions;
}

function parse(value: string): readonly Extension[] | undefined {
  const extensions: Extension[] = [];
  for (let at = skipSeparators(value, 0); at < value.length; at = skipSeparators(value, at)) {
    const end = tokenEnd(value, at);
    if (end === at) return undefined;
    const parameters: ExtensionParameter[] = [];
    extensions.push({ name: value.slice(at, end), parameters });
    at = parseParameters(value, end, parameters);
    if (at < 0 || (at < value.length && value[at] !== ",")) return undefined;
  }
  return extensions;
}

/** Adds the parameters from `start` on to the list. Returns where they end, -1 where they break the grammar. */
function parseParameters(value: string, start: number, parameters: ExtensionParameter[]): number {
  const { length } = value;
  let at = skipOws(value, start, length);
  while (value[at] === ";") {
    const name = skipOws(value, at + 1, length);
    const nameEnd = tokenEnd(value, name);
    if (nameEnd === name) return -1;
    at = skipOws(value, nameEnd, length);
    let given: string | undefined;
    if (value[at] === "=") {
      const from = skipOws(value, at + 1, length);
      given = value[from] === '"' ? quotedAt(value, from) : value.slice(from, tokenEnd(value, from));
      if (given === "") return -1;
      at = skipOws(value, from + given.length, length);
    }
    parameters.push([value.slice(name, nameEnd), given?.[0] === '"' ? given.replaceAll(/["\\]/g, "") : given]);
  }
  return at;
}

/** The quoted-string that begins here, as it stands there; empty where it is none, or no token. */
function quotedAt(value: string, start: number): string {
  quotedToken.lastIndex = start;
  return quotedToken.exec(value)?.[0] ?? "";
}

/** Where the space and commas between elements that begin at `start` end. */
function skipSeparators(value: string, start: number): number {
  let at = start;
  while (value[at] === "," || value[at] === " " || value[at] === "\t") at++;
  return at;
}

/** A header's value from extensions, whose names and values must be tokens. */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions.map(({ name, parameters }) => [name, ...parameters.map(formatParameter)].join("; ")).join(", ");
}

function formatParameter([name, value]: ExtensionParameter): string {
  return value === undefined ? name : `${name}=${value}`;
}
