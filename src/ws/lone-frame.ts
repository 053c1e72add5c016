/** Larger frames are not taken from the memory that Buffers share. */
const largest = 4000;

/** Whether a message is short enough for {@link loneFrame}. */
export const isShort = (data: string | Uint8Array): boolean =>
  data.length <= (typeof data === "string" ? largest / 3 : largest);

/**
 * A short message as one frame of a server, in memory of its own: what leaves alone, and at once, needs none that is counted
 * and given back.
 */
export function loneFrame(data: string | Uint8Array, isBinary: boolean): Buffer {
  const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const at = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(at + length);
  frame[0] = isBinary ? 0x82 : 0x81;
  if (at === 2) frame[1] = length;
  else {
    frame[1] = 126;
    frame[2] = length >>> 8;
    frame[3] = length;
  }
  if (typeof data === "string") frame.write(data, at);
  else frame.set(data, at);
  return frame;
}
