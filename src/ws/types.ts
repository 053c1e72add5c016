// The types of the package `ws`: what a program compiles with that was written against @types/ws. Listeners of an emitter, a
// message as JSON gives it, and errors are `any` there, and a program that relies on it would not compile with `unknown`.
/* oxlint-disable typescript/no-explicit-any */
import type { EventEmitter } from "node:events";
import type {
  Agent,
  ClientRequest,
  ClientRequestArgs,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server as HttpServer,
} from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { createConnection } from "node:net";
import type { Duplex, DuplexOptions } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import type { extension } from "./extension.ts";
import type { ConnectionOptions } from "./opening.ts";
import type { PerMessageDeflate, PerMessageDeflateOptions } from "./permessage-deflate.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { subprotocol } from "./subprotocol.ts";

export type { PerMessageDeflateOptions };

// ---- events ----

/** The methods of an emitter whose listeners have the emitter as `this`. */
interface Emitter<Self, Events extends Record<keyof Events, unknown[]>> extends EventEmitter {
  on<Name extends keyof Events>(event: Name, listener: (this: Self, ...args: Events[Name]) => void): this;
  on(event: string | symbol, listener: (this: Self, ...args: any[]) => void): this;
  once<Name extends keyof Events>(event: Name, listener: (this: Self, ...args: Events[Name]) => void): this;
  once(event: string | symbol, listener: (this: Self, ...args: any[]) => void): this;
  off<Name extends keyof Events>(event: Name, listener: (this: Self, ...args: Events[Name]) => void): this;
  off(event: string | symbol, listener: (this: Self, ...args: any[]) => void): this;
  addListener<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  removeListener<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this;
  removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** What the listeners of a WebSocket get. */
interface WebSocketEvents {
  open: [];
  message: [data: RawData, isBinary: boolean];
  close: [code: number, reason: Buffer];
  error: [error: Error];
  ping: [data: Buffer];
  pong: [data: Buffer];
  upgrade: [response: IncomingMessage];
  redirect: [url: string, request: ClientRequest];
  "unexpected-response": [request: ClientRequest, response: IncomingMessage];
}

/** What the listeners of a server get. */
interface ServerEvents<Socket, Request> {
  connection: [websocket: Socket, request: Request];
  error: [error: Error];
  headers: [headers: string[], request: Request];
  listening: [];
  close: [];
  wsClientError: [error: Error, socket: Duplex, request: Request];
}

/** The event of a DOM listener for `open`. */
export interface Event {
  type: string;
  target: WebSocket;
}

/** The event of a DOM listener for `error`. */
export interface ErrorEvent extends Event {
  error: any;
  message: string;
}

/** The event of a DOM listener for `close`. */
export interface CloseEvent extends Event {
  wasClean: boolean;
  code: number;
  reason: string;
}

/** The event of a DOM listener for `message`. */
export interface MessageEvent extends Event {
  data: Data;
}

/** The events of DOM listeners by their names. */
export interface WebSocketEventMap {
  open: Event;
  error: ErrorEvent;
  close: CloseEvent;
  message: MessageEvent;
}

/** Options of `addEventListener`. */
export interface EventListenerOptions {
  /** Whether the listener is called at most once. Default false. */
  once?: boolean | undefined;
}

// ---- messages ----

/** What a listener for `message` gets; which of them, says `binaryType`. */
export type RawData = Buffer | ArrayBuffer | Buffer[];

/** What a DOM listener for `message` gets: a string for text. */
export type Data = string | RawData;

/** What can be sent: whatever `Buffer.from` takes, a number, or a Blob. */
type Sendable =
  | string
  | number
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | readonly any[]
  | { valueOf(): ArrayBuffer | SharedArrayBuffer | Uint8Array | readonly number[] | string }
  | { [Symbol.toPrimitive](hint: string): string };

/** Options of `send`. */
interface SendOptions {
  /** Whether the frame is masked. Default: a client's frames are. */
  mask?: boolean | undefined;
  /** Whether the message is binary. Default: what is not a string is. */
  binary?: boolean | undefined;
  /** Whether the message may be compressed. Default true. */
  compress?: boolean | undefined;
  /** Whether it is the last frame of its message. Default true. */
  fin?: boolean | undefined;
}

/** Called when it was written, or with the error that kept it from that. */
type SendCallback = (error?: Error) => void;

// ---- the WebSocket ----

/** A certificate or key. */
export type CertMeta = string | string[] | Buffer | Buffer[];

/** Sets the last headers of a client's request, and then has to call `request.end()`. */
export type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

/** Options of a client. What it does not name goes to `http.request` and `tls.connect`. */
export interface ClientOptions extends SecureContextOptions, ConnectionOptions {
  /** The subprotocols to ask for, if no others are given. */
  protocols?: string | string[] | undefined;
  /** Without effect: the URL has it. */
  protocol?: string | undefined;
  /** Whether redirects are followed. Default false. */
  followRedirects?: boolean | undefined;
  /** How many redirects are followed. Default 10. */
  maxRedirects?: number | undefined;
  /** How long the opening handshake may take, in milliseconds. Default: without end. */
  handshakeTimeout?: number | undefined;
  /** Whether to offer compression, and with which options. Default true. */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** The address to connect from. */
  localAddress?: string | undefined;
  /** The version of the protocol: 8 or 13. Default 13. */
  protocolVersion?: number | undefined;
  /** More headers of the request. */
  headers?: { [key: string]: string } | undefined;
  /** The header Origin, in version 8 Sec-WebSocket-Origin. */
  origin?: string | undefined;
  /** User and password, joined by a colon, if the URL has none. */
  auth?: string | null | undefined;
  /** The agent that connects. Default: no agent. */
  agent?: Agent | undefined;
  /** Without effect: the URL has it. */
  host?: string | undefined;
  /** The port that the header Host leaves out. Default: 80, with TLS 443. */
  defaultPort?: number | string | undefined;
  /** The version of IP: 4 or 6. Default: either. */
  family?: number | undefined;
  /** Checks the server's certificate in another way. */
  checkServerIdentity?(servername: string, cert: CertMeta): boolean;
  /** Whether an invalid certificate is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** Connects in another way. */
  createConnection?: typeof createConnection | undefined;
  /** Sets the last headers of each request, and sends it. */
  finishRequest?: FinishRequestCallback | undefined;
}

/** A WebSocket: an EventEmitter, and an EventTarget with `open`, `message`, `close` and `error`. */
export interface WebSocket extends Emitter<WebSocket, WebSocketEvents> {
  /** The opening handshake is in progress. */
  readonly CONNECTING: 0;
  /** Messages can be sent. */
  readonly OPEN: 1;
  /** The closing handshake is in progress. */
  readonly CLOSING: 2;
  /** It is closed, or never came about. */
  readonly CLOSED: 3;

  /** How messages of bytes are given to listeners. */
  binaryType: "nodebuffer" | "arraybuffer" | "fragments";
  /** How many bytes were sent and not given to the kernel. */
  readonly bufferedAmount: number;
  /** The names of the agreed extensions. */
  readonly extensions: string;
  /** Whether it is paused. */
  readonly isPaused: boolean;
  /** The agreed subprotocol; empty if there is none. */
  readonly protocol: string;
  /** `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** The URL; undefined on the server. */
  readonly url: string;

  /** A listener for `open`. */
  onopen: ((event: Event) => void) | null;
  /** A listener for `error`. */
  onerror: ((event: ErrorEvent) => void) | null;
  /** A listener for `close`. */
  onclose: ((event: CloseEvent) => void) | null;
  /** A listener for `message`. */
  onmessage: ((event: MessageEvent) => void) | null;

  /** Begins the closing handshake. */
  close(code?: number, data?: string | Buffer): void;
  /** Sends a ping of at most 125 bytes. */
  ping(data?: any, mask?: boolean, callback?: (error: Error) => void): void;
  /** Sends a pong of at most 125 bytes. */
  pong(data?: any, mask?: boolean, callback?: (error: Error) => void): void;
  /** Sends a message. */
  send(data: Sendable, callback?: SendCallback): void;
  send(data: Sendable, options: SendOptions, callback?: SendCallback): void;
  /** Destroys the socket. */
  terminate(): void;
  /** Stops reading; messages that were read before still come. */
  pause(): void;
  /** Goes on reading. */
  resume(): void;

  /** Adds a listener of the DOM's kind. */
  addEventListener<Name extends keyof WebSocketEventMap>(
    type: Name,
    listener: ((event: WebSocketEventMap[Name]) => void) | { handleEvent(event: WebSocketEventMap[Name]): void },
    options?: EventListenerOptions,
  ): void;
  /** Removes a listener of the DOM's kind. */
  removeEventListener<Name extends keyof WebSocketEventMap>(
    type: Name,
    listener: ((event: WebSocketEventMap[Name]) => void) | { handleEvent(event: WebSocketEventMap[Name]): void },
  ): void;
}

/** The class {@link WebSocket}, with the others as its properties. */
export interface WebSocketConstructor extends Pick<
  typeof EventEmitter,
  Exclude<keyof typeof EventEmitter, "prototype">
> {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly prototype: WebSocket;
  readonly WebSocket: WebSocketConstructor;
  readonly WebSocketServer: WebSocketServerConstructor;
  readonly Server: WebSocketServerConstructor;
  readonly createWebSocketStream: (websocket: WebSocket, options?: DuplexOptions) => Duplex;
  readonly extension: typeof extension;
  readonly subprotocol: typeof subprotocol;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
  readonly Receiver: typeof Receiver;
  readonly Sender: typeof Sender;

  new (address: null): WebSocket;
  new (address: string | URL, options?: ClientOptions | ClientRequestArgs): WebSocket;
  new (address: string | URL, protocols?: string | string[], options?: ClientOptions | ClientRequestArgs): WebSocket;
}

// ---- the server ----

/** What `verifyClient` gets: the header Origin, whether the socket is encrypted, and the request. */
interface ClientInfo<Request> {
  origin: string;
  secure: boolean;
  req: Request;
}

/** Says whether a request is accepted. */
export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (
  info: ClientInfo<Request>,
) => boolean;

/** Calls back whether a request is accepted; if not, with the response's status, text and headers. */
export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
  info: ClientInfo<Request>,
  callback: (isAccepted: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
) => void;

/** Options of a server: exactly one of `port`, `server` and `noServer`. */
export interface ServerOptions<
  Socket extends WebSocketConstructor = WebSocketConstructor,
  Request extends typeof IncomingMessage = typeof IncomingMessage,
> extends ConnectionOptions {
  /** The address to listen on. */
  host?: string | undefined;
  /** The port to listen on, with an HTTP server of its own. */
  port?: number | undefined;
  /** How many connections may wait to be accepted. */
  backlog?: number | undefined;
  /** The HTTP server whose upgrades it takes. */
  server?: HttpServer<Request> | HttpsServer<Request> | undefined;
  /** Says whether a request is accepted. */
  verifyClient?:
    | VerifyClientCallbackAsync<InstanceType<Request>>
    | VerifyClientCallbackSync<InstanceType<Request>>
    | undefined;
  /** Chooses one of the subprotocols that the client asks for. Default: the first. */
  handleProtocols?: (protocols: Set<string>, request: InstanceType<Request>) => string | false;
  /** The one path that is accepted. Default: any. */
  path?: string | undefined;
  /** Whether it has no HTTP server: the caller calls `handleUpgrade`. */
  noServer?: boolean | undefined;
  /** Whether `clients` is kept. Default true. */
  clientTracking?: boolean | undefined;
  /** Whether compression is accepted, and with which options. Default false. */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** The class of the WebSockets. */
  WebSocket?: Socket | undefined;
}

/** Where a server listens. */
export interface AddressInfo {
  address: string;
  family: string;
  port: number;
}

/** A server of WebSockets. */
export interface WebSocketServer<
  Socket extends WebSocketConstructor = WebSocketConstructor,
  Request extends typeof IncomingMessage = typeof IncomingMessage,
> extends Emitter<WebSocketServer<Socket>, ServerEvents<InstanceType<Socket>, InstanceType<Request>>> {
  /** The options with their defaults. */
  options: ServerOptions<Socket, Request>;
  /** The option `path`. */
  path: string;
  /** The open WebSockets, with `clientTracking`. */
  clients: Set<InstanceType<Socket>>;
  /** Where it listens. */
  address(): AddressInfo | string | null;
  /** Stops accepting; the WebSockets stay open. */
  close(callback?: (error?: Error) => void): void;
  /** Answers an upgrade. */
  handleUpgrade(
    request: InstanceType<Request>,
    socket: Duplex,
    upgradeHead: Buffer,
    callback: (client: InstanceType<Socket>, request: InstanceType<Request>) => void,
  ): void;
  /** Whether a request is for it. */
  shouldHandle(request: InstanceType<Request>): boolean | Promise<boolean>;
}

/** The class {@link WebSocketServer}. */
export interface WebSocketServerConstructor {
  readonly prototype: WebSocketServer;
  new <
    Socket extends WebSocketConstructor = WebSocketConstructor,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  >(
    options?: ServerOptions<Socket, Request>,
    callback?: () => void,
  ): WebSocketServer<Socket, Request>;
}
