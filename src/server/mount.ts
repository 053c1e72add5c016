import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { fromDuplex, type ByteStream, type Peer, type ServalError } from "../core/index.ts";
import { invalidArgument, peerOf } from "../core/internal.ts";
import { Fields, Request, Response } from "../http/index.ts";
import { pathOf } from "../http/internal.ts";
import { isUpgrade } from "../websocket/index.ts";
import { isPath, refuseUpgrade } from "../websocket/internal.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { Place } from "./admission.ts";
import { handBack, takeOnly, type AnsweringServer } from "./hand-back.ts";
import { Hub } from "./hub.ts";
import { HubServer } from "./hub-server.ts";
import { checkServerOptions, type MountOptions } from "./options.ts";
import { checkPath, notFound } from "./path.ts";
import { PipelinedUpgrades, type Pipelined } from "./pipelined.ts";
import { tooMany, tooManyFromAddress } from "./refuse.ts";
import type { MountedServer } from "./server.ts";
import { SocketSnapshot } from "./socket-snapshot.ts";
import { recordResponses, unansweredOf } from "./unanswered.ts";

type UpgradeListener = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The part of a Node HTTP server that is used: of `node:http`, `node:https`, and what frameworks make of them. */
export interface UpgradingServer extends AnsweringServer {
  on(event: "upgrade", listener: UpgradeListener): unknown;
  /** Adds a listener before all others. */
  prependListener?(event: "upgrade", listener: UpgradeListener): unknown;
  off(event: "upgrade", listener: UpgradeListener): unknown;
  listenerCount(event: "upgrade"): number;
  /** Not used, but an application of Express, which emits no upgrades, has all the rest: the compiler refuses it. */
  readonly listening: boolean;
  /** The address it listens on; a string is the path of a Unix socket. */
  address?(): unknown;
}

/** An upgrade to be answered. */
interface Upgrade {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Whether its path is the mount's; if not, it is refused. */
  readonly isOurs: boolean;
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
 * one without a path for all others. An upgrade that another listener has answered by the next turn of the event loop
 * is left to it, and if it was of the mount's own path, counted in `stats().refused.taken`. One that was sent right after other requests waits for their responses, for `timeouts.handshake`.
 * Draining or closing the result ends the WebSockets, and then accepts no more upgrades; closing the HTTP server is
 * left to its owner. Throws `core.invalid_argument` for invalid options, and for a value that is no such server.
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
  readonly #pipelined = new PipelinedUpgrades();
  readonly #takeAll: () => void;
  readonly #endRecord: () => void;

  constructor(server: UpgradingServer, options: MountOptions<Data>) {
    super();
    const path = checkPath(options.path);
    this.hub = new Hub(options, this.#pipelined);
    this.path = path;
    this.#server = server;
    this.#mounts = mounts.get(server) ?? new Set();
    if ([...this.#mounts].some((other) => other.path === path && !other.isDraining)) {
      throw invalidArgument(`There is already a mount of ${path ?? "all paths"} on this server`);
    }
    mounts.set(server, this.#mounts.add(this));
    // First, to see each socket as it was before other listeners.
    if (server.prependListener === undefined) server.on("upgrade", this.#onUpgrade);
    else server.prependListener("upgrade", this.#onUpgrade);
    this.#endRecord = recordResponses();
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
    if (this.#isTaken(incoming)) {
      this.#take(incoming, socket, head);
      return;
    }
    // It asks for another protocol. The application answers it, once.
    if (!this.#isFirst) return;
    const pass = (): void => {
      if (!handBack(this.#server, incoming, socket, head)) this.#take(incoming, socket, head);
    };
    const responses = unansweredOf(socket);
    if (responses.length === 0) pass();
    // Not read meanwhile, since the server reads the rest.
    else this.#wait({ socket, responses }, (error) => void (error === undefined ? pass() : socket.destroy()));
  };

  #take(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const owner = this.#ownerOf(pathOf(incoming.url ?? ""));
    const isOurs = owner === this;
    if (!isOurs && (owner !== undefined || this.#hasOthers || !this.#isFirst)) return;
    const upgrade: Upgrade = { incoming, socket, head, isOurs };
    if (!this.#hasOthers) {
      this.#inOrder(upgrade);
      return;
    }
    // Other listeners come first, wherever they stand in the list: two answers would break the connection.
    const before = new SocketSnapshot(socket);
    const peer = peerOf(socket) ?? this.#unixPeer();
    socket.on("error", ignore);
    setImmediate(() => {
      if (!before.isTaken(unansweredOf(socket).length > 0)) this.#inOrder(upgrade);
      // Nobody else should answer this path. Of all paths, others have theirs.
      else if (isOurs && this.path !== undefined) this.#taken(incoming, peer);
    });
  }

  #taken(incoming: IncomingMessage, peer: Peer | undefined): void {
    const { request, client } = this.#requestOf(incoming, peer);
    this.hub.refused("taken", client, request);
  }

  /** Answers an upgrade when the requests before it on its connection have been answered. */
  #inOrder(upgrade: Upgrade): void {
    const { socket } = upgrade;
    const stream = fromDuplex(socket);
    const responses = unansweredOf(socket);
    this.hub.counters.accepted++;
    if (responses.length === 0) this.#answer(stream, upgrade);
    else {
      this.#wait({ socket, responses, stream }, (error) => {
        if (error === undefined) this.#answer(stream, upgrade);
        else if (socket.writableEnded) stream.close();
        // A response that is cut off must not look complete.
        else stream.reset();
      });
    }
  }

  #wait(pipelined: Pipelined, done: (error: ServalError | undefined) => void): void {
    const { clock, settings, counters } = this.hub;
    const timeout = settings.timeouts.server.handshake;
    pipelined.socket.on("error", ignore);
    this.#pipelined.wait({ ...pipelined, clock, timeout }, (error) => {
      if (error?.condition === "transport") counters.abandoned++;
      else if (error?.condition === "timeout") counters.failed(error, false);
      done(error);
      // Only a drain hears this, which refuses what has waited.
      this.hub.plainLeft(error !== undefined);
    });
  }

  #answer(stream: ByteStream, { incoming, socket, head, isOurs }: Upgrade): void {
    const hub = this.hub;
    // A silent WebSocket must not count as a slow request.
    (socket as Partial<Socket>).setTimeout?.(0);
    (socket as Partial<Socket>).setNoDelay?.(true);
    const { request, client } = this.#requestOf(incoming, stream.peer ?? this.#unixPeer());
    if (request === undefined) {
      hub.refused("malformed", client);
      hub.refusals.refuse(stream, new Response({ status: 400, body: "The request is malformed\n" }));
      return;
    }
    const place = isOurs ? this.#admit(request, client) : this.#notHere(request, client);
    if (place instanceof Response) hub.refusals.refuse(stream, place);
    else hub.upgrade(stream, request, head, client, place);
  }

  /** The request, undefined if it is malformed, and the client that it comes from. */
  #requestOf(incoming: IncomingMessage, peer: Peer | undefined): { request?: Request; client: Peer | undefined } {
    try {
      const request = Request.from(incoming);
      return { request, client: this.hub.clientOf(request, peer) };
    } catch {
      return { client: peer };
    }
  }

  /** The refusal of an upgrade of no mount. */
  #notHere(request: Request, client: Peer | undefined): Response {
    if (isPath(request)) return notFound();
    this.hub.refused("malformed", client, request);
    return refuseUpgrade(request);
  }

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
    this.#endRecord();
    return report;
  }
}

/** Without a listener an error of a socket would end the process. */
function ignore(): void {}
