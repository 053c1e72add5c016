// What `require("serval/ws")` returns, for TypeScript: the class, with all types in its namespace.
import type { IncomingMessage } from "node:http" with { "resolution-mode": "require" };
import type * as types from "./index.js" with { "resolution-mode": "import" };

declare const WebSocket: types.WebSocketConstructor;
type WebSocket = types.WebSocket;

declare namespace WebSocket {
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

export = WebSocket;
