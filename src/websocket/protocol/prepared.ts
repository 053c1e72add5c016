import type { BufferSource } from "../../core/index.ts";
import { bytesOf, encodeUtf8, invalidArgument } from "../../core/internal.ts";
import type { Deflater } from "../deflate/deflate.ts";
import { deflatedBit, finalBit, maxHeaderSize, opcode, writeHeader } from "../frames/frame.ts";
import type { MessageData } from "../options/handlers.ts";
import { checkSendOptions, sendOptions } from "../options/of-operations.ts";
import type { PrepareOptions } from "../options/options.ts";

/** A message that is there as a whole, checked: a list of buffers is one message. */
export type WholeData = MessageData | readonly Uint8Array[] | PreparedMessage;

/** A deflated payload, or the handlers that wait for it. */
export type Deflation = Uint8Array | ((payload: Uint8Array) => void)[];

/**
 * A message that is framed, and compressed, once for many streams: `send` and `write` take it in the place of the message;
 * {@link prepare} makes it. What each stream has of its own, masks and contexts that are taken over, it still does itself.
 */
export class PreparedMessage {
  /** Text or binary. */
  readonly kind: "text" | "binary";
  /** The message's bytes. */
  readonly payload: Uint8Array;
  readonly #compress: boolean;
  #frame: Uint8Array | undefined;
  /** The payload as deflated for each size of window that was agreed on. @internal */
  readonly deflations: Map<number, Deflation> = new Map();
  readonly #deflatedFrames: Map<number, Uint8Array> = new Map();

  /** @internal */
  constructor(data: string | BufferSource, { kind, compress = true }: PrepareOptions = {}) {
    const isText = typeof data === "string";
    const bytes = isText ? encodeUtf8(data) : bytesOf(data);
    if (bytes === undefined) {
      throw invalidArgument(
        "A message to prepare or publish is a string, an ArrayBuffer or a view of one; JSON.stringify makes a string of an object, await blob.arrayBuffer() bytes of a Blob",
      );
    }
    // A copy, since the caller may change its bytes afterwards.
    this.payload = isText ? bytes : new Uint8Array(bytes);
    this.kind = kind ?? (isText ? "text" : "binary");
    this.#compress = compress;
  }

  /** Whether it is to be compressed where that was agreed on. @internal */
  get compress(): boolean {
    return this.#compress;
  }

  /** It as one frame. @internal */
  get frame(): Uint8Array {
    return (this.#frame ??= frameOf(finalBit | this.#opcode, this.payload));
  }

  /** It as one frame, deflated now if it was not yet; for deflaters without takeover. @internal */
  deflatedFrame(deflater: Deflater): Uint8Array {
    const { windowBits } = deflater;
    let frame = this.#deflatedFrames.get(windowBits);
    if (frame === undefined) {
      const known = this.deflations.get(windowBits);
      const payload = known instanceof Uint8Array ? known : deflater.deflate(this.payload);
      frame = frameOf(finalBit | deflatedBit | this.#opcode, payload);
      this.#deflatedFrames.set(windowBits, frame);
    }
    return frame;
  }

  get #opcode(): number {
    return this.kind === "text" ? opcode.text : opcode.binary;
  }
}

/**
 * Prepares a message for sending to many: `const news = prepare("…"); for (const ws of all) ws.send(news)`. It is framed
 * once, and compressed at most once for each size of window; only a client masks it for each. The bytes are copied. Throws
 * `core.invalid_argument` for what is no message.
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
