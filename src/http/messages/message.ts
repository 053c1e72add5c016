import { decodeUtf8, handled, inspect, invalidArgument, shownWith } from "../../core/internal.ts";
import { partOf, sizeOf, type Body } from "./body.ts";
import type { Fields } from "./fields.ts";
import { contentLength, type Departure } from "./framing.ts";
import { readBody, type ReadBodyOptions } from "./read-body.ts";
import { hasToken } from "./token-list.ts";

/** The common part of requests and responses. */
export abstract class Message<Content extends Body = Uint8Array> {
  /** Ten times the major version plus the minor one: 11 for HTTP/1.1, 10 for HTTP/1.0. */
  readonly version: number;
  /** The headers. */
  readonly headers: Fields;
  /** The body: bytes, possibly none, or a stream of them. One made of a stream of text gives that, and {@link parts} bytes. */
  body: Content;

  constructor(version: number, headers: Fields, body: Content) {
    this.version = version;
    this.headers = headers;
    this.body = body;
  }

  /**
   * Whether the connection stays open after this message (RFC 9112 9.3). Setting it changes Connection, and keeps that
   * header's other options.
   */
  get keepAlive(): boolean {
    const connection = this.headers.get("Connection");
    if (connection === undefined) return this.version >= 11;
    return !hasToken(connection, "close") && (this.version >= 11 || hasToken(connection, "keep-alive"));
  }

  set keepAlive(keep: boolean) {
    const options = listOf(this.headers, "Connection").filter((option) => !/^(close|keep-alive)$/i.test(option));
    if (keep && this.version < 11) options.push("keep-alive");
    if (!keep && this.version >= 11) options.push("close");
    setList(this.headers, "Connection", options);
  }

  /**
   * Whether Transfer-Encoding ends with `chunked`. Setting it true adds that and removes Content-Length, since a
   * message has only one of them; setting it false removes it.
   */
  get chunked(): boolean {
    return /^chunked$/i.test(listOf(this.headers, "Transfer-Encoding").at(-1) ?? "");
  }

  set chunked(chunked: boolean) {
    const codings = listOf(this.headers, "Transfer-Encoding");
    if (chunked) this.headers.delete("Content-Length");
    if (chunked === this.chunked) return;
    setList(this.headers, "Transfer-Encoding", chunked ? [...codings, "chunked"] : codings.slice(0, -1));
  }

  /**
   * The value of Content-Length, in bytes; undefined if there is none. Setting it makes it the only framing; undefined
   * removes it. Reading throws `http.bad_content_length`, `http.multiple_content_length` and, if there is a
   * Transfer-Encoding too, `http.bad_transfer_encoding`; setting throws `core.invalid_argument` for a value that is no
   * number of bytes.
   */
  get contentLength(): number | undefined {
    return contentLength(this.headers);
  }

  set contentLength(length: number | undefined) {
    if (length === undefined) {
      this.headers.delete("Content-Length");
      return;
    }
    if (!Number.isSafeInteger(length) || length < 0) throw invalidArgument(`${length} is not a number of bytes`);
    this.headers.delete("Transfer-Encoding");
    this.headers.set("Content-Length", String(length));
  }

  /**
   * Sets Content-Length or Transfer-Encoding as the body needs, replacing earlier values. The serializer does the same
   * for a message without either, without changing the message.
   *
   * Throws `core.invalid_argument` for a body that the method or the status does not allow, or that can't be framed.
   */
  preparePayload(): void {
    this.headers.delete("Content-Length");
    this.headers.delete("Transfer-Encoding");
    const { add } = this.departure();
    if (add === "Transfer-Encoding") this.chunked = true;
    if (add === "Content-Length") this.contentLength = sizeOf(this.body);
  }

  /**
   * The whole body as bytes. A streamed body is read to its end, and can be read only once. Rejects with
   * `http.body_limit` for more than `maxBodySize` bytes (default 16 MiB), `core.aborted` if the signal fired, and with
   * the error of the body's source.
   */
  bytes(options?: ReadBodyOptions): Promise<Uint8Array> {
    return readBody(this.body, options);
  }

  /**
   * The whole body decoded from UTF-8; malformed bytes become U+FFFD. For JSON, pass it to `JSON.parse`. Rejects as
   * {@link bytes} does.
   */
  text(options?: ReadBodyOptions): Promise<string> {
    return handled(this.bytes(options).then(decode));
  }

  /** The body in parts, text as UTF-8: a streamed one as they come, bytes as one part. For `for await` or `pipeline`. */
  async *parts(): AsyncGenerator<Uint8Array, undefined> {
    const { body } = this as Message<Body>;
    if (!(body instanceof Uint8Array)) for await (const part of body) yield partOf(part);
    else if (body.length > 0) yield body;
  }

  /** What `console.log` of Node.js shows: a body that is text as text. @internal */
  [inspect](): object {
    const { body } = this as Message<Body>;
    const text = body instanceof Uint8Array ? beginningOf(body) : undefined;
    return shownWith(this, text === undefined ? {} : { body: { value: text, enumerable: true } });
  }

  /** How the message would be framed when it is sent. */
  protected abstract departure(): Departure;
}

function decode(bytes: Uint8Array): string {
  return decodeUtf8(bytes);
}

/** The beginning of bytes that are text; undefined if they are none. */
function beginningOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  try {
    // Streamed, since the cut may be inside of a character.
    const isCut = bytes.length > mostShown;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, mostShown), { stream: isCut });
    if (/[^\P{Cc}\t\r\n]/u.test(text)) return undefined;
    return isCut ? `${text}…` : text;
  } catch {
    return undefined;
  }
}

/** How many bytes of text `console.log` shows. */
const mostShown = 1000;

/** The elements of a list-valued header, without empty ones. */
function listOf(headers: Fields, name: string): string[] {
  return (headers.get(name) ?? "")
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

function setList(headers: Fields, name: string, elements: readonly string[]): void {
  if (elements.length > 0) headers.set(name, elements.join(", "));
  else headers.delete(name);
}
