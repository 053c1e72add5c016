/** How much of a Blob is in memory a second time, as it is read, in bytes. */
const pieceSize = 64 * 1024;

/** The bytes of a Blob, piece by piece. Its own stream may give all of a part that is in memory at once, as a copy. */
export async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < blob.size; at += pieceSize) {
    yield new Uint8Array(await blob.slice(at, at + pieceSize).arrayBuffer());
  }
}
