// The one file of http that reads from a disk.
import { open, stat, type FileHandle } from "node:fs/promises";
import { allocate, handled, invalidArgument } from "../../core/internal.ts";
import type { BodyStream } from "../messages/body.ts";
import { httpError } from "../messages/errors.ts";

/** Options of {@link fileBody}. */
export interface FileBodyOptions {
  /** The first byte of the file that is part of the body. Default 0. */
  start?: number | undefined;
  /** The last byte that is, as Range counts (RFC 9110 14.1.2); the end of the file at the latest. Default the last one. */
  end?: number | undefined;
}

/** How many bytes are read at a time. */
const partSize = 64 * 1024;

/**
 * A file, or a part of it, as a body of known size. It is opened when the body is asked for, and closed when that ends,
 * so one that is never sent holds nothing.
 */
export class FileBody implements BodyStream {
  /** The path of the file. */
  readonly path: string;
  /** The position of the first byte. */
  readonly start: number;
  /** How many bytes there are. */
  readonly size: number;
  /** The size of the whole file in bytes, and when it was changed last, in milliseconds since 1970: as it was when this was made. */
  readonly file: { readonly size: number; readonly modified: number };

  /** @internal Use {@link fileBody}. */
  constructor(path: string, start: number, size: number, file: { size: number; modified: number }) {
    this.path = path;
    this.start = start;
    this.size = size;
    this.file = file;
  }

  /** Reads the file. Fails with `http.short_read` where it has become shorter, and with what Node's `fs` fails with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    if (this.size === 0) return;
    const handle = await open(this.path, "r");
    try {
      for (let sent = 0; sent < this.size;) {
        const part = await readPart(handle, this.start + sent, Math.min(partSize, this.size - sent));
        sent += part.length;
        yield part;
      }
    } finally {
      await handle.close();
    }
  }
}

async function readPart(handle: FileHandle, position: number, size: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await handle.read(allocate(size), 0, size, position);
  if (bytesRead === 0) throw httpError("http.short_read");
  return bytesRead < size ? buffer.subarray(0, bytesRead) : buffer;
}

/**
 * A regular file, or a part of it, as a body. Rejects with what Node's `fs` does where there is none
 * (`error.code === "ENOENT"`), and with `core.invalid_argument` for something else than a regular file, and for a part
 * that the file does not have.
 */
export function fileBody(path: string, options: FileBodyOptions = {}): Promise<FileBody> {
  return handled(look(path, options));
}

async function look(path: string, { start = 0, end = Infinity }: FileBodyOptions): Promise<FileBody> {
  const stats = await stat(path);
  if (!stats.isFile()) throw invalidArgument(`${path} is not a regular file`);
  const last = Math.min(end, stats.size - 1);
  const size = last - start + 1;
  if (!Number.isSafeInteger(start) || start < 0 || start > stats.size || size < 0 || !Number.isSafeInteger(size)) {
    throw invalidArgument(`${path} has ${stats.size} bytes, and none from ${start} to ${end}`);
  }
  return new FileBody(path, start, size, { size: stats.size, modified: stats.mtimeMs });
}
