// Invalid arguments, given to each public operation that returns a promise: it rejects, since a synchronous throw would pass by
// the caller's `catch`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { FlatBuffer, promised, ServalError } from "../../src/core/index.ts";
import * as http from "../../src/http/index.ts";
import * as net from "../../src/net/index.ts";
import { serve, type Server } from "../../src/server/index.ts";
import { everyFailure, pair } from "../../src/testing/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { text } from "../websocket/support/frames.ts";
import { pulled } from "../websocket/support/kit.ts";

type Wrong = (...given: never[]) => unknown;

/** Invalid values of an operation's options, and of anything else that is an object. */
const invalid: readonly unknown[] = [{ singal: 1 }, { signal: 1 }, "text", 5, null, []];

/** Calls an operation in a wrong way, and expects its promise to reject with a `ServalError` for misuse, or a TypeError. */
async function rejects(call: () => unknown): Promise<void> {
  let result: unknown;
  try {
    result = call();
  } catch (thrown) {
    assert.fail(`it threw, instead of rejecting: ${String(thrown)}`);
  }
  assert.ok(result instanceof Promise, "it returned no promise");
  await assert.rejects(result, (error) => error instanceof ServalError && error.condition === "misuse");
}

describe("an operation of a WebSocket with invalid arguments rejects", () => {
  const operations: [name: string, call: (ws: Stream) => Wrong][] = [
    ["read", (ws) => (given) => ws.read(given)],
    ["readSome", (ws) => (given) => ws.readSome(given)],
    ["nextMessage", (ws) => (given) => ws.nextMessage(given)],
    ["write", (ws) => (given) => ws.write("x", given)],
    ["writeSome", (ws) => (given) => ws.writeSome("x", true, given)],
    ["ping", (ws) => (given) => ws.ping("x", given)],
    ["pong", (ws) => (given) => ws.pong("x", given)],
    ["close", (ws) => (given) => ws.close(given)],
    ["close, as in other libraries", (ws) => (given) => ws.close({}, given)],
    ["write, of the message", (ws) => () => ws.write({ a: 1 } as never)],
    ["write, of the kind", (ws) => () => ws.write("x", { kind: "y" as never })],
    ["write, of the abortCode", (ws) => () => ws.write("x", { abortCode: 5 })],
    ["writeSome, of the part", (ws) => () => ws.writeSome(5 as never, true)],
    ["writeSome, of final", (ws) => () => ws.writeSome("x", "y" as never)],
    ["ping, of the payload", (ws) => () => ws.ping("x".repeat(126))],
    ["pong, of the payload", (ws) => () => ws.pong(5 as never)],
    ["close, of the code", (ws) => () => ws.close({ code: 1006 })],
    ["accept, again", (ws) => () => ws.accept()],
    ["handshake, again", (ws) => () => ws.handshake("a", "/")],
  ];
  for (const [name, call] of operations) {
    it(`ws.${name}`, async () => {
      const { ws } = await pulled();
      // With a completion handler "close, as in other libraries" is the only one that a function does not suit.
      for (const given of invalid) await rejects(() => (call(ws) as (given: unknown) => unknown)(given));
      assert.equal(ws.isOpen, true);
      ws.terminate();
    });
  }

  it("of a message in parts", async () => {
    const { ws, peer } = await pulled();
    void peer.write(text("a message"));
    const message = await ws.nextMessage();
    for (const given of invalid as never[]) {
      await rejects(() => message.bytes(given));
      await rejects(() => message.text(given));
    }
    ws.terminate();
  });

  it("before the handshake", async () => {
    const fresh = (): Stream => new Stream(pair()[0]);
    for (const given of invalid as never[]) {
      await rejects(() => fresh().handshake("a", "/", given));
      await rejects(() => fresh().handshake(`${String(given)} b`, "/"));
      await rejects(() => fresh().handshake("a", given));
      await rejects(() => fresh().accept(new Uint8Array(1), given));
      await rejects(() => fresh().write("x", given));
      await rejects(() => fresh().ping("x", given));
      await rejects(() => fresh().close(given));
      await rejects(() => fresh().read(given));
    }
    for (const given of [{ singal: 1 }, { signal: 1 }, "text", 5, null] as never[])
      await rejects(() => fresh().accept(given));
  });
});

describe("an operation of another module with invalid arguments rejects", () => {
  const [stream] = pair();
  const request = (): http.Request => new http.Request({ headers: { Host: "a" } });
  const buffer = (): FlatBuffer => new FlatBuffer();
  const operations: [name: string, call: Wrong][] = [
    ["connect", (given) => connect("ws://127.0.0.1:1/", given)],
    ["connect, of the URL", (given) => connect(given)],
    ["serve", (given) => serve(given)],
    ["net.connect", (given) => net.connect({ host: "127.0.0.1", port: 1 }, given)],
    ["net.connect, of the target", (given) => net.connect(given)],
    ["net.connectTls", (given) => net.connectTls({ host: "127.0.0.1", port: 1 }, given)],
    ["net.startTls", (given) => net.startTls(pair()[0], "a", given)],
    ["net.startTls, of the host", () => net.startTls(pair()[0], "")],
    ["net.acceptTls", (given) => net.acceptTls(pair()[0], given)],
    ["net.listen", (given) => net.listen(given, () => {})],
    ["net.listen, of the handler", (given) => net.listen({ port: 0, host: "127.0.0.1" }, given)],
    ["net.acceptProxy", (given) => net.acceptProxy(pair()[0], given)],
    ["net.detectTls", (given) => net.detectTls(pair()[0], buffer(), given)],
    ["http.read", (given) => http.read(stream, buffer(), new http.RequestParser(), given)],
    ["http.readHeader", (given) => http.readHeader(stream, buffer(), new http.RequestParser(), given)],
    ["http.readSome", (given) => http.readSome(stream, buffer(), new http.RequestParser(), given)],
    ["http.write", (given) => http.write(stream, request(), given)],
    ["http.write, of the message", (given) => http.write(stream, given)],
    ["http.writeHeader", (given) => http.writeHeader(stream, new http.Serializer(request()), given)],
    ["http.writeSome", (given) => http.writeSome(stream, new http.Serializer(request()), given)],
    ["http.request", (given) => http.request(pair()[0], request(), given)],
    ["http.fileBody", (given) => http.fileBody("/dev/null", given)],
    ["everyFailure", (given) => everyFailure(given)],
    ["promised", () => promised(() => assert.ok(pair({ nope: 1 } as never)))],
  ];
  for (const [name, call] of operations) {
    it(name, { timeout: 2000 }, async () => {
      for (const given of invalid) await rejects(() => (call as (given: unknown) => unknown)(given));
    });
  }

  it("server.drain", async () => {
    const server: Server = await serve({ host: "127.0.0.1", port: 0, message() {} });
    for (const given of invalid as never[]) await rejects(() => server.drain(given));
    await server.close();
  });
});
