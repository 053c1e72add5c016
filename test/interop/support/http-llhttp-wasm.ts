// The parser of undici.
import { decodeLatin1 } from "../../../src/core/text.ts";
import { bytesOf } from "../../http/support/samples.ts";
import { bodyAnswer, methodNames, require } from "./http-llhttp.ts";
import type { Head, Input, Seen } from "./http-seen.ts";

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
    this.#head = { start, headers: trimmed(this.#fields) };
    this.#fields = [];
  }

  #result(end: Seen["end"], at: number, code?: string): Seen {
    return {
      end,
      ...(code !== undefined && { code }),
      at,
      ...(this.#head !== undefined && { head: this.#head }),
      body: this.#body,
      trailers: this.#isWhole ? trimmed(this.#fields) : [],
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
function trimmed(headers: readonly string[]): string[] {
  return headers.map((text) => text.replace(/[ \t]+$/, ""));
}

const llhttp = new Llhttp();

/** undici's, all of the input at once. */
export function undici(input: Input): Seen {
  return llhttp.parse(input);
}
