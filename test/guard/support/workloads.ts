import { Limit } from "../../../src/client/limit.ts";
import { ConnectSettings } from "../../../src/client/options.ts";
import type { Clock, Timer } from "../../../src/core/index.ts";
import { encodeLatin1 } from "../../../src/core/internal.ts";
import { Response as HttpResponse, serve } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";
import { serveConnection, type ConnectionOwner } from "../../../src/server/connection.ts";
import { Hub } from "../../../src/server/hub.ts";
import type { ServerOptions } from "../../../src/server/index.ts";
import { Stream } from "../../../src/websocket/index.ts";
import { acceptKey, newKey } from "../../../src/websocket/handshake/accept-key.ts";
import { Client, type TransportCalls } from "./client.ts";

/** Does one operation, and calls `next` when the client has what it asked for. */
export type Operation = (next: () => void) => void;

/** Something that a server does. */
export interface Workload {
  /** How many operations are enough to be counted. */
  readonly count: number;
  /** Starts a server and its clients, and returns one operation. Reads and writes of the server go into `calls`. */
  start(calls: TransportCalls): Promise<Operation>;
}

/**
 * A clock that stands still, so that no count depends on how long an operation takes; a timer of 0 ms gives others their
 * turn. Each server has its own: connections share timers by clock, and one server's are not to make another's table grow.
 */
function stillClock(): Clock {
  return {
    now: () => 0,
    setTimer(ms, expired) {
      if (ms === 0) setImmediate(expired);
      return noTimer;
    },
  };
}
const noTimer: Timer = { cancel() {} };

/** Counted as by default, but never exceeded: the clock stands still. */
const rate = { messages: 10_000, bytes: 64 * 1024 * 1024, burst: 1e12 };

/** A small message, as most are. */
const payloadSize = 64;
/** As many as fit into a block of the transport in memory. */
const inBatch = 28;

const frame = maskedFrame(payloadSize);
/** The server's frame has a header of two bytes, and no masking key. */
const replySize = 2 + payloadSize;

export const workloads: Readonly<Record<string, Workload>> = {
  "echo, one in flight": {
    count: 100,
    async start(calls) {
      const client = await opened(echoServer(), calls);
      return (next) => client.ask(frame, replySize, next);
    },
  },

  "echo, 28 in one read": {
    count: 20,
    async start(calls) {
      const client = await opened(echoServer(), calls);
      const batch = new Uint8Array(inBatch * frame.length);
      for (let i = 0; i < inBatch; i++) batch.set(frame, i * frame.length);
      return (next) => client.ask(batch, inBatch * replySize, next);
    },
  },

  accept: {
    count: 50,
    async start(calls) {
      const server = echoServer();
      const { received } = await opened(server, calls);
      return (next) => {
        const client = new Client(calls);
        serveConnection(client.transport, server);
        client.ask(upgradeRequest, received, next);
      };
    },
  },

  "connect, as the client": {
    count: 50,
    async start(calls) {
      // The same key each time, so that one response answers all.
      crypto.getRandomValues = (array) => array;
      const response = encodeLatin1(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(newKey())}\r\n\r\n`,
      );
      const clock = stillClock();
      return (next) => {
        const { stream } = new ConnectSettings({ clock, message() {} });
        const server = new Client(calls);
        server.await(1, () => server.ask(response, Infinity, () => {}));
        const limit = new Limit(30_000, clock, "", undefined);
        const upgrade = { host: "127.0.0.1:8080", target: "/chat", protocols: [], headers: undefined };
        new Stream(server.transport, stream).handshakeWithin(limit, upgrade).then(next, fail);
      };
    },
  },

  "publish to 100": {
    count: 5,
    async start(calls) {
      const server = serverOf({ message() {}, open: (ws) => void ws.subscribe("news") });
      const clients: Client[] = [];
      while (clients.length < 100) clients.push(await opened(server, calls));
      const message = new Uint8Array(payloadSize);
      return (next) => {
        let left = clients.length;
        const got = (): void => {
          if (--left === 0) next();
        };
        for (const client of clients) client.await(replySize, got);
        server.hub.publish("news", message, undefined);
      };
    },
  },

  "GET, http.serve": {
    count: 100,
    async start(calls) {
      const client = new Client(calls);
      serve(
        client.transport,
        () => new HttpResponse({ body: "hello\n" }),
        { clock: stillClock() },
        () => {},
      );
      const size = await answerSize(client, getRequest);
      return (next) => client.ask(getRequest, size, next);
    },
  },

  "GET, serve({ fetch })": {
    count: 50,
    async start(calls) {
      const client = new Client(calls);
      serveConnection(
        client.transport,
        serverOf({ message() {} }, () => new Response("hello\n")),
      );
      const size = await answerSize(client, getRequest);
      return (next) => client.ask(getRequest, size, next);
    },
  },
};

function fail(error: unknown): void {
  throw error;
}

/** Returns what opens a WebSocket that echoes one message and is idle from then on. */
export function openIdle(): () => Promise<unknown> {
  const server = echoServer();
  return async () => {
    const client = await opened(server, { reads: 0, writes: 0 });
    await answerSize(client, frame);
    return client;
  };
}

/** What connections need of their server: what `serve` makes, without its listener. */
function serverOf(options: ServerOptions, fetch?: ConnectionOwner<unknown>["fetch"]): ConnectionOwner<unknown> {
  const clock = stillClock();
  return {
    hub: new Hub<unknown>({ ...options, clock, rate }),
    http: new ServeSettings({ clock }),
    path: undefined,
    fetch,
    stopping: new AbortController().signal,
    ending: new AbortController().signal,
    connectionLeft() {},
  };
}

function echoServer(): ConnectionOwner<unknown> {
  return serverOf({ message: (ws, message) => void ws.send(message as Uint8Array) });
}

/** A client whose WebSocket is open. */
async function opened(server: ConnectionOwner<unknown>, calls: TransportCalls): Promise<Client> {
  const client = new Client(calls);
  serveConnection(client.transport, server);
  await answerSize(client, upgradeRequest);
  return client;
}

/** Sends bytes, and returns how many come back before nothing more does. */
async function answerSize(client: Client, bytes: Uint8Array): Promise<number> {
  const before = client.received;
  client.ask(bytes, Infinity, () => {});
  for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate);
  if (client.received === before) throw new Error("The server does not answer");
  return client.received - before;
}

/** A binary frame as a client sends it. */
function maskedFrame(size: number): Uint8Array {
  const bytes = new Uint8Array(6 + size);
  bytes.set([0x82, 0x80 | size, 1, 2, 3, 4]);
  return bytes;
}

/** What Chrome sends for `new WebSocket(…)`. */
const upgradeRequest = encodeLatin1(
  [
    "GET /chat HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Upgrade: websocket",
    "Origin: http://127.0.0.1:8080",
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "\r\n",
  ].join("\r\n"),
);

const getRequest = encodeLatin1(
  "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
);
