export type { ConnectionOptions, NegotiatedDeflate, OpeningWebSocket, ReadyState } from "./opening.ts";
export { extension } from "./extension.ts";
export { PerMessageDeflate } from "./permessage-deflate.ts";
export type { PerMessageDeflateOptions } from "./permessage-deflate.ts";
export { subprotocol } from "./subprotocol.ts";
export type {
  AddressInfo,
  CertMeta,
  ClientOptions,
  CloseEvent,
  Data,
  ErrorEvent,
  Event,
  EventListenerOptions,
  FinishRequestCallback,
  MessageEvent,
  RawData,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  WebSocket,
  WebSocketConstructor,
  WebSocketEventMap,
  WebSocketServer,
  WebSocketServerConstructor,
} from "./types.ts";
