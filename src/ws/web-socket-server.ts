import { EventEmitter } from "node:events";
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { isInUse } from "./connection.ts";
import { connectionDefaults, type ConnectionOptions } from "./opening.ts";
import type { PerMessageDeflateOptions } from "./permessage-deflate.ts";
import { acceptance, askedBy, refuse, whyNoHandshake, type Asked, type Refusal } from "./server-opening.ts";
import type { ClientOptions } from "./types.ts";
import { WebSocket } from "./web-socket.ts";

/** What `verifyClient` gets. */
interface VerifyInfo {
  /** The header Origin. */
  readonly origin: string;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  readonly req: IncomingMessage;
}

/** Decides about a client at once, or by calling back. */
export type VerifyClient =
  | ((info: VerifyInfo) => boolean)
  | ((
      info: VerifyInfo,
      callback: (isAccepted: boolean, status?: number, message?: string, headers?: Record<string, string>) => void,
    ) => void);

/** A class of WebSockets. */
type WebSocketClass = typeof WebSocket;

/** Options of a {@link WebSocketServer}: one of `port`, `server` and `noServer`, and any others. */
export interface ServerOptions extends Omit<ConnectionOptions, "generateMask"> {
  /** The port to listen on, 0 for any, with a server of its own. */
  port?: number | null | undefined;
  /** The address to listen on. Default: all. */
  host?: string | null | undefined;
  /** How many connections may wait to be accepted. Default 511. */
  backlog?: number | null | undefined;
  /** The server whose `upgrade` events are handled. */
  server?: Server | HttpsServer | null | undefined;
  /** Whether the program calls `handleUpgrade` itself. */
  noServer?: boolean | undefined;
  /** The only path that is accepted. Default: any. */
  path?: string | null | undefined;
  /** Whether `clients` has all that are open. Default true. */
  clientTracking?: boolean | undefined;
  /** Chooses one of the client's subprotocols, or none by `false`. Default: the first. */
  handleProtocols?: ((protocols: Set<string>, request: IncomingMessage) => string | false) | null | undefined;
  /** Decides about each client. */
  verifyClient?: VerifyClient | null | undefined;
  /** Whether, and how, messages are compressed. Default false. */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** The class of the server's WebSockets. Default `WebSocket`. */
  WebSocket?: WebSocketClass | undefined;
}

const state = { running: 0, closing: 1, closed: 2 } as const;

const defaults = {
  ...connectionDefaults,
  perMessageDeflate: false,
  handleProtocols: null,
  clientTracking: true,
  verifyClient: null,
  noServer: false,
  backlog: null,
  server: null,
  host: null,
  path: null,
  port: null,
  WebSocket,
};

/** Called with a WebSocket and the request that opened it. */
type Upgraded = (ws: WebSocket, request: IncomingMessage) => void;

/**
 * A server of WebSockets, as the package `ws` has it: an EventEmitter with the events `connection`, `listening`, `close`, `error`,
 * `headers` and `wsClientError`.
 */
export class WebSocketServer extends EventEmitter {
  /** The options, with the defaults; changes of them hold for later clients. */
  options: ServerOptions;
  /** All clients, unless `clientTracking` is false. */
  clients!: Set<WebSocket>;
  /** @internal */
  _server: Server | HttpsServer | null = null;
  /** @internal */
  _state: 0 | 1 | 2 = state.running;
  #removeListeners: (() => void) | undefined;
  #closesWithClients = false;

  /**
   * Listens on a port, handles the upgrades of a server, or leaves them to the program; `callback` is called when it listens.
   *
   * Throws a TypeError unless one of the three is asked for.
   */
  constructor(options: ServerOptions, callback?: () => void) {
    super();
    const settings: ServerOptions = { ...defaults, ...options };
    const { port, server, noServer } = settings;
    if ([port != null, Boolean(server), Boolean(noServer)].filter(Boolean).length !== 1) {
      throw new TypeError('One and only one of the "port", "server", or "noServer" options must be specified');
    }
    if (port != null) {
      this._server = createServer(needsUpgrade);
      this._server.listen(port, settings.host ?? undefined, settings.backlog ?? undefined, callback);
    } else if (server) this._server = server;
    if (this._server !== null) this.#listenTo(this._server);
    if (settings.perMessageDeflate === true) settings.perMessageDeflate = {};
    if (settings.clientTracking) this.clients = new Set();
    this.options = settings;
  }

  #listenTo(server: Server | HttpsServer): void {
    const emitConnection: Upgraded = (ws, request) => this.emit("connection", ws, request);
    const listeners = {
      listening: () => this.emit("listening"),
      error: (error: Error) => this.emit("error", error),
      upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.handleUpgrade(request, socket, head, emitConnection),
    };
    for (const [event, listener] of Object.entries(listeners)) server.on(event, listener);
    this.#removeListeners = () => {
      for (const [event, listener] of Object.entries(listeners)) server.removeListener(event, listener);
    };
  }

  /** The address that it listens on; null when it does not. Throws in the mode `noServer`. */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this._server?.address() ?? null;
  }

  /**
   * Accepts no more clients; `callback` is called, and `close` emitted, when all are gone. A server of its own is closed, one that
   * it was given is not. Clients are left alone.
   */
  close(callback?: (error?: Error) => void): void {
    if (this._state === state.closed) {
      if (callback) this.once("close", () => callback(new Error("The server is not running")));
      process.nextTick(emitClose, this);
      return;
    }
    if (callback) this.once("close", callback);
    if (this._state === state.closing) return;
    this._state = state.closing;

    const server = this._server;
    this.#removeListeners?.();
    this.#removeListeners = undefined;
    this._server = null;
    if (server !== null && !this.options.server) server.close(() => emitClose(this));
    else if (this.clients?.size > 0) this.#closesWithClients = true;
    else process.nextTick(emitClose, this);
  }

  /** Whether a request is for this server: by default, whether its path is the option `path`. */
  shouldHandle(request: IncomingMessage): boolean {
    const { path } = this.options;
    return !path || request.url!.split("?", 1)[0] === path;
  }

  /**
   * Accepts or refuses an opening handshake: `callback` gets the WebSocket, in the same turn unless `verifyClient` takes
   * longer. A refusal is answered; or emits `wsClientError`, if that has a listener, which then has to answer it.
   *
   * Throws an Error for a socket that is in use.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: Upgraded): void {
    socket.on("error", destroy);
    const wrong = whyNoHandshake(request);
    if (wrong !== undefined) {
      this.#refuse(request, socket, wrong);
      return;
    }
    if (!this.shouldHandle(request)) {
      refuse(socket, { status: 400 });
      return;
    }
    const { perMessageDeflate, maxPayload, verifyClient } = this.options;
    const asked = askedBy(request, perMessageDeflate as PerMessageDeflateOptions | false, maxPayload);
    if ("status" in asked) {
      this.#refuse(request, socket, asked);
      return;
    }
    const complete = (): void => this.#complete(asked, request, socket, head, callback);
    if (verifyClient) this.#verify(verifyClient, asked, request, socket, complete);
    else complete();
  }

  #verify(verify: VerifyClient, asked: Asked, req: IncomingMessage, socket: Duplex, complete: () => void): void {
    const origin = req.headers[asked.version === 8 ? "sec-websocket-origin" : "origin"] as string;
    const { authorized, encrypted } = req.socket as { authorized?: boolean; encrypted?: boolean };
    const info: VerifyInfo = { origin, secure: Boolean(authorized || encrypted), req };
    if (verify.length === 2) {
      verify(info, (isAccepted, status, message, headers) => {
        if (isAccepted) complete();
        else refuse(socket, { status: status || 401, ...(message && { message }), ...(headers && { headers }) });
      });
    } else if ((verify as (info: VerifyInfo) => boolean)(info)) complete();
    else refuse(socket, { status: 401 });
  }

  #complete(asked: Asked, request: IncomingMessage, socket: Duplex, head: Buffer, callback: Upgraded): void {
    // The client has gone.
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return;
    }
    if (isInUse(socket)) {
      throw new Error(
        "server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration",
      );
    }
    if (this._state > state.running) {
      refuse(socket, { status: 503 });
      return;
    }
    const { handleProtocols } = this.options;
    const { key, protocols, deflate } = asked;
    const ws = new this.options.WebSocket!(null, undefined, this.options as ClientOptions);
    let protocol: string | false | undefined;
    if (protocols.size > 0) protocol = handleProtocols ? handleProtocols(protocols, request) : [...protocols][0];
    if (protocol) ws._protocol = protocol;
    if (deflate !== undefined) ws._extensions = { "permessage-deflate": deflate };

    const lines = acceptance(key, protocol, deflate);
    // Listeners may change them.
    this.emit("headers", lines, request);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    socket.removeListener("error", destroy);
    ws.setSocket(socket, head, this.options as ConnectionOptions);
    if (this.clients) this.#track(ws);
    callback(ws, request);
  }

  #track(ws: WebSocket): void {
    this.clients.add(ws);
    ws.on("close", () => {
      this.clients.delete(ws);
      if (this.#closesWithClients && this.clients.size === 0) process.nextTick(emitClose, this);
    });
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    if (this.listenerCount("wsClientError") > 0) {
      this.emit("wsClientError", new Error(refusal.message), socket, request);
    } else refuse(socket, refusal);
  }
}

function emitClose(server: WebSocketServer): void {
  server._state = state.closed;
  server.emit("close");
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** A server of its own has WebSockets and nothing else. */
const needsUpgrade: Parameters<typeof createServer>[1] = (_request, response) => {
  const body = STATUS_CODES[426]!;
  response.writeHead(426, { "Content-Length": body.length, "Content-Type": "text/plain" });
  response.end(body);
};
