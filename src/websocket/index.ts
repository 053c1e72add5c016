export { closeCode, isValidCloseCode } from "./frames/close-code.ts";
export { websocketErrors } from "./frames/errors.ts";
export type { WebsocketCode } from "./frames/errors.ts";
export type { ControlKind, MessageData } from "./options/handlers.ts";
export type { Message } from "./operations/message.ts";
export { suggestedTimeouts } from "./options/options.ts";
export type {
  AcceptOptions,
  AcceptSource,
  AttachOptions,
  CloseOptions,
  ControlOptions,
  HandshakeOptions,
  PrepareOptions,
  ReadOptions,
  SendOptions,
  Timeouts,
  WriteOptions,
  WriteSomeOptions,
} from "./options/options.ts";
export type { DeflateOptions } from "./handshake/permessage-deflate.ts";
export type { ProtocolOptions } from "./options/protocol-options.ts";
export { Protocol } from "./protocol/protocol.ts";
export type { FrameInit, ProtocolSendOptions } from "./protocol/protocol.ts";
export type { ProtocolState } from "./protocol/protocol-core.ts";
export type { ProtocolEvent } from "./protocol/protocol-event.ts";
export { prepare, PreparedMessage } from "./protocol/prepared.ts";
export type { RateOptions } from "./options/rate.ts";
export type { ReceivedPart } from "./connection/delivery.ts";
export type { MessageSource, Sendable } from "./operations/source.ts";
export type { Statistics } from "./options/statistics.ts";
export { Stream } from "./stream.ts";
export type { Handlers, StreamOptions } from "./stream.ts";
export { isUpgrade } from "./handshake/is-upgrade.ts";
export type { UpgradeHook, UpgradeInfo } from "./options/upgrade-hook.ts";
export type { UpgradeAccepted, UpgradeResult } from "./handshake/upgrade.ts";
