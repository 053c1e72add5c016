import type { IncomingMessage } from "node:http";
import { extension } from "./extension.ts";
import { PerMessageDeflate } from "./permessage-deflate.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { subprotocol } from "./subprotocol.ts";
import type * as types from "./types.ts";
import { WebSocketServer as ServerClass } from "./web-socket-server.ts";
import { createWebSocketStream } from "./web-socket-stream.ts";
import { WebSocket as SocketClass } from "./web-socket.ts";

/**
 * The class of servers: an EventEmitter with the events `connection`, `listening`, `close`, `error`, `headers` and
 * `wsClientError`.
 */
export const WebSocketServer: types.WebSocketServerConstructor =
  ServerClass as unknown as types.WebSocketServerConstructor;
/** A server of WebSockets. */
export type WebSocketServer<
  Socket extends types.WebSocketConstructor = types.WebSocketConstructor,
  Request extends typeof IncomingMessage = typeof IncomingMessage,
> = types.WebSocketServer<Socket, Request>;

/**
 * The class of WebSockets, of a client and of a server: an EventEmitter with the events `open`, `message`, `close`, `error`,
 * `ping`, `pong`, `upgrade`, `redirect` and `unexpected-response`, and an EventTarget with the first four. The other
 * exports are its properties.
 */
export const WebSocket: types.WebSocketConstructor = Object.assign(
  SocketClass as unknown as types.WebSocketConstructor,
  {
    createWebSocketStream,
    extension,
    PerMessageDeflate,
    Receiver,
    Sender,
    Server: WebSocketServer,
    subprotocol,
    WebSocket: SocketClass as unknown as types.WebSocketConstructor,
    WebSocketServer,
  },
);
/** A WebSocket. */
export type WebSocket = types.WebSocket;

// In @types/ws all types are the class's too.
/** The types of this module. */
export declare namespace WebSocket {
  type AddressInfo = types.AddressInfo;
  type CertMeta = types.CertMeta;
  type ClientOptions = types.ClientOptions;
  type CloseEvent = types.CloseEvent;
  type Data = types.Data;
  type ErrorEvent = types.ErrorEvent;
  type Event = types.Event;
  type EventListenerOptions = types.EventListenerOptions;
  type FinishRequestCallback = types.FinishRequestCallback;
  type MessageEvent = types.MessageEvent;
  type PerMessageDeflateOptions = types.PerMessageDeflateOptions;
  type RawData = types.RawData;
  type Server<
    Socket extends types.WebSocketConstructor = types.WebSocketConstructor,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  > = types.WebSocketServer<Socket, Request>;
  type ServerOptions<
    Socket extends types.WebSocketConstructor = types.WebSocketConstructor,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  > = types.ServerOptions<Socket, Request>;
  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> =
    types.VerifyClientCallbackAsync<Request>;
  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> =
    types.VerifyClientCallbackSync<Request>;
  type WebSocket = types.WebSocket;
  type WebSocketEventMap = types.WebSocketEventMap;
  type WebSocketServer<
    Socket extends types.WebSocketConstructor = types.WebSocketConstructor,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  > = types.WebSocketServer<Socket, Request>;
}

/** Alike {@link WebSocketServer}, for which it is the older name. */
export type Server<
  Socket extends types.WebSocketConstructor = types.WebSocketConstructor,
  Request extends typeof IncomingMessage = typeof IncomingMessage,
> = types.WebSocketServer<Socket, Request>;

export { createWebSocketStream, extension, PerMessageDeflate, Receiver, Sender, subprotocol };
export { WebSocket as default };

// What `require` gives, on Node.js 20.19 and later. The declarations leave it out, since TypeScript before 5.6 can't read
// it; commonjs.d.cts says what it is.
/** @internal */
export { WebSocket as "module.exports" };

export type { ConnectionOptions } from "./opening.ts";
export type { FrameOptions } from "./sender.ts";
export type { ReceiverOptions } from "./receiver.ts";
export type { DeflateParameters } from "./permessage-deflate.ts";
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
  PerMessageDeflateOptions,
  RawData,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  WebSocketConstructor,
  WebSocketEventMap,
  WebSocketServerConstructor,
} from "./types.ts";
