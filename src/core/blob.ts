/** How much of a Blob is copied into memory at a time, in bytes. */
const pieceSize = 64 * 1024;

/** The bytes of a Blob, piece by piece. The Blob's own stream may yield a part in memory as one large copy. */
export async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < blob.size; at += pieceSize) {
    yield new Uint8Array(await blob.slice(at, at + pieceSize).arrayBuffer());
  }
}
