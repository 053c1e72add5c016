/** The empty payload. */
export const empty: Buffer = Buffer.alloc(0);

/** V8 has typed arrays of up to so many bytes on its heap, and asking for their buffer moves them off it. */
const onHeap = 64;

/** Received bytes as a `Buffer`. They are the receiver's own, and so is this. */
export function asBuffer(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  // A part of no bytes would keep the memory that it is a part of.
  if (length === 0) return empty;
  if (bytes instanceof Buffer) return bytes;
  if (length > onHeap) return Buffer.from(bytes.buffer, bytes.byteOffset, length);
  const copy = Buffer.allocUnsafe(length);
  copy.set(bytes);
  return copy;
}

/** The bytes of what a program sends. Throws the platform's TypeError for what has none. */
export function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Buffer.from(data as Uint8Array);
}

/** Whether it is a `Blob` or a `File`, of Node.js or not. */
export function isBlob(data: unknown): data is Blob {
  if (typeof data !== "object" || data === null) return false;
  const {
    arrayBuffer,
    stream,
    type,
    [Symbol.toStringTag]: tag,
  } = data as Partial<Blob> & { [Symbol.toStringTag]?: string };
  return (
    typeof arrayBuffer === "function" &&
    typeof stream === "function" &&
    typeof type === "string" &&
    (tag === "Blob" || tag === "File")
  );
}

/** The bytes of a `Blob`. Rejects if they can't be read. */
export async function bytesOfBlob(blob: Blob): Promise<Buffer> {
  return Buffer.from(await blob.arrayBuffer());
}

/** How messages of bytes are given to `message` listeners. */
export type BinaryType = "nodebuffer" | "arraybuffer" | "fragments" | "blob";

/** A message of bytes as the attribute `binaryType` says. */
export function inForm(bytes: Uint8Array, form: BinaryType): unknown {
  switch (form) {
    case "arraybuffer":
      return bytes.length === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer;
    case "blob":
      return new Blob([bytes as Uint8Array<ArrayBuffer>]);
    case "fragments":
      return bytes.length === 0 ? [] : [asBuffer(bytes)];
    default:
      return asBuffer(bytes);
  }
}
