import { httpError } from "../messages/errors.ts";
import { isToken, isValue, skipOws, tokenEnd } from "../messages/grammar.ts";

/** The extensions of a chunk, in order: names, some with a value. */
export type ChunkExtensions = readonly (readonly [name: string, value?: string])[];

const none: ChunkExtensions = [];

// RFC 9112 7.1.1:
//   chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//   chunk-ext-val = token / quoted-string

/** Parses the text between a chunk's size and the end of its line. Undefined if it is malformed. */
export function parseChunkExtensions(text: string): ChunkExtensions | undefined {
  if (text === "") return none;
  if (!isValue(text)) return undefined;
  const extensions: [name: string, value?: string][] = [];
  let at = 0;
  while (at < text.length) {
    at = skipOws(text, at, text.length);
    if (text[at] !== ";") return undefined;
    const start = skipOws(text, at + 1, text.length);
    at = tokenEnd(text, start);
    if (at === start) return undefined;
    const name = text.slice(start, at);
    const equals = skipOws(text, at, text.length);
    if (text[equals] !== "=") {
      extensions.push([name]);
      continue;
    }
    const from = skipOws(text, equals + 1, text.length);
    at = text[from] === '"' ? quotedEnd(text, from) : tokenEnd(text, from);
    if (at <= from) return undefined;
    const value = text.slice(from, at);
    extensions.push([name, value[0] === '"' ? unquote(value) : value]);
  }
  return extensions;
}

/**
 * The text of extensions after a chunk's size; a value that is no token is quoted. Throws `http.bad_chunk_extension`
 * for a name that is no token, and for a value with a control character or one above U+00FF.
 */
export function formatChunkExtensions(extensions: ChunkExtensions): string {
  let text = "";
  for (const [name, value] of extensions) {
    if (!isToken(name) || (value !== undefined && !isValue(value))) throw httpError("http.bad_chunk_extension");
    text += `;${name}`;
    if (value !== undefined) text += isToken(value) ? `=${value}` : `="${value.replace(/["\\]/g, "\\$&")}"`;
  }
  return text;
}

/** Where the quoted-string (RFC 9110 5.6.4) that begins at `start` ends; -1 if it does not. */
function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at + 1;
    if (text[at] === "\\") at++;
  }
  return -1;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, "$1");
}
