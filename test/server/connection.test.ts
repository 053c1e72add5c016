import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServalError } from "../../src/core/index.ts";
import { encodeLatin1, decodeLatin1 } from "../../src/core/text.ts";
import { serveConnection, type ConnectionOwner } from "../../src/server/connection.ts";
import { Hub } from "../../src/server/hub.ts";
import type { FetchHandler, ServerOptions } from "../../src/server/options.ts";
import {
  everyFailure,
  pair,
  VirtualClock,
  type PairOptions,
  type PairStream,
  type Run,
} from "../../src/testing/index.ts";
import type { ServeTimeouts } from "../../src/http/index.ts";
import { ServeSettings } from "../../src/http/internal.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection over a pair, with what became of it. */
class Fixture {
  readonly clock: VirtualClock;
  readonly stream: PairStream;
  readonly peer: PairStream;
  readonly hub: Hub<unknown>;
  readonly errors: (string | undefined)[] = [];
  /** How many ended as plain ones, and were upgraded. */
  plainEnds = 0;
  upgrades = 0;
  /** Told of the end of what the client reads. */
  onError: (error: ServalError | undefined) => void = () => {};
  readonly stopping = new AbortController();
  readonly ending = new AbortController();

  constructor(
    fetch: FetchHandler | undefined,
    options: ServerOptions = {},
    pairOptions: PairOptions = {},
    run?: Run,
    path?: string,
  ) {
    this.clock = run?.clock ?? new VirtualClock();
    [this.stream, this.peer] = pair({ ...pairOptions, record: true }, { record: true });
    const plain = {
      size: 0,
      stop: () => this.stopping.abort(),
      end: () => this.ending.abort(),
    };
    this.hub = new Hub<unknown>({ clock: this.clock, timeouts: { handshake: 1000 }, ...options }, plain);
    const owner: ConnectionOwner<unknown> = {
      hub: this.hub,
      http: new ServeSettings({ clock: this.clock, date: false, timeouts }),
      fetch,
      path,
      stopping: this.stopping.signal,
      ending: this.ending.signal,
      connectionLeft: (isUpgraded, error) => {
        if (isUpgraded) this.upgrades++;
        else this.plainEnds++;
        this.errors.push(error?.code);
      },
    };
    serveConnection(run?.wrap(this.stream) ?? this.stream, owner);
  }

  get ends(): number {
    return this.plainEnds + this.upgrades - this.hub.sockets.size;
  }

  /** What the server does when it closes. */
  close(): void {
    void this.hub.drain({ timeout: 100_000 });
  }

  /** Sends bytes, and reads what comes until nothing more does. */
  async send(bytes: string): Promise<void> {
    this.peer.writeSome(encodeLatin1(bytes), () => {});
    this.#read();
    for (let i = 0; i < 20; i++) await turn();
  }

  #read(): void {
    if (this.peer.reading) return;
    this.peer.readSome((error, bytes) => {
      if (error === undefined && bytes !== undefined) this.#read();
      else this.onError(error);
    });
  }

  get received(): string {
    return decodeLatin1(this.peer.received);
  }
}

const timeouts: ServeTimeouts = { header: 1000, keepAlive: 1000, write: 1000 };

const hello: FetchHandler = (request) => new Response(`hello ${new URL(request.url).pathname}`);

const get = (target: string, headers = ""): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;

const upgrade =
  "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

test("requests on one connection are answered in order, also when they come at once", async () => {
  const fixture = new Fixture(hello);
  await fixture.send(get("/1") + get("/2"));
  await fixture.send(get("/3"));
  assert.deepEqual(fixture.received.match(/hello \/\d/g), ["hello /1", "hello /2", "hello /3"]);
  assert.equal(fixture.ends, 0);
});

test("a request may become a WebSocket after others, with frames right after it", async () => {
  const fixture = new Fixture(hello, { message: (ws, message) => ws.write(message) });
  await fixture.send(`${get("/1")}${upgrade}\x81\x82\0\0\0\0hi`);
  assert.match(fixture.received, /hello \/1HTTP\/1.1 101 /);
  assert.ok(fixture.received.endsWith("\r\n\r\n\x81\x02hi"));
});

for (const [what, headers, keeps] of [
  ["HTTP/1.1", "", true],
  ["Connection: close", "Connection: close\r\n", false],
] as const) {
  test(`${what} ${keeps ? "keeps" : "ends"} the connection`, async () => {
    const fixture = new Fixture(hello);
    await fixture.send(get("/1", headers));
    assert.equal(fixture.stream.ended, !keeps);
    assert.equal(/Connection: close/.test(fixture.received), !keeps);
    fixture.peer.end();
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
  });
}

test("a client that goes before its response is counted, and one that gets it is not", async () => {
  for (const [how, when, abandoned] of [
    ["reset", "while fetch works", 1],
    ["reset", "while a body waits", 1],
    ["reset", "after the response", 0],
    ["end", "while fetch works", 1],
    ["end", "after the response", 0],
  ] as const) {
    const signals: AbortSignal[] = [];
    const fixture = new Fixture((request) => {
      signals.push(request.signal);
      if (when === "while fetch works") return new Promise(() => {});
      return new Response(when === "after the response" ? "x" : new ReadableStream());
    });
    await fixture.send(get("/"));
    if (how === "reset") fixture.peer.reset();
    else fixture.peer.end();
    await turn();
    await turn();
    assert.equal(signals[0]!.aborted, abandoned === 1, `${how} ${when}`);
    // One that has ended its side may still read, for as long as one that is idle is kept.
    if (how === "end") await fixture.clock.advance(1000);
    assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
    assert.equal(fixture.hub.statistics().abandoned, abandoned, `${how} ${when}`);
  }
});

test("a refused request is answered, and the bytes after it are not looked at", async () => {
  const fixture = new Fixture(() => assert.fail("fetch was asked"));
  await fixture.send(`GET / HTTP/1.1\r\nBad Field: x\r\n\r\n${get("/")}`);
  assert.match(fixture.received, /^HTTP\/1.1 400 .*Connection: close\r\n/s);
  assert.equal(fixture.received.match(/HTTP\/1.1/g)?.length, 1);
});

for (const [when, bytes] of [
  ["before a request", ""],
  ["inside a request", "GET / HT"],
  ["between requests", get("/")],
] as const) {
  test(`the deadline ends a connection that stalls ${when}`, async () => {
    const fixture = new Fixture(hello);
    if (bytes !== "") await fixture.send(bytes);
    await fixture.clock.advance(999);
    assert.equal(fixture.stream.ended, false);
    await fixture.clock.advance(1);
    assert.equal(fixture.stream.ended, true);
    // Inside a request the client is told so, and has time to read that.
    if (bytes.startsWith("GET / HT") && !bytes.endsWith("\n")) fixture.peer.close();
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
  });
}

test("the deadline ends a connection whose peer does not read the response", async () => {
  const fixture = new Fixture(() => new Response("x".repeat(1_000_000)), {}, {});
  fixture.peer.writeSome(encodeLatin1(get("/")), () => {});
  for (let i = 0; i < 20; i++) await turn();
  await fixture.clock.advance(1000);
  assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
});

test("close ends an idle connection at once, and a busy one after its response", async () => {
  const idle = new Fixture(hello);
  idle.close();
  await turn();
  assert.deepEqual([idle.ends, idle.stream.closed], [1, true]);

  let respond!: (response: Response) => void;
  const busy = new Fixture(() => new Promise((resolve) => (respond = resolve)));
  await busy.send(get("/"));
  busy.close();
  assert.equal(busy.stream.closed, false);
  respond(new Response("at last"));
  for (let i = 0; i < 20; i++) await turn();
  assert.match(busy.received, /Connection: close\r\n.*at last$/s);
  // A connection that watches for its client's end by then, which depends on the version of Node.js, waits for that.
  busy.peer.end();
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual([busy.ends, busy.stream.closed, busy.clock.pending], [1, true, 0]);
});

test("an upgrade with a body is refused with 400, and the body is not taken for frames", async () => {
  for (const body of ["", "hello"]) {
    const fixture = new Fixture(hello, { open: () => assert.fail("opened") });
    await fixture.send(upgrade.replace("\r\n\r\n", `\r\nContent-Length: 5\r\n\r\n${body}`));
    assert.match(fixture.received, /^HTTP\/1.1 400 /);
    fixture.peer.end();
    fixture.close();
    await fixture.clock.advance(10_000);
    assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
  }
});

test("a request for a WebSocket without Upgrade is refused as malformed, and the connection goes on", async () => {
  const fixture = new Fixture(hello);
  await fixture.send(get("/", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  assert.match(fixture.received, /^HTTP\/1.1 4\d\d /);
  fixture.close();
});

test("a response that is not as long as its Content-Length says ends in a reset", async (t) => {
  t.mock.method(console, "error", () => {});
  for (const length of ["1", "9"]) {
    const fixture = new Fixture(() => {
      const body = ReadableStream.from(parts("ab", "cde"));
      return new Response(body, { headers: { "Content-Length": length } });
    });
    let error: ServalError | undefined;
    fixture.onError = (given) => (error = given);
    await fixture.send(get("/"));
    assert.equal(error?.code, "core.connection_reset");
  }
});

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await turn();
    yield encodeLatin1(text);
  }
}

test("requests that were read before a drain are answered, each, the last one with Connection: close", async () => {
  for (const part of ["", "GET /par"]) {
    const answers: (() => void)[] = [];
    const fixture = new Fixture(async (request, info) => {
      await request.text();
      await new Promise<void>((resolve) => answers.push(resolve));
      return hello(request, info);
    });
    await fixture.send(
      get("/1") + get("/2") + `POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody` + get("/4") + part,
    );
    fixture.close();
    for (let i = 0; i < 4; i++) {
      assert.equal(answers.length, 1, `request ${i + 1}`);
      answers.shift()!();
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    if (part !== "") {
      await fixture.send("t HTTP/1.1\r\nHost: h\r\n\r\n");
      answers.shift()!();
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    const responses = fixture.received.split("HTTP/1.1 ").slice(1);
    assert.deepEqual(
      responses.map((response) => [/hello .*$/.exec(response)![0], response.includes("Connection: close")]),
      ["/1", "/2", "/3", "/4", ...(part === "" ? [] : ["/part"])].map((path, i, all) => [
        `hello ${path}`,
        i === all.length - 1,
      ]),
    );
    fixture.peer.end();
    for (let turns = 0; turns < 20; turns++) await turn();
    assert.deepEqual([fixture.plainEnds, fixture.clock.pending], [1, 0]);
  }
});

test("an upgrade whose target is no path is refused with 400, as a plain request is", async () => {
  for (const target of ["x", "*", "http:/chat"]) {
    for (const path of [undefined, "/chat"]) {
      const fixture = new Fixture(hello, { open: () => assert.fail("opened") }, {}, undefined, path);
      await fixture.send(upgrade.replace("GET /", `GET ${target}`));
      assert.match(fixture.received, /^HTTP\/1.1 400 .*neither a path nor a URL/s, target);
      fixture.peer.end();
      fixture.close();
      await fixture.clock.advance(10_000);
      assert.equal(fixture.hub.counters.refused.malformed, 1);
    }
  }
});

test("a WebSocket is not ended by the server's signals, but closed with 1001", async () => {
  const fixture = new Fixture(hello, { message: () => {} });
  await fixture.send(upgrade);
  fixture.close();
  for (let i = 0; i < 5; i++) await turn();
  assert.ok(fixture.received.endsWith("\x88\x02\x03\xe9"));
  await fixture.send("\x88\x80\0\0\0\0");
  fixture.peer.end();
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
});

test("close waits for a response, until the server ends it", async () => {
  const fixture = new Fixture(() => new Promise(() => {}));
  await fixture.send(get("/"));
  await fixture.clock.advance(10_000);
  assert.equal(fixture.ends, 0);
  fixture.close();
  await turn();
  assert.equal(fixture.ends, 0);
  fixture.ending.abort();
  await turn();
  assert.deepEqual([fixture.ends, fixture.stream.closed, fixture.clock.pending], [1, true, 0]);
});

test("whatever fails below, the connection ends once, and leaves no timer", async () => {
  const runs = await everyFailure(async (run) => {
    const fixture = new Fixture(hello, { message: (ws, message) => ws.write(message) }, {}, run);
    await fixture.send(get("/1"));
    await fixture.send(`${upgrade}\x81\x82\0\0\0\0hi`);
    await fixture.send("\x88\x80\0\0\0\0");
    fixture.peer.end();
    // The run's clock moves on meanwhile.
    for (let i = 0; i < 10_000 && !fixture.stream.closed; i++) await turn();
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual([fixture.ends, fixture.stream.closed], [1, true]);
  });
  assert.ok(runs.length > 30, runs.join());
});

test("an invalid request is counted as malformed, but not an unfinished one", async () => {
  const cases: [bytes: string, status: string, malformed: number][] = [
    ["nonsense\r\n\r\n", "400", 1],
    ["GET / HTTP/1.1\r\n\r\n", "400", 1],
    ["GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505", 1],
    [`GET / HTTP/1.1\r\nA: ${"x".repeat(20_000)}\r\n\r\n`, "431", 1],
    [`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(200)}\r\n`, "431", 1],
    ["GET / HTTP/1.1\r\nHo", "", 0],
  ];
  for (const [bytes, status, malformed] of cases) {
    const fixture = new Fixture(undefined);
    await fixture.send(bytes);
    fixture.peer.end();
    await turn();
    assert.equal(fixture.received.slice(9, 12), status, bytes.slice(0, 20));
    assert.equal(fixture.plainEnds, 1);
    assert.equal(fixture.hub.statistics().refused.malformed, malformed, bytes.slice(0, 20));
  }
});
