import { deflateRaw } from "node:zlib";
import { copyOf } from "../../core/internal.ts";
import { Deflater, emptyPayload, withoutTail } from "./deflate.ts";
import { deflateAlone, functionOptions, type CompressorOptions } from "./zlib.ts";

/** Longer messages are compressed in pieces of this size; the overhead of a piece is negligible. */
const pieceSize = 16 * 1024 * 1024;

/** A deflater that also compresses on other threads. */
export class ThreadedDeflater extends Deflater {
  /**
   * Compresses a message on another thread; until then the message must not change, and nothing else may be compressed.
   * The handler gets a payload of its own, never inside this call, and not after `close`.
   */
  deflateLater(message: Uint8Array, handler: (payload: Uint8Array) => void): void {
    const pieces: Uint8Array[] = [];
    let total = 0;
    const next = (from: number): void => {
      // Each piece separately: other threads can't use the context, and long messages gain little from it.
      deflatePiece(message.subarray(from, from + pieceSize), this.pool.options, (piece) => {
        if (this.isClosed) return;
        pieces.push(piece);
        total += piece.length;
        if (from + pieceSize < message.length) {
          next(from + pieceSize);
          return;
        }
        if (this.takeover) this.remember(message);
        handler(withoutTail(pieces.length === 1 ? piece : copyOf(pieces, total)));
      });
    };
    if (message.length > 0) next(0);
    else queueMicrotask(() => !this.isClosed && handler(emptyPayload));
  }

  /** A deflater with the same parameters, for several connections: without takeover. */
  alike(): ThreadedDeflater {
    return new ThreadedDeflater({ ...this.pool.options, takeover: false });
  }
}

/** Like `deflateAlone`, on another thread; the bytes must not change meanwhile. */
function deflatePiece(bytes: Uint8Array, options: CompressorOptions, handler: (result: Uint8Array) => void): void {
  deflateRaw(bytes, functionOptions(bytes.length, options), (error, result) => {
    // It fails if there is no memory. This thread may have some; if not, this throws.
    handler(error === null ? result : deflateAlone(bytes, options));
  });
}
