import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocketServer } from "ws";
import type { ChatSettings } from "../../../src/cli/connect/chat-options.ts";
import { connect } from "../../../src/cli/connect/connect.ts";
import { echo } from "../../../src/cli/serve/echo.ts";
import type { ConnectOptions } from "../../../src/client/index.ts";
import type { Clock } from "../../../src/core/index.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { trusting } from "../../client/support/kit.ts";
import { answering, echoing } from "../../client/support/servers.ts";
import { until } from "../../core/support/stream-operations.ts";
import { terminal, TestStdio } from "../support/test-stdio.ts";

const where = { port: 0, host: "127.0.0.1" };

function start(
  url: string,
  stdio: TestStdio,
  chat: Partial<ChatSettings> = {},
  options: ConnectOptions = {},
  clock?: Clock,
) {
  const settings = { binary: false, hex: false, json: false, wait: 0, ...chat };
  return connect({ url, options: { ...options, timeouts: { handshake: 10_000 } } }, settings, stdio, clock);
}

const urlOf = ({ url }: Server): string => url.replace(/^http/, "ws");
const serving = (options: ServeOptions): Promise<Server> => serve({ ...where, ...options });

describe("connect", () => {
  it("sends lines and prints messages, until the input has ended and all answers have come", async () => {
    await using server = await echo(where, { deflate: true });
    const stdio = new TestStdio();
    stdio.stdin.end("one\ntwo\n\nend");
    assert.equal(await start(urlOf(server), stdio, {}, { deflate: true }), 0);
    assert.deepEqual([stdio.out, stdio.err], ["one\ntwo\n\nend\n", ""]);
    assert.equal(stdio.listenerCount("SIGINT") + stdio.listenerCount("SIGTERM"), 0);
  });

  it("talks to the ws package, over TLS, with its subprotocol", async () => {
    await using server = await echoing({ secure: true });
    const stdio = new TestStdio();
    stdio.stdin.end("hello");
    const url = `wss://localhost:${server.port}/a`;
    const options = { ...trusting, protocols: ["chat"], headers: { Origin: "https://b" } };
    assert.equal(await start(url, stdio, { json: true }, options), 0);
    const events = stdio.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(events, [
      { type: "open", protocol: "chat", extensions: "" },
      { type: "message", kind: "text", data: "hello" },
      { type: "close", code: 1000, reason: "", clean: true },
    ]);
    assert.deepEqual([server.asked[0]!.target, server.asked[0]!.headers.origin], ["/a", "https://b"]);
  });

  it("passes bytes through with --binary", async () => {
    await using server = await echo(where, { deflate: false });
    const stdio = new TestStdio();
    const bytes = Buffer.from([0, 10, 13, 10, 255, 27]);
    stdio.stdin.end(bytes);
    assert.equal(await start(urlOf(server), stdio, { binary: true }), 0);
    assert.deepEqual(stdio.bytes, bytes);
  });

  it("loses no message of a server that greets and closes", async () => {
    await using server = await serving({
      async connection(ws) {
        for (let i = 0; i < 1000; i++) await ws.write(`message ${i}`);
      },
    });
    const stdio = new TestStdio();
    assert.equal(await start(urlOf(server), stdio), 0);
    assert.equal(stdio.out, Array.from({ length: 1000 }, (_, i) => `message ${i}\n`).join(""));
    assert.equal(stdio.stdin.destroyed, true);
  });

  it("goes on after the end of the input with --wait forever, until the server closes", async () => {
    const stdio = new TestStdio();
    await using server = await serving({
      async connection(ws) {
        await ws.read();
        await ws.write("last");
      },
    });
    stdio.stdin.end("subscribe\n");
    assert.equal(await start(urlOf(server), stdio, { wait: Infinity }), 0);
    assert.equal(stdio.out, "last\n");
  });

  for (const [code, exit, words] of [
    [1000, 0, ""],
    [1001, 0, ""],
    [1008, 1, "serval: closed with 1008: no \\u001b[31m\n"],
    [4000, 1, "serval: closed with 4000: no \\u001b[31m\n"],
  ] as const) {
    it(`exits with ${exit} if the server closes with ${code}`, async () => {
      await using server = await serving({ connection: (ws) => ws.close({ code, reason: "no \u001b[31m" }) });
      const stdio = new TestStdio();
      assert.equal(await start(urlOf(server), stdio), exit);
      assert.equal(stdio.err, words);
    });
  }

  describe("names the first line that is lost because the server closed, and exits with 1", () => {
    /** Reads one message, and closes. */
    const takingOne: ServeOptions = {
      async connection(ws) {
        await ws.read();
        await ws.close({ code: 1000 });
      },
    };
    // So it looks for more input as long as that takes.
    const clock = new VirtualClock();
    const words = "serval: closed with 1000\nserval: the server closed before the end of the input: ";

    it("as text", async () => {
      await using server = await serving(takingOne);
      const stdio = new TestStdio();
      stdio.stdin.write("one\n");
      const ended = start(urlOf(server), stdio, {}, {}, clock);
      await until(() => server.sockets.size === 0 && server.stats().opened === 1);
      // It is in the pipe when the command learns of the close, or soon after.
      stdio.stdin.end("two\nthree\n");
      assert.equal(await ended, 1);
      assert.deepEqual([stdio.out, stdio.err], ["", `${words}line 2 and any after it are lost\n`]);
    });

    it("when many lines wait for room", async () => {
      await using server = await serving(takingOne);
      const stdio = new TestStdio();
      const line = "x".repeat(100_000);
      stdio.stdin.end(`${line}\n`.repeat(500));
      assert.equal(await start(urlOf(server), stdio), 1);
      const [, first] = /end of the input: line (\d+) and any after it are lost\n$/.exec(stdio.err)!;
      assert.ok(Number(first) > 1 && Number(first) <= 500, first);
    });

    it("when they were sent before the close came, and the server had not come to them", async () => {
      await using server = await serving(takingOne);
      const stdio = new TestStdio();
      stdio.stdin.end("one\ntwo\nthree\n");
      assert.equal(await start(urlOf(server), stdio), 1);
      assert.equal(stdio.err, `${words}line 2 and any after it are lost\n`);
    });

    it("but not where the last line makes the server close", async () => {
      await using server = await serving({
        message: (ws, message) => (message === "quit" ? ws.close({ code: 1000 }) : ws.write(message)),
      });
      const stdio = new TestStdio();
      stdio.stdin.end("one\ntwo\nquit\n");
      assert.equal(await start(urlOf(server), stdio), 0);
      assert.deepEqual([stdio.out, stdio.err], ["one\ntwo\n", ""]);
    });

    it("as JSON", async () => {
      await using server = await serving(takingOne);
      const stdio = new TestStdio();
      stdio.stdin.write("one\n");
      const ended = start(urlOf(server), stdio, { json: true }, {}, clock);
      await until(() => server.sockets.size === 0 && server.stats().opened === 1);
      stdio.stdin.end("two\n");
      assert.equal(await ended, 1);
      assert.match(stdio.out, /\{"type":"close","code":1000,.*\}\n\{"type":"lost","first":2\}\n$/);
      assert.match(stdio.err, /^serval: the server closed before the end of the input: line 2 /);
    });

    it("for a binary message that was cut", async () => {
      await using server = await serving({ connection: (ws) => ws.close({ code: 1000 }) });
      const stdio = new TestStdio();
      stdio.stdin.write("the beginning");
      const ended = start(urlOf(server), stdio, { binary: true });
      assert.equal(await ended, 1);
      assert.equal(stdio.err, `${words}it is lost\n`);
    });

    it("but not for an input that has nothing more, or after this side's own close", async () => {
      await using server = await serving(takingOne);
      const waiting = new TestStdio();
      waiting.stdin.write("one\n");
      assert.equal(await start(urlOf(server), waiting), 0);
      assert.equal(waiting.err, "");
      await using silent = await serving({ message: () => new Promise(() => {}), concurrency: 1 });
      const stopped = new TestStdio();
      stopped.stdin.write("x".repeat(10_000_000));
      const ended = start(urlOf(silent), stopped);
      await until(() => silent.sockets.size === 1);
      stopped.emit("SIGINT");
      await silent.close();
      await ended;
      assert.doesNotMatch(stopped.err, /lost/);
    });
  });

  it("exits with 1 if the connection is lost", async () => {
    await using server = await serving({ connection: (ws) => ws.terminate() });
    const stdio = new TestStdio();
    assert.equal(await start(urlOf(server), stdio), 1);
    assert.equal(stdio.err, "serval: the connection was lost without a closing handshake\n");
  });

  it("reports a protocol error, as text and as JSON", async () => {
    await using server = await serving({ connection: (ws) => ws.write("too long") });
    const stdio = new TestStdio();
    assert.equal(await start(urlOf(server), stdio, {}, { maxMessageSize: 3 }), 1);
    assert.match(stdio.err, /^serval: The WebSocket message is larger .*\n$/);
    const json = new TestStdio();
    assert.equal(await start(urlOf(server), json, { json: true }, { maxMessageSize: 3 }), 1);
    assert.match(json.out, /"type":"error","code":"websocket.message_too_big",.*\n\{"type":"close",.*\n$/);
    assert.equal(json.err, "");
  });

  it("shows the response of a server that refuses", async () => {
    await using server = await answering(() => [404, { "X-A": "b" }, "<h1>\u001b[31mNot here</h1>\n"]);
    const stdio = new TestStdio();
    assert.equal(await start(`ws://127.0.0.1:${server.port}/`, stdio), 1);
    const words = "serval: The server declined the WebSocket handshake: 404 Not Found\n";
    assert.deepEqual([stdio.out, stdio.err], ["", `${words}  <h1>\\u001b[31mNot here</h1>\n`]);
  });

  it("exits with 2 for an invalid URL or option", async () => {
    for (const [url, options] of [
      ["ftp://a", {}],
      ["ws://a", { proxy: "gopher://b" }],
    ] as const) {
      const stdio = new TestStdio();
      assert.equal(await start(url, stdio, {}, options), 2);
      assert.match(stdio.err, /^serval: A .*URL begins with .*; see serval connect --help\n$/);
    }
  });

  it("ends quietly when the reader of its output is gone", async () => {
    await using server = await echo(where, { deflate: false });
    const stdio = new TestStdio();
    const exit = start(urlOf(server), stdio);
    stdio.stdin.write("a\n");
    await stdio.shows("a\n");
    stdio.stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    assert.equal(await exit, 0);
    assert.equal(stdio.err, "");
  });

  it("closes with 1000 at a signal, and leaves the next one to the platform", async () => {
    const closes: number[] = [];
    await using server = await serving({ message() {}, close: (_ws, { code }) => void closes.push(code) });
    const stdio = new TestStdio();
    const exit = start(urlOf(server), stdio);
    await until(() => stdio.listenerCount("SIGINT") > 0);
    stdio.emit("SIGINT");
    assert.equal(stdio.listenerCount("SIGINT") + stdio.listenerCount("SIGTERM"), 0);
    assert.equal(await exit, 0);
    await until(() => closes.length > 0);
    assert.deepEqual(closes, [1000]);
  });

  it("has a prompt on a terminal", async () => {
    const server = new WebSocketServer(where);
    server.on("connection", (ws) => {
      ws.on("message", (data, binary) => ws.send(`${String(data)}\u001b[2J`, { binary }));
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const stdio = terminal();
    const { port } = server.address() as { port: number };
    const exit = start(`ws://127.0.0.1:${port}/`, stdio);
    await stdio.shows("> ");
    assert.equal(stdio.err, `connected to ws://127.0.0.1:${port}/; /help for help, Ctrl-C to close\n`);
    stdio.stdin.write("hello\r");
    await stdio.shows("< hello\\u001b[2J\n");
    stdio.stdin.write("/ping\r");
    await stdio.shows("pong after", "err");
    stdio.stdin.write("/close 4001 good bye\r");
    assert.equal(await exit, 0);
    assert.ok(stdio.err.endsWith("closed with 4001: good bye\n"), stdio.err);
    server.close();
  });
});
