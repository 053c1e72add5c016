// The shape of the package `ws`: named exports, and the class as the default, which also has them all as its properties. The
// export by the name "module.exports" is what `require` returns.
import { extension } from "./extension.ts";
import { PerMessageDeflate } from "./permessage-deflate.ts";
import { subprotocol } from "./subprotocol.ts";
import type {
  WebSocket as Instance,
  WebSocketConstructor,
  WebSocketServer as ServerInstance,
  WebSocketServerConstructor,
} from "./types.ts";
import { WebSocketServer as ServerClass } from "./web-socket-server.ts";
import { WebSocket as SocketClass } from "./web-socket.ts";

/** A WebSocket, of a client or a server. */
export type WebSocket = Instance;
/** The class of WebSockets, with the others as its properties. */
export const WebSocket: WebSocketConstructor = SocketClass as unknown as WebSocketConstructor;
/** A server of WebSockets. */
export type WebSocketServer = ServerInstance;
/** The class of servers of WebSockets. */
export const WebSocketServer: WebSocketServerConstructor = ServerClass as unknown as WebSocketServerConstructor;

Object.assign(SocketClass, {
  extension,
  PerMessageDeflate,
  Server: WebSocketServer,
  subprotocol,
  WebSocket,
  WebSocketServer,
});

export { extension, PerMessageDeflate, subprotocol };
export { WebSocket as default };
/** What `require` returns. Older compilers know no such names. @internal */
export { WebSocket as "module.exports" };
export type { ConnectionOptions, OpeningWebSocket, ReadyState } from "./opening.ts";
export type { PerMessageDeflateOptions } from "./permessage-deflate.ts";
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
  WebSocketConstructor,
  WebSocketEventMap,
  WebSocketServerConstructor,
} from "./types.ts";
