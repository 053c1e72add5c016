export { checkClose } from "./check.ts";
export { closeCode, isValidCloseCode } from "./close-code.ts";
export { websocketErrors } from "./errors.ts";
export type { WebsocketCode } from "./errors.ts";
export type { HandlersOf, MessageData } from "./handlers.ts";
export type { Message } from "./message.ts";
export { suggestedTimeouts } from "./options.ts";
export type {
  AcceptOptions,
  AcceptSource,
  CloseOptions,
  ControlKind,
  HandshakeOptions,
  OptionsOf,
  PrepareOptions,
  ReadOptions,
  SendOptions,
  Timeouts,
  WriteOptions,
} from "./options.ts";
export type { DeflateOptions } from "./permessage-deflate.ts";
export { prepare, PreparedMessage } from "./prepared.ts";
export type { Sendable } from "./prepared.ts";
export type { RateOptions } from "./rate.ts";
export type { ReceivedPart } from "./receiver.ts";
export { Settings, streamOptionNames } from "./settings.ts";
export type { MessageSource } from "./source.ts";
export type { Observer, Statistics } from "./statistics.ts";
export { Stream } from "./stream.ts";
export type { Handlers, StreamOptions } from "./stream.ts";
export type { UpgradeAccepted, UpgradeHook, UpgradeResult } from "./upgrade.ts";
export { refuseUpgrade } from "./handshake.ts";
