// Parsers of HTTP/1.1 to compare: ours, Node's and undici's. The latter two are llhttp: compiled into Node, in the version
// that it has, and to WebAssembly, in undici's. Both as they are shipped, with no leniency asked for.
import { createRequire } from "node:module";
import { ServalError } from "../../src/core/index.ts";
import { decodeLatin1 } from "../../src/core/text.ts";
import { RequestParser, ResponseParser, type Fields, type Request, type Response } from "../../src/http/index.ts";
import { bytesOf } from "../http/samples.ts";

/** What is parsed: bytes as text up to U+00FF, and for a response the method that it answers. */
export interface Input {
  readonly kind: "request" | "response";
  /** Default `GET`. */
  readonly method?: string;
  readonly text: string;
}

/** A head as one of the parsers has understood it. */
interface Head {
  /** Method and target, or status and reason; then the version. */
  readonly start: readonly [string, string, string];
  /** Names and values in turn, without the space around values. */
  readonly fields: readonly string[];
}

/** What a parser has made of an input, and of its end behind it. */
export interface Seen {
  /** Whether there is a whole message, or more is wanted, or something was wrong. */
  readonly end: "whole" | "unfinished" | "refused";
  /** What was wrong. */
  readonly code?: string;
  /** Where the message ended, or where that was seen which is wrong; else the size of the input. */
  readonly at: number;
  readonly head?: Head;
  /** The body, as far as it was there. */
  readonly body: string;
  readonly trailer: readonly string[];
}

/** Ours, without a limit on the body, since llhttp has none. */
export function ours(input: Input): Seen {
  const bytes = bytesOf(input.text);
  const seen = parse(input, [bytes]);
  if (seen.end !== "refused") return seen;
  // Byte by byte it is seen at which one.
  return parse(
    input,
    Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  );
}

function parse({ kind, method = "GET" }: Input, pieces: readonly Uint8Array[]): Seen {
  const options = { bodyLimit: Infinity, method };
  const parser = kind === "request" ? new RequestParser(options) : new ResponseParser(options);
  let body = "";
  let at = 0;
  let waiting: Uint8Array = new Uint8Array(0);
  const result = (end: Seen["end"], position: number, code?: string): Seen => ({
    end,
    ...(code !== undefined && { code }),
    at: position,
    ...(parser.message !== undefined && { head: headOf(parser.message) }),
    body,
    trailer: parser.isDone ? parser.trailer.raw : [],
  });
  let given = 0;
  try {
    for (const piece of pieces) {
      waiting = waiting.length === 0 ? piece : Buffer.concat([waiting, piece]);
      given += piece.length;
      for (let used = -1; used !== 0 && waiting.length > 0 && !parser.isDone;) {
        used = parser.put(waiting);
        body += decodeLatin1(parser.part, 0, parser.part.length);
        at += used;
        waiting = waiting.subarray(used);
      }
      if (parser.isDone) return result("whole", at);
    }
  } catch (error) {
    if (error instanceof ServalError) return result("refused", given - 1, error.code);
    throw error;
  }
  try {
    parser.end();
    return result("whole", given);
  } catch {
    return result("unfinished", given);
  }
}

function headOf(message: Request | Response): Head {
  const version = `1.${message.version - 10}`;
  const fields: readonly string[] = (message.fields as Fields).raw;
  if ("target" in message) return { start: [message.method, message.target, version], fields };
  return { start: [String(message.status), message.reason, version], fields };
}

/** What Node's client and undici say of a body once they have the head of a response: 0 as it says, 1 none, 2 a tunnel. */
function bodyAnswer({ kind, method }: Input, status: number, upgrade: boolean): 0 | 1 | 2 {
  if (kind === "request") return 0;
  if (upgrade || (method === "CONNECT" && status >= 200 && status < 300)) return 2;
  return method === "HEAD" || status < 200 ? 1 : 0;
}

const require = createRequire(import.meta.url);

/** The part of Node's binding that is used here. */
interface NodeParser {
  [callback: number]: (...args: never[]) => number | void;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | NodeParserError;
  finish(): NodeParserError | undefined;
}
interface NodeParserError extends Error {
  code: string;
}

// The path is Node's own business, and where node:http has its parser from in all versions so far.
const { HTTPParser } = require("node:_http_common") as {
  HTTPParser: (new () => NodeParser) & Record<string, number>;
};
const { METHODS } = require("undici/lib/llhttp/constants.js") as { METHODS: Record<string, number> };
const methodNames = new Map(Object.entries(METHODS).map(([name, number]) => [number, name]));

/** Stands for the code where Node's binding tells of nothing but that it stopped: in a request with Upgrade. */
export const untold = "(untold)";

/** Node's, byte by byte: so it is seen where a message ends, and what does not depend on how the input was split. */
function node(input: Input): Seen {
  const parser = new HTTPParser();
  let head: Head | undefined;
  let fields: string[] = [];
  let target = "";
  let body = "";
  let isWhole = false;
  parser.initialize(input.kind === "request" ? HTTPParser.REQUEST! : HTTPParser.RESPONSE!, {});
  parser[HTTPParser.kOnHeaders!] = (more: string[], url: string) => {
    fields.push(...more);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete!] = (
    major: number,
    minor: number,
    more: string[] | undefined,
    method: number,
    url: string | undefined,
    status: number,
    reason: string,
    upgrade: boolean,
  ) => {
    fields.push(...(more ?? []));
    const version = `${major}.${minor}`;
    const start: Head["start"] =
      input.kind === "request"
        ? [methodNames.get(method) ?? String(method), url ?? target, version]
        : [String(status), reason, version];
    head = { start, fields };
    fields = [];
    return bodyAnswer(input, status, upgrade);
  };
  parser[HTTPParser.kOnBody!] = (bytes: Uint8Array) => {
    body += decodeLatin1(bytes, 0, bytes.length);
  };
  parser[HTTPParser.kOnMessageComplete!] = () => {
    isWhole = true;
  };
  const result = (end: Seen["end"], at: number, code?: string): Seen => ({
    end,
    ...(code !== undefined && { code }),
    at,
    ...(head !== undefined && { head }),
    body,
    trailer: isWhole ? fields : [],
  });
  const bytes = bytesOf(input.text);
  for (let at = 0; at < bytes.length; at++) {
    const used = parser.execute(bytes.subarray(at, at + 1));
    if (isWhole) return result("whole", at + 1);
    if (typeof used !== "number") return result("refused", at, used.code);
    if (used !== 1) return result("refused", at, untold);
  }
  parser.finish();
  return result(isWhole ? "whole" : "unfinished", bytes.length);
}

/** The types are the DOM's, which is not among ours. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: unknown };
  };
};

/** The part of llhttp's own interface that is used here. */
interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, bytes: number, size: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_errno_name(error: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_method(parser: number): number;
}

/** What is pending of a message in WebAssembly. */
class Llhttp {
  readonly #exports: LlhttpExports;
  readonly #buffer: number;
  #input!: Input;
  #parser = 0;
  #head: Head | undefined;
  #target = "";
  #reason = "";
  #fields: string[] = [];
  /** Whether the last piece of a field was one of its value. */
  #inValue = true;
  #body = "";
  #isWhole = false;

  constructor() {
    const paused = 21;
    const env = {
      wasm_on_message_begin: () => 0,
      wasm_on_url: (_: number, at: number, size: number) => {
        this.#target += this.#text(at, size);
        return 0;
      },
      wasm_on_status: (_: number, at: number, size: number) => {
        this.#reason += this.#text(at, size);
        return 0;
      },
      wasm_on_header_field: (_: number, at: number, size: number) => {
        if (this.#inValue) this.#fields.push("", "");
        this.#inValue = false;
        this.#fields[this.#fields.length - 2] += this.#text(at, size);
        return 0;
      },
      wasm_on_header_value: (_: number, at: number, size: number) => {
        this.#inValue = true;
        this.#fields[this.#fields.length - 1] += this.#text(at, size);
        return 0;
      },
      wasm_on_headers_complete: (_: number, status: number, upgrade: number) => {
        this.#onHead(status);
        return bodyAnswer(this.#input, status, upgrade === 1);
      },
      wasm_on_body: (_: number, at: number, size: number) => {
        this.#body += this.#text(at, size);
        return 0;
      },
      wasm_on_message_complete: () => {
        this.#isWhole = true;
        return paused;
      },
    };
    const module = new WebAssembly.Module(require("undici/lib/llhttp/llhttp-wasm.js") as Uint8Array);
    this.#exports = new WebAssembly.Instance(module, { env }).exports as LlhttpExports;
    this.#exports._initialize();
    this.#buffer = this.#exports.malloc(256 * 1024);
  }

  parse(input: Input): Seen {
    const llhttp = this.#exports;
    const bytes = bytesOf(input.text);
    if (bytes.length > 256 * 1024) throw new RangeError("The input is too long");
    this.#input = input;
    this.#head = undefined;
    this.#target = this.#reason = this.#body = "";
    this.#fields = [];
    this.#inValue = true;
    this.#isWhole = false;
    this.#parser = llhttp.llhttp_alloc(input.kind === "request" ? 1 : 2);
    new Uint8Array(llhttp.memory.buffer, this.#buffer, bytes.length).set(bytes);
    try {
      const error = llhttp.llhttp_execute(this.#parser, this.#buffer, bytes.length);
      const at = error === 0 ? bytes.length : llhttp.llhttp_get_error_pos(this.#parser) - this.#buffer;
      if (this.#isWhole) return this.#result("whole", at);
      if (error !== 0) return this.#result("refused", at, this.#string(llhttp.llhttp_errno_name(error)));
      llhttp.llhttp_finish(this.#parser);
      return this.#result(this.#isWhole ? "whole" : "unfinished", bytes.length);
    } finally {
      llhttp.llhttp_free(this.#parser);
    }
  }

  #onHead(status: number): void {
    const llhttp = this.#exports;
    const version = `${llhttp.llhttp_get_http_major(this.#parser)}.${llhttp.llhttp_get_http_minor(this.#parser)}`;
    const start: Head["start"] =
      this.#input.kind === "request"
        ? [methodNames.get(llhttp.llhttp_get_method(this.#parser))!, this.#target, version]
        : [String(status), this.#reason, version];
    this.#head = { start, fields: trimmed(this.#fields) };
    this.#fields = [];
  }

  #result(end: Seen["end"], at: number, code?: string): Seen {
    return {
      end,
      ...(code !== undefined && { code }),
      at,
      ...(this.#head !== undefined && { head: this.#head }),
      body: this.#body,
      trailer: this.#isWhole ? trimmed(this.#fields) : [],
    };
  }

  #text(at: number, size: number): string {
    return decodeLatin1(new Uint8Array(this.#exports.memory.buffer, at, size), 0, size);
  }

  #string(at: number): string {
    return this.#text(at, new Uint8Array(this.#exports.memory.buffer, at).indexOf(0));
  }
}

/** llhttp hands values out with the space behind them, and leaves that to whoever looks: Node's binding drops it. */
function trimmed(fields: readonly string[]): string[] {
  return fields.map((text) => text.replace(/[ \t]+$/, ""));
}

const llhttp = new Llhttp();

/** undici's, all of the input at once. */
function undici(input: Input): Seen {
  return llhttp.parse(input);
}

/** Those that ours is compared with, by name. */
export const oracles: Readonly<Record<string, (input: Input) => Seen>> = { node, undici };
