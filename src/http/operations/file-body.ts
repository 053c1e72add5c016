// The only file of http that reads files.
import { open, stat, type FileHandle } from "node:fs/promises";
import { allocate, checkOptions, handled, invalidArgument, ownOptions, show } from "../../core/internal.ts";
import type { BodyStream } from "../messages/body.ts";
import { httpError } from "../messages/errors.ts";

/** Options of {@link fileBody}. */
export interface FileBodyOptions {
  /**
   * The last byte of the file that is part of the body, inclusive, as in Range (RFC 9110 14.1.2); a position past the
   * end means the last one. Default: the last byte.
   */
  start?: number | undefined;
  /** The last byte that is, as Range counts (RFC 9110 14.1.2); the end of the file at the latest. Default the last one. */
  end?: number | undefined;
}

/** How many bytes are read at a time. */
const partSize = 64 * 1024;

/**
 * A file, or a part of it, as a body of known size. The file is opened when the body is read, and closed when that
 * ends, so a body that is never sent holds nothing.
 */
export class FileBody implements BodyStream {
  /** The path of the file. */
  readonly path: string;
  /** The position of the first byte. */
  readonly start: number;
  /** The size of the body, in bytes. */
  readonly size: number;
  /**
   * The size of the whole file in bytes, and its last modification in milliseconds since 1970, both taken when this was
   * made.
   */
  readonly file: { readonly size: number; readonly modified: number };

  /** @internal Use {@link fileBody}. */
  constructor(path: string, start: number, size: number, file: { size: number; modified: number }) {
    this.path = path;
    this.start = start;
    this.size = size;
    this.file = file;
  }

  /**
   * Reads the file. Fails with `http.short_read` if the file has become shorter, and with the errors of Node's `fs`.
   */
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
 * A regular file, or a part of it, as a body. Rejects with the error of Node's `fs` if there is no such file
 * (`error.code === "ENOENT"`), and with `core.invalid_argument` if it is not a regular file or does not have the part.
 */
export function fileBody(path: string, options: FileBodyOptions = {}): Promise<FileBody> {
  return handled(look(path, options));
}

const fileBodyOptions = ownOptions("fileBody", ["start", "end"], "{ start: 1000 }");

async function look(path: string, options: FileBodyOptions): Promise<FileBody> {
  if (typeof path !== "string") throw invalidArgument(`fileBody takes the path of a file, not ${show(path)}`);
  checkOptions(fileBodyOptions, options);
  const { start = 0, end = Infinity } = options;
  for (const [name, value] of Object.entries({ start, end })) {
    if (typeof value !== "number") throw invalidArgument(`${name} must be a number of bytes, not ${show(value)}`);
  }
  const stats = await stat(path);
  if (!stats.isFile()) throw invalidArgument(`${path} is not a regular file`);
  const last = Math.min(end, stats.size - 1);
  const size = last - start + 1;
  if (!Number.isSafeInteger(start) || start < 0 || start > stats.size || size < 0 || !Number.isSafeInteger(size)) {
    throw invalidArgument(`${path} has ${stats.size} bytes, and none from ${start} to ${end}`);
  }
  return new FileBody(path, start, size, { size: stats.size, modified: stats.mtimeMs });
}
