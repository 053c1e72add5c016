/** Counts whole replies in received bytes. */
export interface Counter {
  /** Takes the first `length` of these bytes; returns how many replies ended in them. */
  count(bytes: Uint8Array, length: number): number;
}

/** Counts replies that all have the same size. */
export class SizeCounter implements Counter {
  readonly #size: number;
  #bytes = 0;

  constructor(size: number) {
    this.#size = size;
  }

  count(_bytes: Uint8Array, length: number): number {
    this.#bytes += length;
    const replies = Math.floor(this.#bytes / this.#size);
    this.#bytes -= replies * this.#size;
    return replies;
  }
}

/** Counts a server's messages by the headers of their frames (RFC 6455 section 5.2), whatever the payloads. */
export class FrameCounter implements Counter {
  /** Whether a close frame has come. */
  isClosed = false;
  /** A header that is not whole yet, and how much of it there is. */
  readonly #header = new Uint8Array(10);
  #known = 0;
  /** What is left of the payload of the frame in progress, and whether a message ends with it. */
  #left = 0;
  #isLast = false;

  count(bytes: Uint8Array, length: number): number {
    let messages = 0;
    let at = 0;
    while (at < length) {
      if (this.#left === 0) {
        at = this.#takeHeader(bytes, at, length);
        if (this.#known > 0) return messages;
      }
      const taken = Math.min(this.#left, length - at);
      at += taken;
      this.#left -= taken;
      if (this.#left === 0 && this.#isLast) messages++;
    }
    return messages;
  }

  /** Reads a header, or keeps the part of it that is there; returns where it ends. */
  #takeHeader(bytes: Uint8Array, at: number, end: number): number {
    const header = this.#header;
    for (;;) {
      if (this.#known >= 2 && this.#known === headerSize(header[1]!)) break;
      if (at === end) return at;
      header[this.#known++] = bytes[at++]!;
    }
    this.#known = 0;
    const opcode = header[0]! & 0x0f;
    if (opcode === 8) this.isClosed = true;
    // Control frames are no messages; a server masks none.
    this.#isLast = header[0]! >= 0x80 && opcode < 8;
    this.#left = payloadSize(header);
    if (this.#left === 0 && this.#isLast) throw new Error("an empty message, which no load sends, came back");
    return at;
  }
}

function headerSize(second: number): number {
  const short = second & 0x7f;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

function payloadSize(header: Uint8Array): number {
  const short = header[1]! & 0x7f;
  if (short < 126) return short;
  const size = short === 126 ? 2 : 8;
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + header[2 + i]!;
  return length;
}
