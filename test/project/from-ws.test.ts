import assert from "node:assert/strict";
import { once, type EventEmitter } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { connect, type AddressInfo } from "node:net";
import * as path from "node:path";
import { Duplex, type Writable } from "node:stream";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { WebSocket as Socket, WebSocketServer as Server } from "ws";
import { close, frame, text } from "../websocket/support/frames.ts";

// The table of docs/from-ws.md is compared with both modules.

type Module = typeof Socket & Record<string, unknown>;
type Verdict = "yes" | "different" | "no";
type Facts = Record<string, unknown>;

const load = createRequire(import.meta.url);
const theirs = load("ws") as Module;
const ours = load("../../src/ws/index.js") as Module satisfies Module;
const root = fileURLToPath(new URL("../../../", import.meta.url));
const lib = path.join(path.dirname(load.resolve("ws")), "lib");
const source = readdirSync(lib)
  .map((file) => readFileSync(path.join(lib, file), "utf8"))
  .join("\n");
const matches = (pattern: RegExp): string[] => [...new Set([...source.matchAll(pattern)].map(([, name]) => name!))];

/** The rows below a heading: what the page says of each name. */
function rowsOf(heading: string): Map<string, Verdict> {
  const page = readFileSync(path.join(root, "docs/from-ws.md"), "utf8");
  const section = page.split(`\n### ${heading}\n`)[1]!.split(/\n##/)[0]!;
  const rows = new Map<string, Verdict>();
  for (const [, names, verdict, reason] of section.matchAll(/^\| (`.*?) \| (yes|different|no) \|(.*)\|$/gm)) {
    if (verdict !== "yes") assert.notEqual(reason!.trim(), "", `a reason for ${names}`);
    for (const [, name] of names!.matchAll(/`(.*?)`/g)) {
      assert.ok(!rows.has(name!), `${name} is there once`);
      rows.set(name!, verdict as Verdict);
    }
  }
  return rows;
}

/** What can be seen of the public members of an object, without calling them. */
function factsOf(object: object, prefix = ""): Facts {
  const isPublic = (name: string): boolean =>
    !/^(_|constructor$|length$|name$|prototype$|domain$)/.test(name) && !name.startsWith("Symbol");
  const described = ({ value, get, set, enumerable }: PropertyDescriptor): unknown => {
    if (get !== undefined || set !== undefined) return ["accessor", get !== undefined, set !== undefined, enumerable];
    if (typeof value === "function") return ["function", (value as () => void).length, enumerable];
    return [typeof value, typeof value === "object" ? undefined : (value as unknown), enumerable];
  };
  const all = Object.entries(Object.getOwnPropertyDescriptors(object)).filter(([name]) => isPublic(name));
  return Object.fromEntries(all.map(([name, descriptor]) => [prefix + name, described(descriptor)]));
}

/** What a comparison of the two says. */
function verdictOf(name: string, mine: Facts, other: Facts): Verdict {
  if (!(name in mine)) return "no";
  return JSON.stringify(mine[name]) === JSON.stringify(other[name]) ? "yes" : "different";
}

/** Each has its row, which is true, and there are no others. */
function assertTable(heading: string, factsFor: (module: Module) => Facts): void {
  const other = factsFor(theirs);
  const mine = factsFor(ours);
  const verdicts = Object.keys(other).map((name) => [name, verdictOf(name, mine, other)] as const);
  assert.deepEqual(
    [...rowsOf(heading)].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    verdicts.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

// `conclude` is the receiver's own.
const eventNames = matches(
  /(?:websocket\w*|this|ws|server|\[kWebSocket\])\.emit(?:\.bind\(\w+, |\()'([\w-]+)'/g,
).filter((name) => name !== "conclude");
const prototypeOf = (module: Module, name: string): object => (module[name] as { prototype: object }).prototype;
const states = new Set(["CONNECTING", "OPEN", "CLOSING", "CLOSED"]);

function serverOf(module: Module, options: object = { noServer: true }): Server {
  return new (module["WebSocketServer"] as new (options: object) => Server)(options);
}

/** What `createConnection` of a client gets: the options with their defaults. */
async function clientOptions(module: Module): Promise<Facts> {
  const seen = await new Promise<Facts>((resolve) => {
    const createConnection = (given: Facts): Duplex => {
      resolve(given);
      return new Duplex({ read() {}, write() {} });
    };
    const ws = new module("ws://localhost/", { createConnection } as never);
    ws.on("error", () => {});
    setImmediate(() => ws.terminate());
  });
  return seen;
}

/** Counts of arguments of the events that a server and its clients emit, of each event once. */
async function emitted(module: Module): Promise<Record<string, Facts>> {
  const seen: Record<string, Facts> = { WebSocket: {}, WebSocketServer: {} };
  const watch = <T extends Socket | Server>(kind: string, target: T): T => {
    for (const name of eventNames) {
      (target as EventEmitter).on(name, (...values: unknown[]) => {
        seen[kind]![name] = values.map((value) => typeof value);
      });
    }
    return target;
  };
  const wss = watch("WebSocketServer", serverOf(module, { port: 0, host: "127.0.0.1" }));
  await once(wss, "listening");
  const { port } = wss.address() as AddressInfo;
  const refusing = createServer((request, response) => {
    const isMoved = request.url === "/moved";
    response.writeHead(isMoved ? 302 : 404, isMoved ? { Location: `ws://127.0.0.1:${port}/` } : {}).end();
  });
  await once(refusing.listen(0, "127.0.0.1"), "listening");
  const other = `ws://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  wss.on("connection", (ws: Socket) => ws.on("message", (data) => ws.send(data as Buffer)));

  const client = watch("WebSocket", new module(`${other}/moved`, { followRedirects: true }));
  await once(client, "open");
  const got = Promise.all([once(client, "message"), once(client, "pong"), once(client, "ping")]);
  client.send("hello");
  client.ping("x");
  for (const ws of wss.clients) ws.ping("y");
  await got;
  client.close();
  await once(client, "close");
  const failing = watch("WebSocket", new module(`${other}/missing`));
  failing.on("error", () => {});
  // A listener has to end the request.
  failing.on("unexpected-response", (_request: unknown, response: IncomingMessage) => {
    response.resume();
    failing.terminate();
  });
  // `once` would reject with the error that comes before.
  await new Promise((resolve) => void failing.once("close", resolve));

  wss.on("wsClientError", (_error, socket) => socket.destroy());
  const plain = connect(port, "127.0.0.1");
  plain.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  plain.on("error", () => {});
  await once(plain, "close");
  const ended = once(wss, "close");
  wss.close();
  refusing.close();
  refusing.closeAllConnections();
  await ended;
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const second = watch("WebSocketServer", serverOf(module, { server: taken }));
  second.on("error", () => {});
  taken.emit("error", new Error("as of a port in use"));
  taken.close();
  await once(taken, "close");
  return seen;
}

const header = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const violations: Record<string, [bytes: Uint8Array, options?: Facts]> = {
  WS_ERR_EXPECTED_FIN: [header(0x09, 0x80)],
  WS_ERR_EXPECTED_MASK: [text("x", { key: undefined })],
  WS_ERR_INVALID_CLOSE_CODE: [close(1005)],
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: [header(0x89, 0xfe, 0, 126)],
  WS_ERR_INVALID_OPCODE: [frame(3, "x")],
  WS_ERR_INVALID_UTF8: [text(Uint8Array.of(0xff))],
  WS_ERR_TOO_MANY_BUFFERED_PARTS: [
    Buffer.concat([text("x", { fin: false }), frame(0, "y", { fin: false }), frame(0, "z")]),
    { maxFragments: 2 },
  ],
  WS_ERR_UNEXPECTED_MASK: [text("x"), { isServer: false }],
  WS_ERR_UNEXPECTED_RSV_1: [header(0xc1, 0x80)],
  WS_ERR_UNEXPECTED_RSV_2_3: [header(0xa1, 0x80)],
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: [header(0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0)],
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: [text("hello"), { maxPayload: 4 }],
};

async function failureOf(module: Module, [bytes, options]: [Uint8Array, Facts?]): Promise<unknown> {
  const Receiver = module["Receiver"] as new (options: Facts) => Writable;
  const receiver = new Receiver({ isServer: true, ...options });
  const failed = once(receiver, "error") as Promise<[Error & { code: string }]>;
  receiver.write(Buffer.from(bytes));
  const [{ name, message, code }] = await failed;
  return { name, message, code };
}

describe("what the page says of ws' members", () => {
  it("holds for the exports", () => {
    assertTable("Exports", (module) =>
      Object.fromEntries(Object.entries(factsOf(module)).filter(([name]) => !states.has(name))),
    );
  });

  it("holds for WebSocket", () => {
    assertTable("WebSocket", (module) => factsOf(module.prototype));
    for (const state of states) assert.equal(ours[state], theirs[state]);
    assert.equal(ours.length, theirs.length);
  });

  it("holds for WebSocketServer", () => {
    assertTable("WebSocketServer", (module) => ({
      ...factsOf(prototypeOf(module, "WebSocketServer")),
      ...factsOf(serverOf(module)),
    }));
  });

  it("holds for Sender, Receiver and the extension", () => {
    assertTable("Sender, Receiver and the extension", (module) => ({
      ...factsOf(module["Sender"] as object, "Sender."),
      ...factsOf(prototypeOf(module, "Sender"), "sender."),
      ...factsOf(module["Receiver"] as object, "Receiver."),
      ...factsOf(prototypeOf(module, "Receiver"), "receiver."),
      ...factsOf(module["PerMessageDeflate"] as object, "PerMessageDeflate."),
      ...factsOf(prototypeOf(module, "PerMessageDeflate"), "perMessageDeflate."),
      ...factsOf(module["extension"] as object, "extension."),
      ...factsOf(module["subprotocol"] as object, "subprotocol."),
    }));
  });
});

describe("what the page says of ws' options, events and errors", () => {
  it("has a row for each option that its source documents", () => {
    const documented = matches(/\[options\.(\w+)/g);
    assert.deepEqual([...rowsOf("Options").keys()].toSorted(), documented.toSorted());
  });

  it("holds for the defaults of a server", () => {
    const rows = rowsOf("Options");
    const [mine, other] = [ours, theirs].map((module) => serverOf(module).options as Facts) as [Facts, Facts];
    assert.deepEqual(Object.keys(mine).toSorted(), Object.keys(other).toSorted());
    for (const name of Object.keys(other)) {
      assert.ok(rows.has(name), name);
      if (name !== "WebSocket") assert.deepEqual([name, mine[name]], [name, other[name]]);
    }
    assert.equal(mine["WebSocket"], ours);
  });

  it("holds for the defaults of a client", async () => {
    const [mine, other] = [await clientOptions(ours), await clientOptions(theirs)];
    const names = [...rowsOf("Options").keys()].filter((name) => name in other && name !== "host" && name !== "path");
    assert.ok(names.includes("maxPayload") && names.includes("maxRedirects"), names.join());
    for (const name of names) assert.deepEqual([name, mine[name]], [name, other[name]]);
  });

  it("holds for the events, which have the same arguments", async () => {
    const [mine, other] = [await emitted(ours), await emitted(theirs)];
    assert.deepEqual(mine, other);
    const names = new Set([...Object.keys(mine["WebSocket"]!), ...Object.keys(mine["WebSocketServer"]!)]);
    const rows = rowsOf("Events");
    assert.deepEqual([...names].toSorted(), eventNames.toSorted());
    assert.deepEqual([...names].toSorted(), [...rows.keys()].toSorted());
    for (const verdict of rows.values()) assert.equal(verdict, "yes");
  });

  it("holds for the errors, each of which is provoked", async () => {
    const codes = matches(/(WS_ERR_\w+)/g);
    assert.deepEqual([...rowsOf("Errors").keys()].toSorted(), codes.toSorted());
    for (const code of codes) {
      const failure = await failureOf(ours, violations[code]!);
      assert.equal((failure as { code: string }).code, code);
      assert.deepEqual(failure, await failureOf(theirs, violations[code]!));
    }
  });

  it("has a row for each variable of the environment", () => {
    assert.deepEqual([...rowsOf("Environment").keys()].toSorted(), matches(/process\.env\.(\w+)/g).toSorted());
  });
});
