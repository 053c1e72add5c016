export { byteLength, lowestLayer } from "./byte-stream.ts";
export type { BufferSource } from "./bytes.ts";
export type {
  ByteStream,
  Peer,
  ReadHandler,
  Role,
  ShutdownHandler,
  WatchHandler,
  WriteHandler,
} from "./byte-stream.ts";
export { systemClock } from "./clock.ts";
export type { Clock, Timer } from "./clock.ts";
export { complete, promised } from "./completion.ts";
export type { Handler } from "./completion.ts";
export { fromDuplex } from "./duplex.ts";
export type { DuplexLike } from "./duplex.ts";
export { defineErrors, ServalError } from "./error.ts";
export type {
  CloseInfo,
  Condition,
  ErrorDetails,
  ErrorFactory,
  ErrorTable,
  HeadersLike,
  ResponseLike,
} from "./error.ts";
export { abortError, coreError, coreErrors, transportError } from "./errors.ts";
export { FlatBuffer } from "./flat-buffer.ts";
export type { FlatBufferOptions } from "./flat-buffer.ts";
export { toByteStream } from "./next-layer.ts";
export type { NextLayer } from "./next-layer.ts";
export { PrefixedStream } from "./prefixed-stream.ts";
export type { PrefixedStreamOptions } from "./prefixed-stream.ts";
export { teardown } from "./teardown.ts";
export type { TeardownHandler } from "./teardown.ts";
export { fromWebStreams } from "./web-streams.ts";
export type { WebStreamPair } from "./web-streams.ts";
