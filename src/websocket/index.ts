export { closeCode, isValidCloseCode } from "./close-code.ts";
export { websocketErrors } from "./errors.ts";
export type { WebsocketCode } from "./errors.ts";
export type { HandlersOf, Message } from "./handlers.ts";
export { Settings, suggestedTimeouts } from "./options.ts";
export type {
  AcceptOptions,
  AcceptSource,
  CloseOptions,
  ControlKind,
  OptionsOf,
  ReadOptions,
  Timeouts,
} from "./options.ts";
export { Stream } from "./stream.ts";
export type { Handlers, StreamOptions } from "./stream.ts";
export type { UpgradeAccepted, UpgradeHook, UpgradeResult } from "./upgrade.ts";
