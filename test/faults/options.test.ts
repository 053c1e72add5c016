// Every option of every entry point, with values of every wrong kind: each is refused as such, and none is ignored.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createSecureContext } from "node:tls";
import { describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { FlatBuffer, PrefixedStream, ServalError, type ByteStream } from "../../src/core/index.ts";
import * as http from "../../src/http/index.ts";
import * as net from "../../src/net/index.ts";
import { mount, serve } from "../../src/server/index.ts";
import { localhost } from "../support/localhost.ts";
import { everyFailure, everySplit, pair } from "../../src/testing/index.ts";
import { prepare, Protocol, Stream } from "../../src/websocket/index.ts";

/** One value of each kind. */
const values = {
  null: null,
  number: 5,
  NaN: Number.NaN,
  negative: -1,
  string: "x",
  boolean: true,
  symbol: Symbol("x"),
  bigint: 1n,
  object: {},
  list: [],
  function: (): boolean => false,
  date: new Date(0),
};

type Kind = keyof typeof values;

/** What each kind of option takes, of these values. */
const takes = {
  count: ["number"],
  position: ["number", "negative"],
  flag: ["boolean"],
  text: ["string"],
  hook: ["function"],
  record: ["object"],
  instance: ["object", "date"],
  headers: ["object", "list"],
  names: ["string", "list"],
  list: ["list"],
  body: ["string", "list"],
  any: Object.keys(values) as Kind[],
  /** An instance, or one of a few words: none of these values. */
  none: [],
  /** Options of `node:tls`, for which null is none. */
  pem: ["null", "list"],
  tlsText: ["null", "string"],
  tlsFlag: ["null", "boolean"],
  tlsHook: ["null", "function"],
} as const satisfies Record<string, readonly Kind[]>;

type Takes = keyof typeof takes;
type Options = Readonly<Record<string, unknown>>;

const stream = (): ByteStream => pair()[0];
/** One whose other end is closed. */
const ended = (): ByteStream => {
  const [side, other] = pair();
  other.close();
  return side;
};
const opened = (): Stream => {
  const ws = new Stream(stream(), { message() {} });
  ws.attach({ role: "server" });
  return ws;
};
const aborted = (options: Options): Options => ({ signal: AbortSignal.abort(), ...options });
const withHost = (): http.Request => new http.Request({ headers: { Host: "a" } });
const forever = (options: Options): Promise<unknown> => {
  const connections = connect.forever("ws://127.0.0.1:1", { retry: () => false, ...options });
  return connections[Symbol.asyncIterator]().next();
};
const server = async (options: Options): Promise<void> => {
  const started = await serve({ port: 0, ...options } as never);
  await started.drain({ timeout: 0 });
};

const ofStream: Readonly<Record<string, Takes>> = {
  ...fill("hook", "open message drain control close error decorate"),
  ...fill(
    "count",
    "maxHeaderSize maxHeadersCount maxMessageSize maxFragments maxBufferedAmount highWaterMark concurrency",
  ),
  ...fill("record", "rate timeouts"),
  ...fill("none", "overflow text clock"),
  ...fill("flag", "autoFragment"),
  writeBufferSize: "count",
};
const deflate = fill("count", "level threshold memLevel");
const sending: Readonly<Record<string, Takes>> = { kind: "none", compress: "flag" };
const parser = fill("count", "maxHeaderSize maxHeadersCount maxBodySize maxChunkExtensionSize");
const clientTls: Readonly<Record<string, Takes>> = {
  ...fill("pem", "ca cert key"),
  ...fill("tlsText", "passphrase servername"),
  rejectUnauthorized: "tlsFlag",
};

function fill(kind: Takes, names: string): Readonly<Record<string, Takes>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kind]));
}

/** Each entry point: the kinds of its options, and a call with one of them. */
const entries: readonly [name: string, options: Readonly<Record<string, Takes>>, call: (o: Options) => unknown][] = [
  ["new Stream", { ...ofStream, upgrade: "hook", peer: "instance" }, (o) => new Stream(stream(), o)],
  ["deflate", deflate, (o) => new Stream(stream(), { deflate: o })],
  ["rate", { ...fill("count", "messages bytes burst"), exceeded: "none" }, (o) => new Stream(stream(), { rate: o })],
  [
    "timeouts",
    { ...fill("count", "handshake idle"), keepAlivePings: "flag" },
    (o) => new Stream(stream(), { timeouts: o }),
  ],
  ["accept", fill("none", "signal"), (o) => new Stream(stream()).accept(aborted(o))],
  [
    "handshake",
    { protocols: "any", headers: "headers", signal: "none" },
    (o) => new Stream(stream()).handshake("a", "/", aborted("protocols" in o ? {} : o)),
  ],
  [
    "attach",
    { ...fill("none", "role request response extensions"), subprotocol: "text", buffered: "list" },
    (o) => new Stream(stream()).attach({ role: "server", ...o }),
  ],
  ["write", { ...sending, signal: "none", abortCode: "none" }, (o) => opened().write("a", o)],
  ["writeSome", { ...sending, signal: "none" }, (o) => opened().writeSome("a", true, o)],
  ["send", sending, (o) => opened().send("a", o)],
  ["prepare", sending, (o) => prepare("a", o)],
  ["ping", { signal: "none" }, (o) => opened().ping("a", o)],
  ["close", { code: "none", reason: "text" }, (o) => opened().close(aborted(o))],
  [
    "new Protocol",
    {
      ...fill("count", "maxMessageSize maxFragments highWaterMark"),
      ...fill("flag", "autoPong parts skipUtf8Validation"),
      ...fill("none", "role extensions text"),
      generateMask: "hook",
      deflate: "record",
    },
    (o) => new Protocol({ role: "server", ...o }),
  ],
  ["Protocol.send", { ...sending, fin: "flag" }, (o) => new Protocol({ role: "server" }).send("a", o)],
  ["Protocol.close", { code: "none", reason: "text" }, (o) => new Protocol({ role: "server" }).close(o)],
  [
    "serve",
    {
      ...ofStream,
      ...fill("hook", "upgrade connection fetch fetchError subscribe unsubscribe"),
      ...fill("count", "maxConnections maxConnectionsPerAddress maxBodySize backlog"),
      ...fill("none", "path proxies tls plain"),
    },
    server,
  ],
  [
    "timeouts of serve",
    { ...fill("count", "handshake idle header body write keepAlive"), keepAlivePings: "flag" },
    (o) => server({ timeouts: o }),
  ],
  [
    "port of serve",
    { port: "count", host: "text", unix: "text" },
    (o) => (isPlace(o) ? undefined : server(replaced(o))),
  ],
  [
    "mount",
    { ...ofStream, ...fill("hook", "subscribe unsubscribe"), maxConnections: "count", path: "none", proxies: "none" },
    (o) => mount(createServer(), o as never),
  ],
  [
    "connect",
    {
      ...ofStream,
      ...fill("record", "tls proxyTls"),
      ...fill("none", "family signal"),
      protocols: "names",
      headers: "headers",
      host: "text",
      redirects: "count",
    },
    (o) => connect("ws://127.0.0.1:1", o),
  ],
  ["tls of connect", clientTls, (o) => connect("ws://127.0.0.1:1", { tls: o })],
  ["redirects", { most: "count", crossOrigin: "none" }, (o) => connect("ws://127.0.0.1:1", { redirects: o as never })],
  ["backoff", { ...fill("count", "initial factor max"), jitter: "none" }, (o) => forever({ backoff: o })],
  ["connect.forever", { retry: "hook", headers: "headers", backoff: "record" }, forever],
  [
    "http.Request",
    { method: "text", target: "text", version: "any", headers: "headers", body: "body" },
    (o) => new http.Request(o as never),
  ],
  [
    "http.Response",
    { status: "none", reason: "text", headers: "headers", body: "body" },
    (o) => new http.Response(o as never),
  ],
  [
    "http.RequestParser",
    { ...parser, eager: "flag", skipBody: "flag", chunk: "hook" },
    (o) => new http.RequestParser(o),
  ],
  ["http.ResponseParser", { ...parser, method: "text" }, (o) => new http.ResponseParser(o)],
  ["http.FinalResponseParser", parser, (o) => new http.FinalResponseParser(o)],
  [
    "http.Serializer",
    { limit: "count", split: "flag", keepAlive: "flag" },
    (o) => new http.Serializer(new http.Response(), o),
  ],
  ["http.serialize", { keepAlive: "flag" }, (o) => http.serialize(new http.Response(), o)],
  ["http.write", { signal: "none", keepAlive: "flag" }, (o) => http.write(stream(), new http.Response(), o)],
  ["http.read", { signal: "none" }, (o) => http.read(stream(), new FlatBuffer(), new http.RequestParser(), aborted(o))],
  [
    "http.request",
    {
      ...parser,
      signal: "none",
      clock: "none",
      buffer: "none",
      interim: "hook",
      timeouts: "record",
    },
    (o) => http.request(stream(), withHost(), aborted(o)),
  ],
  [
    "http.serve",
    { ...parser, error: "hook", timeouts: "record", signal: "none", clock: "none", date: "flag" },
    (o) => http.serve(stream(), () => new http.Response(), aborted(o)),
  ],
  ["bytes", { maxBodySize: "count", signal: "none" }, (o) => new http.Response({ body: "a" }).bytes(o)],
  ["fileBody", { start: "count", end: "position" }, (o) => http.fileBody(import.meta.filename, o)],
  [
    "net.listen",
    { port: "count", host: "text", unix: "text", backlog: "count", error: "hook", signal: "none" },
    async (o) => {
      if (isPlace(o)) return;
      (await net.listen(replaced({ port: 0, ...o }) as never, () => {})).close();
    },
  ],
  ["net.connect", { signal: "none" }, (o) => net.connect({ port: 1 }, aborted(o))],
  ["acceptProxy", { required: "flag", maxSize: "count", signal: "none" }, (o) => net.acceptProxy(stream(), aborted(o))],
  ["detectTls", { signal: "none" }, (o) => net.detectTls(stream(), new FlatBuffer(), aborted(o))],
  ["startTls", { ...clientTls, checkServerIdentity: "hook" }, (o) => net.startTls(ended(), "a", o)],
  [
    "acceptTls",
    { ...fill("tlsHook", "ALPNCallback SNICallback"), ALPNProtocols: "pem" },
    (o) => net.acceptTls(ended(), { secureContext: createSecureContext(localhost), ...o }),
  ],
  ["simpleRatePolicy", fill("count", "read write burst"), (o) => net.simpleRatePolicy({ read: 5, ...o })],
  ["TimeoutStream", { clock: "none" }, (o) => new net.TimeoutStream(stream(), o)],
  ["FlatBuffer", { maxSize: "count" }, (o) => new FlatBuffer(o)],
  ["PrefixedStream", { peer: "instance" }, (o) => new PrefixedStream(stream(), new Uint8Array(1), o)],
  ["pair", { ...fill("count", "capacity maxRead maxWrite failAfter"), record: "flag" }, (o) => pair(o)],
  ["everySplit", { maxSplits: "count", seed: "count" }, (o) => everySplit(new Uint8Array(2), () => {}, o)],
  ["everyFailure", { failures: "none", only: "none", maxRuns: "none" }, (o) => everyFailure(async () => {}, o)],
];

/** Whether it is a valid place, where nothing shall listen. */
const isPlace = (o: Options): boolean => o.port === 5 || o.host === "x" || o.unix === "x";

/** With a Unix socket there is no port. */
function replaced(options: Options): Options {
  return "unix" in options ? { ...options, port: undefined } : options;
}

/** What a call comes to: undefined if it accepts its arguments, whatever fails later. */
async function refusalOf(call: () => unknown): Promise<ServalError | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ServalError, `not a ServalError: ${String(error)}`);
    // What an accepted call may end with here: nothing listens, no file has so many bytes, nothing is done.
    return error.condition === "misuse" || error.code.startsWith("http.bad_") ? error : undefined;
  }
}

describe("a value of the wrong kind", () => {
  for (const [entry, options, call] of entries) {
    it(`is refused, and one of the right kind accepted: ${entry}`, async () => {
      for (const [option, kind] of Object.entries(options)) {
        const right: readonly Kind[] = takes[kind];
        for (const [name, value] of Object.entries(values)) {
          if (kind === "any") continue;
          const error = await refusalOf(() => call({ [option]: value }));
          const what = `${option}: ${name}`;
          if (!right.includes(name as Kind)) assert.ok(error !== undefined, `${what} is accepted`);
          else assert.notEqual(error?.code, "core.invalid_argument", `${what}: ${error?.message}`);
        }
      }
    });
  }

  it("is refused in place of the options, and so is a misspelt name", async () => {
    for (const [entry, options, call] of entries) {
      if (entry === "http.Request") continue;
      const misspelt = `${Object.keys(options)[0]}z`;
      const error = await refusalOf(() => call({ [misspelt]: 1 }));
      assert.equal(error?.code, "core.invalid_argument", `${entry}: ${misspelt}`);
    }
  });
});
