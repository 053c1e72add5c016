import type { BufferSource } from "../../core/index.ts";
import { bytesOf, encodeUtf8, notSendable } from "../../core/internal.ts";
import type { Deflater } from "../deflate/deflate.ts";
import { deflatedBit, finalBit, maxHeaderSize, opcode, writeHeader } from "../frames/frame.ts";
import type { MessageData } from "../options/handlers.ts";
import { checkSendOptions, sendOptions } from "../options/of-operations.ts";
import type { PrepareOptions } from "../options/options.ts";

/** A message that is in memory as a whole. A list of buffers is one message. */
export type WholeData = MessageData | readonly Uint8Array[] | PreparedMessage;

/** A deflated payload, or the handlers that wait for the thread that makes it. */
export type Deflation = Uint8Array | ((payload: Uint8Array) => void)[];

/**
 * A message that is framed and compressed once for many streams. {@link prepare} makes it; `send`, `write` and
 * `publish` take it in place of a message. Masking, and compressing with context takeover, is still done for each
 * stream.
 */
export class PreparedMessage {
  /** Text or binary. */
  readonly kind: "text" | "binary";
  /** The message's bytes. */
  readonly payload: Uint8Array;
  readonly #compress: boolean;
  #frame: Uint8Array | undefined;
  /** The deflated payload, for each number of window bits. @internal */
  readonly deflations: Map<number, Deflation> = new Map();
  readonly #deflatedFrames: Map<number, Uint8Array> = new Map();

  /** @internal */
  constructor(data: string | BufferSource, { kind, compress = true }: PrepareOptions = {}) {
    const isText = typeof data === "string";
    const bytes = isText ? encodeUtf8(data) : bytesOf(data);
    if (bytes === undefined) {
      throw notSendable("A message to prepare or publish must be a string, an ArrayBuffer or a view of one", data);
    }
    // Copied, since the caller may change its bytes later.
    this.payload = isText ? bytes : new Uint8Array(bytes);
    this.kind = kind ?? (isText ? "text" : "binary");
    this.#compress = compress;
  }

  /** Whether it is compressed on connections with permessage-deflate. @internal */
  get compress(): boolean {
    return this.#compress;
  }

  /** The message as one frame. @internal */
  get frame(): Uint8Array {
    return (this.#frame ??= frameOf(finalBit | this.opcode, this.payload));
  }

  /** The message as one deflated frame, for a deflater without takeover. Deflates it at the first call. @internal */
  deflatedFrame(deflater: Deflater): Uint8Array {
    const { windowBits } = deflater;
    let frame = this.#deflatedFrames.get(windowBits);
    if (frame === undefined) {
      const known = this.deflations.get(windowBits);
      const payload = known instanceof Uint8Array ? known : deflater.deflate(this.payload);
      frame = frameOf(finalBit | deflatedBit | this.opcode, payload);
      this.#deflatedFrames.set(windowBits, frame);
    }
    return frame;
  }

  /** @internal */
  get opcode(): typeof opcode.text | typeof opcode.binary {
    return this.kind === "text" ? opcode.text : opcode.binary;
  }
}

/**
 * Prepares a message that is sent to many streams: `const news = prepare("…"); for (const ws of all) ws.send(news)`. It is
 * framed once, and compressed at most once for each number of window bits; a client still masks each copy. The bytes are
 * copied. Throws `core.invalid_argument` for a value that is not a message.
 */
export function prepare(data: string | BufferSource, options?: PrepareOptions): PreparedMessage {
  if (options !== undefined) checkSendOptions(sendOptions, options, "prepare");
  return new PreparedMessage(data, options);
}

function frameOf(first: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(maxHeaderSize + payload.length);
  const at = writeHeader(frame, 0, first, payload.length, false);
  frame.set(payload, at);
  return frame.subarray(0, at + payload.length);
}
