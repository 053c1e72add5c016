import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { invalidArgument } from "../core/errors.ts";
import { fromDuplex } from "../core/index.ts";
import { Request, Response } from "../http/index.ts";
import type { MessageData, PreparedMessage, PrepareOptions } from "../websocket/index.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import { handBack, takeOnly, wantsWebSocket, type AnsweringServer } from "./hand-back.ts";
import { Hub } from "./hub.ts";
import { checkServerOptions, type MountOptions } from "./options.ts";
import { refuse } from "./refuse.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { MountedServer } from "./server.ts";
import type { ServerStatistics } from "./statistics.ts";

type UpgradeListener = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What is used of an HTTP server of Node's: `node:http`, `node:https`, and what frameworks make of them. */
export interface UpgradingServer extends AnsweringServer {
  on(event: "upgrade", listener: UpgradeListener): unknown;
  off(event: "upgrade", listener: UpgradeListener): unknown;
  listenerCount(event: "upgrade"): number;
}

/**
 * Takes the WebSocket upgrades of an HTTP server that there is already: `mount(createServer(app), { path: "/chat", … })`.
 * Requests go where they went, also those that offer an upgrade to something else. Upgrades of other paths are left alone
 * if anyone else listens for them, and get 404 if nobody does. Draining or closing what it returns ends the WebSockets,
 * and then stops taking upgrades; the HTTP server is its owner's to close. Throws `core.invalid_argument` for options
 * that can't be meant, and for what is no such server.
 */
export function mount<Data = unknown>(server: UpgradingServer, options: MountOptions<Data>): MountedServer<Data> {
  checkServerOptions("mount", options);
  if (typeof server?.on !== "function" || typeof server.listenerCount !== "function") {
    throw invalidArgument(
      "mount takes an HTTP server of Node's as its first argument: createServer(app), or what app.listen() returns",
    );
  }
  return new Mounted<Data>(server, options);
}

class Mounted<Data> implements MountedServer<Data> {
  readonly #server: UpgradingServer;
  readonly #path: string | undefined;
  readonly #hub: Hub<Data>;
  readonly #takeAll: () => void;

  constructor(server: UpgradingServer, options: MountOptions<Data>) {
    const { path } = options;
    if (path !== undefined && (typeof path !== "string" || !path.startsWith("/"))) {
      throw invalidArgument(`path must begin with a slash, such as "/chat", not ${String(path)}`);
    }
    this.#hub = new Hub(options);
    this.#server = server;
    this.#path = path;
    server.on("upgrade", this.#onUpgrade);
    this.#takeAll = takeOnly(server, this.#isTaken);
  }

  /** Whether someone else listens for upgrades too, and may take those that we leave. */
  get #hasOthers(): boolean {
    return this.#server.listenerCount("upgrade") > 1;
  }

  readonly #isTaken = (incoming: IncomingMessage): boolean => wantsWebSocket(incoming) || this.#hasOthers;

  readonly #onUpgrade: UpgradeListener = (incoming, socket, head) => {
    if (!this.#isTaken(incoming) && handBack(this.#server, incoming, socket, head)) return;
    const path = incoming.url?.split("?", 1)[0];
    const isOurs = this.#path === undefined || path === this.#path;
    if (!isOurs && this.#hasOthers) return;
    const hub = this.#hub;
    const stream = fromDuplex(socket);
    hub.counters.accepted++;
    let request: Request;
    try {
      request = Request.from(incoming);
    } catch {
      hub.refused("malformed", stream.peer);
      refuse(stream, new Response({ status: 400, body: "The request is malformed\n" }), hub.clock);
      return;
    }
    const client = hub.clientOf(request, stream.peer);
    const refusal = isOurs ? this.#refusal(request, client) : notFound();
    if (refusal === undefined) hub.upgrade(stream, request, head, client);
    else refuse(stream, refusal, hub.clock);
  };

  #refusal(request: Request, client: ReturnType<Hub<Data>["clientOf"]>): Response | undefined {
    const hub = this.#hub;
    if (!hub.admission.hasRoom(hub.connections)) {
      hub.refused("maxConnections", client, request);
      return new Response({ status: 503, fields: { "Retry-After": "10" }, body: "There are too many connections\n" });
    }
    return hub.refusal(request, client, false);
  }

  get sockets(): ReadonlySet<ServerWebSocket<Data>> {
    return this.#hub.sockets;
  }

  get connections(): number {
    return this.#hub.connections;
  }

  publish(topic: string, data: MessageData | PreparedMessage, options?: PrepareOptions): number {
    return this.#hub.publish(topic, data, options);
  }

  subscribers(topic: string): number {
    return this.#hub.subscribers(topic);
  }

  stats(): ServerStatistics {
    return this.#hub.statistics();
  }

  async drain(options?: DrainOptions): Promise<DrainReport> {
    const report = await this.#hub.drain(options);
    this.#server.off("upgrade", this.#onUpgrade);
    this.#takeAll();
    return report;
  }

  async close(): Promise<void> {
    await this.drain({ timeout: this.#hub.settings.timeouts.server.handshake });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function notFound(): Response {
  return new Response({ status: 404, body: "There is no WebSocket here\n" });
}
