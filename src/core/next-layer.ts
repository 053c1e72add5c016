import type { ByteStream } from "./byte-stream.ts";
import { fromDuplex, type DuplexLike } from "./duplex.ts";
import { coreError, invalidArgument } from "./errors.ts";
import { fromWebStreams, type WebStreamPair } from "./web-streams.ts";

/** What a layer can stand on: a {@link ByteStream}, a Node `Duplex`, or a pair of Web streams. */
export type NextLayer = ByteStream | DuplexLike | WebStreamPair;

/**
 * Turns anything that a layer can stand on into a {@link ByteStream}. Throws `core.invalid_argument` for anything else.
 */
export function toByteStream(next: NextLayer): ByteStream {
  if (typeof (next as ByteStream | undefined)?.readSome === "function") return next as ByteStream;
  if (typeof (next as WebStreamPair | undefined)?.readable?.getReader === "function") {
    return fromWebStreams(next as WebStreamPair);
  }
  if (typeof (next as DuplexLike | undefined)?.pause === "function") return fromDuplex(next as DuplexLike);
  throw coreError("core.invalid_argument", {
    message: "The next layer must be a ByteStream, a Duplex or a pair { readable, writable } of Web streams",
  });
}

/** Checks a {@link ByteStream}; the error says how to make one from a Node socket. `taker` is the layer above. */
export function checkByteStream(taker: string, stream: ByteStream): ByteStream {
  if (typeof (stream as ByteStream | undefined)?.readSome === "function") return stream;
  throw invalidArgument(
    `${taker} takes a ByteStream: core.fromDuplex(socket) makes one of a Node.js socket, core.toByteStream of Web streams too`,
  );
}
