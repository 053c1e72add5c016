// Frames of a server that leave alone, in memory that all connections share. What the kernel has taken is overwritten by the
// next frame, so that a message to each of many clients touches little memory besides their sockets.

const slabSize = 64 * 1024;
/** The longest payload, in bytes. A header for it has at most this many (RFC 6455 section 5.2). */
const largest = 16 * 1024;
const headerRoom = 4;

let slab: Buffer | undefined;
/** Where the next frame's room begins. */
let begin = 0;
/** The last frame, and where in the slab it is. Many are as long as the one before: then it is the same view. */
let frame: Buffer = Buffer.alloc(0);
let frameAt = -1;

/** Whether a message is short enough for {@link loneFrame}: of a text, each code unit may take three bytes. */
export const isShort = (data: string | Uint8Array): boolean =>
  data.length <= (typeof data === "string" ? largest / 3 : largest);

/** A short message as one frame of a server. It is valid until the next one, unless {@link keepFrame} is called. */
export function loneFrame(data: string | Uint8Array, isBinary: boolean): Buffer {
  const isText = typeof data === "string";
  const bytes = slabWith(headerRoom + (isText ? data.length * 3 : data.length));
  const start = begin + headerRoom;
  const length = isText ? bytes.write(data, start) : data.length;
  if (!isText) bytes.set(data, start);
  const at = length < 126 ? start - 2 : start - 4;
  bytes[at] = isBinary ? 0x82 : 0x81;
  if (length < 126) bytes[at + 1] = length;
  else {
    bytes[at + 1] = 126;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
  }
  const size = start + length - at;
  if (frameAt !== at || frame.length !== size) frame = Buffer.from(bytes.buffer, at, size);
  frameAt = at;
  return frame;
}

/** The last frame is in use for longer: the next ones lie after it. */
export function keepFrame(): void {
  begin = frameAt + frame.length;
  frameAt = -1;
}

/** The slab, with room for so many bytes; what is kept of an earlier one stays as it is. */
function slabWith(size: number): Buffer {
  if (slab === undefined || begin + size > slabSize) {
    slab = Buffer.allocUnsafeSlow(slabSize);
    begin = 0;
    frameAt = -1;
  }
  return slab;
}
