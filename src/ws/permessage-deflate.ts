import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from "node:zlib";
import type { ExtensionParameters } from "./extension.ts";
import { Limiter } from "./limiter.ts";

/** Options of permessage-deflate (RFC 7692), as `ws` has them. */
export interface PerMessageDeflateOptions {
  /** The server compresses each message separately. Default: if the client asks for it. */
  serverNoContextTakeover?: boolean | undefined;
  /** The client compresses each message separately. Default: if the server asks for it. */
  clientNoContextTakeover?: boolean | undefined;
  /** The server's window, as a power of 2: 8 to 15. Default: what the other side says. */
  serverMaxWindowBits?: number | undefined;
  /** The client's window, as a power of 2: 8 to 15. Default: what the other side says. */
  clientMaxWindowBits?: number | undefined;
  /** How to compress: options of `node:zlib`. */
  zlibDeflateOptions?: (Omit<ZlibOptions, "dictionary"> & { dictionary?: Buffer | DataView | undefined }) | undefined;
  /** How to inflate: options of `node:zlib`. */
  zlibInflateOptions?: ZlibOptions | undefined;
  /** Messages of fewer bytes are not compressed, if each is compressed separately. Default 1024. */
  threshold?: number | undefined;
  /** How many calls of `compress` and `decompress` run at once in the process: the first object's holds. Default 10. */
  concurrencyLimit?: number | undefined;
}

/** The options as `ws` reads them: false, which its declarations leave out, declines to limit a window. */
type Options = Omit<PerMessageDeflateOptions, "serverMaxWindowBits" | "clientMaxWindowBits" | "zlibDeflateOptions"> & {
  readonly serverMaxWindowBits?: number | boolean | undefined;
  readonly clientMaxWindowBits?: number | boolean | undefined;
  readonly zlibDeflateOptions?: ZlibOptions | undefined;
  readonly isServer?: boolean;
  readonly maxPayload?: number;
};

/** What was negotiated, in the names of RFC 7692 section 7.1. */
export type DeflateParameters = {
  server_no_context_takeover?: true;
  client_no_context_takeover?: true;
  server_max_window_bits?: number;
  client_max_window_bits?: number | true;
};

/** Called with what was compressed or inflated. */
type DeflateCallback = (error: Error | null, data?: Buffer) => void;

/** The end of each compressed message, which is not sent (RFC 7692 section 7.2.1). */
const tail = Buffer.from([0, 0, 0xff, 0xff]);

const maxWindowBits = /_max_window_bits$/;
const windowBits = new Set([8, 9, 10, 11, 12, 13, 14, 15]);
const names = new Set([
  "server_no_context_takeover",
  "client_no_context_takeover",
  "server_max_window_bits",
  "client_max_window_bits",
]);

/** For all objects, since they share the threads of zlib. */
let limiter: Limiter | undefined;

/**
 * Negotiates permessage-deflate (RFC 7692), as `ws` does; also compresses and inflates, for programs that frame
 * messages themselves. WebSockets compress without it.
 */
export class PerMessageDeflate {
  /** @internal */
  readonly _options: Options;
  /** @internal */
  readonly _threshold: number;
  /** @internal */
  readonly _maxPayload: number;
  /** @internal */
  readonly _isServer: boolean;
  /** @internal */
  _deflate: DeflateRaw | null = null;
  /** @internal */
  _inflate: InflateRaw | null = null;
  /** What was negotiated; null before {@link accept}. */
  params: DeflateParameters | null = null;
  /** Ends the call of `compress` that has not called back. */
  #abort: (() => void) | undefined;

  /** `isServer`: this side's role; `maxPayload`: the most bytes that a message may have inflated, 0 for no limit. */
  constructor(options?: PerMessageDeflateOptions & { isServer?: boolean; maxPayload?: number }) {
    this._options = options ?? {};
    this._threshold = this._options.threshold ?? 1024;
    this._maxPayload = Number(this._options.maxPayload) | 0;
    this._isServer = Boolean(this._options.isServer);
    limiter ??= new Limiter(this._options.concurrencyLimit ?? 10);
  }

  /** The name in the headers: `permessage-deflate`. */
  static get extensionName(): string {
    return "permessage-deflate";
  }

  // ---- negotiation ----

  /** The client's offer. */
  offer(): DeflateParameters {
    const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
      this._options;
    const offer: Record<string, unknown> = {};
    if (serverNoContextTakeover) offer["server_no_context_takeover"] = true;
    if (clientNoContextTakeover) offer["client_no_context_takeover"] = true;
    if (serverMaxWindowBits) offer["server_max_window_bits"] = serverMaxWindowBits;
    // A client can always be limited: without a limit of its own it lets the server choose one.
    const clientBits = clientMaxWindowBits ?? true;
    if (clientBits) offer["client_max_window_bits"] = clientBits;
    return offer;
  }

  /**
   * Takes the client's offers, in the order of preference, or the server's response: as `extension.parse` returns them.
   * Returns what holds, also as {@link params}. Throws if none can be accepted or one is invalid.
   */
  accept(configurations: readonly ExtensionParameters[]): DeflateParameters {
    const checked = configurations.map((parameters) => this.#checked(parameters));
    this.params = this._isServer ? this.#acceptOffer(checked) : this.#acceptResponse(checked[0]!);
    return this.params;
  }

  #acceptOffer(offers: readonly DeflateParameters[]): DeflateParameters {
    const agreed = offers.find((offer) => this.#isAcceptable(offer));
    if (agreed === undefined) throw new Error("None of the extension offers can be accepted");
    const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
      this._options;
    if (serverNoContextTakeover) agreed.server_no_context_takeover = true;
    if (clientNoContextTakeover) agreed.client_no_context_takeover = true;
    if (typeof serverMaxWindowBits === "number") agreed.server_max_window_bits = serverMaxWindowBits;
    if (typeof clientMaxWindowBits === "number") agreed.client_max_window_bits = clientMaxWindowBits;
    else if (agreed.client_max_window_bits === true || clientMaxWindowBits === false) {
      delete agreed.client_max_window_bits;
    }
    return agreed;
  }

  #isAcceptable(offer: DeflateParameters): boolean {
    const { serverNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = this._options;
    if (serverNoContextTakeover === false && offer.server_no_context_takeover) return false;
    const serverBits = offer.server_max_window_bits;
    if (serverBits !== undefined) {
      if (serverMaxWindowBits === false) return false;
      if (typeof serverMaxWindowBits === "number" && serverMaxWindowBits > serverBits) return false;
    }
    if (typeof clientMaxWindowBits !== "number") return true;
    // Section 7.1.2.2: a client that does not offer the parameter can't be limited.
    const clientBits = offer.client_max_window_bits;
    return clientBits === true || (clientBits !== undefined && clientBits >= clientMaxWindowBits);
  }

  #acceptResponse(response: DeflateParameters): DeflateParameters {
    const { clientNoContextTakeover, clientMaxWindowBits } = this._options;
    if (clientNoContextTakeover === false && response.client_no_context_takeover) {
      throw new Error('Unexpected parameter "client_no_context_takeover"');
    }
    const bits = response.client_max_window_bits;
    if (bits === undefined) {
      if (typeof clientMaxWindowBits === "number") response.client_max_window_bits = clientMaxWindowBits;
    } else if (
      clientMaxWindowBits === false ||
      (typeof clientMaxWindowBits === "number" && Number(bits) > clientMaxWindowBits)
    ) {
      throw new Error('Unexpected or invalid parameter "client_max_window_bits"');
    }
    return response;
  }

  /** The parameters with a value each. Throws for one that is unknown, repeated or has an invalid value. */
  #checked(parameters: ExtensionParameters): DeflateParameters {
    // Parsed parameters inherit nothing; neither do those that come of them.
    const checked: Record<string, number | true> = Object.create(Object.getPrototypeOf(parameters));
    for (const [name, values] of Object.entries(parameters)) {
      if (values.length > 1) throw new Error(`Parameter "${name}" must have only a single value`);
      if (!names.has(name)) throw new Error(`Unknown parameter "${name}"`);
      checked[name] = this.#checkedValue(name, values[0]!);
    }
    return checked;
  }

  #checkedValue(name: string, value: string | true): number | true {
    const isOptional = !maxWindowBits.test(name) || (this._isServer && name === "client_max_window_bits");
    if (value === true && isOptional) return true;
    if (value !== true && maxWindowBits.test(name) && windowBits.has(Number(value))) return Number(value);
    throw new TypeError(`Invalid value for parameter "${name}": ${value}`);
  }

  // ---- compression ----

  /**
   * Compresses a fragment of a message; `fin` if it is the last. The callback gets what goes into the frame, or the error
   * if {@link cleanup} came before.
   */
  compress(data: string | Uint8Array, fin: boolean, callback: DeflateCallback): void {
    limiter!.add((done) => {
      this.#compress(data, fin, (error, compressed) => {
        done();
        callback(error, compressed);
      });
    });
  }

  /**
   * Inflates a fragment of a message; `fin` if it is the last. The callback gets the bytes, or the error: `RangeError`
   * with the code `WS_ERR_UNSUPPORTED_MESSAGE_LENGTH` for more than `maxPayload`, and that of zlib for invalid bytes.
   */
  decompress(data: Uint8Array, fin: boolean, callback: DeflateCallback): void {
    limiter!.add((done) => {
      this.#decompress(data, fin, (error, inflated) => {
        done();
        callback(error, inflated);
      });
    });
  }

  /** Frees the memory of zlib. */
  cleanup(): void {
    this._inflate?.close();
    this._inflate = null;
    this._deflate?.close();
    this._deflate = null;
    this.#abort?.();
  }

  #compress(data: string | Uint8Array, fin: boolean, callback: DeflateCallback): void {
    const side = this._isServer ? "server" : "client";
    this._deflate ??= createDeflateRaw({ ...this._options.zlibDeflateOptions, windowBits: this.#windowBits(side) });
    const deflate = this._deflate;
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer): void => void chunks.push(chunk);
    const end = (): void => {
      this.#abort = undefined;
      deflate.off("data", collect);
    };
    this.#abort = () => {
      end();
      callback(new Error("The deflate stream was closed while data was being processed"));
    };
    deflate.on("data", collect);
    deflate.write(data);
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      if (this._deflate !== deflate) return;
      end();
      if (fin && this.params?.[`${side}_no_context_takeover`]) deflate.reset();
      const compressed = joined(chunks);
      callback(null, fin ? compressed.subarray(0, -tail.length) : compressed);
    });
  }

  #decompress(data: Uint8Array, fin: boolean, callback: DeflateCallback): void {
    const side = this._isServer ? "client" : "server";
    this._inflate ??= createInflateRaw({ ...this._options.zlibInflateOptions, windowBits: this.#windowBits(side) });
    const inflate = this._inflate;
    const chunks: Buffer[] = [];
    let total = 0;
    const end = (): void => void inflate.off("data", collect).off("error", fail);
    const fail = (error: Error): void => {
      end();
      // What an inflater says once nobody listens to it any more.
      inflate.on("error", () => {}).close();
      this._inflate = null;
      callback(error);
    };
    const collect = (chunk: Buffer): void => {
      chunks.push(chunk);
      total += chunk.length;
      if (this._maxPayload > 0 && total > this._maxPayload) fail(tooLong());
    };
    inflate.on("data", collect).on("error", fail);
    inflate.write(data);
    if (fin) inflate.write(tail);
    inflate.flush(() => {
      if (this._inflate !== inflate) return;
      end();
      if (inflate.readableEnded) {
        // The block was marked as the last one (RFC 7692 section 7.2.3.4).
        inflate.close();
        this._inflate = null;
      } else if (fin && this.params?.[`${side}_no_context_takeover`]) inflate.reset();
      callback(null, joined(chunks));
    });
  }

  #windowBits(side: "client" | "server"): number {
    const bits = this.params?.[`${side}_max_window_bits`];
    return typeof bits === "number" ? bits : constants.Z_DEFAULT_WINDOWBITS;
  }
}

function tooLong(): RangeError {
  return Object.assign(new RangeError("Max payload size exceeded"), { code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" });
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
