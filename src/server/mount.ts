import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { fromDuplex, type Peer } from "../core/index.ts";
import { invalidArgument } from "../core/internal.ts";
import { Fields, Request, Response } from "../http/index.ts";
import { pathOf } from "../http/internal.ts";
import { isUpgrade } from "../websocket/index.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { Place } from "./admission.ts";
import { handBack, takeOnly, type AnsweringServer } from "./hand-back.ts";
import { Hub } from "./hub.ts";
import { HubServer } from "./hub-server.ts";
import { checkServerOptions, type MountOptions } from "./options.ts";
import { checkPath, notFound } from "./path.ts";
import { refuse, tooMany, tooManyFromAddress } from "./refuse.ts";
import type { MountedServer } from "./server.ts";

type UpgradeListener = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The part of a Node HTTP server that is used: of `node:http`, `node:https`, and what frameworks make of them. */
export interface UpgradingServer extends AnsweringServer {
  on(event: "upgrade", listener: UpgradeListener): unknown;
  off(event: "upgrade", listener: UpgradeListener): unknown;
  listenerCount(event: "upgrade"): number;
  /** The address it listens on; a string is the path of a Unix socket. */
  address?(): unknown;
}

/** The mounts of each server: one of them answers an upgrade. */
const mounts = new WeakMap<UpgradingServer, Set<Mount>>();

/** What mounts on the same server see of each other. */
interface Mount {
  readonly path: string | undefined;
  readonly isDraining: boolean;
}

/**
 * Accepts the WebSocket upgrades of an existing HTTP server: `mount(createServer(app), { path: "/chat", … })`. Other
 * requests go where they went before, also those that ask to upgrade to something else. Upgrades of other paths are
 * left to other listeners, and get 404 if there are none. A server can have several mounts, each with its own path, and
 * one without a path for all others. Draining or closing the result ends the WebSockets, and then accepts no more
 * upgrades; closing the HTTP server is left to its owner. Throws `core.invalid_argument` for invalid options, and for a
 * value that is no such server.
 */
export function mount<Data = unknown>(server: UpgradingServer, options: MountOptions<Data>): MountedServer<Data> {
  // An application of Express or Koa has `on` too, but emits no upgrades; the server that it listens with does.
  const isApplication = typeof (server as { listen?: unknown })?.listen === "function" && server.address === undefined;
  if (isApplication || typeof server?.on !== "function" || typeof server.listenerCount !== "function") {
    throw invalidArgument(
      "mount takes a Node.js HTTP server as its first argument: createServer(app), or what app.listen() returns",
    );
  }
  checkServerOptions("mount", options);
  return new Mounted<Data>(server, options);
}

class Mounted<Data> extends HubServer<Data> implements Mount {
  readonly hub: Hub<Data>;
  readonly path: string | undefined;
  readonly #server: UpgradingServer;
  readonly #mounts: Set<Mount>;
  readonly #takeAll: () => void;

  constructor(server: UpgradingServer, options: MountOptions<Data>) {
    super();
    const path = checkPath(options.path);
    this.hub = new Hub(options);
    this.path = path;
    this.#server = server;
    this.#mounts = mounts.get(server) ?? new Set();
    if ([...this.#mounts].some((other) => other.path === path && !other.isDraining)) {
      throw invalidArgument(`There is already a mount of ${path ?? "all paths"} on this server`);
    }
    mounts.set(server, this.#mounts.add(this));
    server.on("upgrade", this.#onUpgrade);
    this.#takeAll = takeOnly(server, this.#isTaken);
  }

  get isDraining(): boolean {
    return this.hub.isDraining;
  }

  /** Whether there are other listeners for upgrades, which may accept those that are left here. */
  get #hasOthers(): boolean {
    return this.#server.listenerCount("upgrade") > this.#mounts.size;
  }

  /** Whether this mount answers the requests that no mount accepts. */
  get #isFirst(): boolean {
    return this.#mounts.values().next().value === this;
  }

  /** The mount that accepts the upgrades of a path: the latest one of this path, or else of all paths. */
  #ownerOf(path: string): Mount | undefined {
    const all = [...this.#mounts];
    return all.findLast((mount) => mount.path === path) ?? all.findLast((mount) => mount.path === undefined);
  }

  readonly #isTaken = (incoming: IncomingMessage): boolean => {
    const version = incoming.httpVersionMajor * 10 + incoming.httpVersionMinor;
    return isUpgrade({ version, headers: Fields.fromRaw(incoming.rawHeaders) }) || this.#hasOthers;
  };

  readonly #onUpgrade: UpgradeListener = (incoming, socket, head) => {
    if (!this.#isTaken(incoming)) {
      // It asks for another protocol. The application answers it, once.
      if (!this.#isFirst || handBack(this.#server, incoming, socket, head)) return;
    }
    const owner = this.#ownerOf(pathOf(incoming.url ?? ""));
    const isOurs = owner === this;
    if (!isOurs && (owner !== undefined || this.#hasOthers || !this.#isFirst)) return;
    const hub = this.hub;
    // A silent WebSocket must not count as a slow request.
    (socket as Partial<Socket>).setTimeout?.(0);
    (socket as Partial<Socket>).setNoDelay?.(true);
    const stream = fromDuplex(socket);
    const peer = stream.peer ?? this.#unixPeer();
    hub.counters.accepted++;
    let request: Request;
    try {
      request = Request.from(incoming);
    } catch {
      hub.refused("malformed", peer);
      refuse(stream, new Response({ status: 400, body: "The request is malformed\n" }), hub.clock);
      return;
    }
    const client = hub.clientOf(request, peer);
    const place = isOurs ? this.#admit(request, client) : notFound();
    if (place instanceof Response) refuse(stream, place, hub.clock);
    else hub.upgrade(stream, request, head, client, place);
  };

  /** The place of an admitted request, or the refusal. */
  #admit(request: Request, client: Peer | undefined): Place | Response {
    const hub = this.hub;
    if (!hub.admission.hasRoom(hub.connections)) {
      hub.refused("maxConnections", client, request);
      return tooMany();
    }
    return hub.refusal(request, client) ?? hub.enter(client, request) ?? tooManyFromAddress();
  }

  /** The peer of a connection without an address, if the server listens on a Unix socket. */
  #unixPeer(): Peer | undefined {
    const unix = this.#server.address?.();
    return typeof unix === "string" ? { unix } : undefined;
  }

  async drain(options?: DrainOptions): Promise<DrainReport> {
    const report = await this.hub.drain(options);
    this.#server.off("upgrade", this.#onUpgrade);
    this.#mounts.delete(this);
    this.#takeAll();
    return report;
  }
}
