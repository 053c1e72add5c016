import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "node:test";
import { ServalError, type ByteStream, type Clock } from "../../src/core/index.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { openTunnel, type TunnelLimits } from "../../src/client/tunnel.ts";
import { parseUrl } from "../../src/client/url.ts";
import {
  everyFailure,
  pair,
  VirtualClock,
  type PairOptions,
  type PairStream,
  type Run,
} from "../../src/testing/index.ts";
import { isStuck, read, readExactly, readToEnd, turns, writeAll } from "../core/support/stream-operations.ts";
import { headLimits } from "../../src/websocket/internal.ts";
import { outcomes } from "../support/outcomes.ts";

const endpoint = parseUrl("wss://user:secret@example.com/secret");
const proxy = parseProxy("http://ada:opensesame@proxy.example:3128");

/** Opens a tunnel over a pair whose other end answers with these bytes, however they are cut, and ends if it is to. */
function opening(
  answer: string,
  {
    options = {},
    ends = false,
    run,
    signal = run?.signal ?? new AbortController().signal,
    clock = run?.clock ?? new VirtualClock(),
  } = {} as {
    options?: PairOptions;
    ends?: boolean;
    run?: Run;
    signal?: AbortSignal;
    clock?: Clock;
  },
): { tunnel: Promise<ByteStream>; ours: PairStream; peer: PairStream } {
  const [ours, peer] = pair({ ...options, record: true }, { record: true });
  const tunnel = openTunnel(run?.wrap(ours) ?? ours, endpoint, proxy, { signal, clock, ...headLimits });
  tunnel.catch(() => {});
  if (answer !== "") writeAll(peer, Buffer.from(answer)).catch(() => {});
  if (ends) peer.end();
  return { tunnel, ours, peer };
}

/** The end of an attempt that has neither a deadline nor a caller who aborts it. */
function ended(): TunnelLimits {
  return { signal: new AbortController().signal, clock: new VirtualClock(), ...headLimits };
}

async function failure(tunnel: Promise<ByteStream>): Promise<ServalError> {
  const error: unknown = await tunnel.then(
    () => assert.fail("the tunnel is open"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServalError, String(error));
  assert.doesNotMatch(inspect(error, { depth: 10 }), /secret|opensesame|YWRhOm9wZW5zZXNhbWU/);
  return error;
}

describe("openTunnel", () => {
  it("asks for the endpoint's host and port, with the proxy's user and password but not the endpoint's", async () => {
    const [ours, peer] = pair();
    void openTunnel(ours, endpoint, proxy, ended()).catch(() => {});
    const expected =
      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n" +
      "Proxy-Authorization: Basic YWRhOm9wZW5zZXNhbWU=\r\n\r\n";
    assert.equal(String(await readExactly(peer, expected.length)), expected);
    peer.close();
  });

  it("writes IPv6 addresses in brackets, and always a port", async () => {
    const [ours, peer] = pair();
    const address = parseUrl("ws://[::1]/");
    void openTunnel(ours, address, parseProxy("http://proxy.example"), ended()).catch(() => {});
    const expected = "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n";
    assert.equal(String(await readExactly(peer, expected.length)), expected);
    peer.close();
  });

  const cuts: readonly PairOptions[] = [{}, { maxRead: 1 }, { maxRead: 7 }, { maxWrite: 1 }];

  for (const status of ["200 Connection established", "200", "204 No Content", "299 Why Not"]) {
    for (const options of cuts) {
      it(`opens with ${status}, and later bytes are the tunnel's, ${JSON.stringify(options)}`, async () => {
        const head = `HTTP/1.1 ${status}\r\nContent-Length: 1000\r\nTransfer-Encoding: chunked\r\n\r\n`;
        const { tunnel, ours, peer } = opening(
          status === "200" ? `HTTP/1.0 ${status}\r\n\r\nfront` : `${head.replace(/Transfer.*\r\n\r\n$/, "\r\n")}front`,
          { options },
        );
        const stream = await tunnel;
        assert.equal(String(await readExactly(stream, 5)), "front");
        await writeAll(peer, Buffer.from("more"));
        assert.equal(String(await readExactly(stream, 4)), "more");
        await readExactly(peer, ours.sent.length);
        await writeAll(stream, Buffer.from("there"));
        assert.equal(String(await readExactly(peer, 5)), "there");
        stream.close();
        assert.ok(ours.closed);
      });
    }
  }

  it("opens for a response with many headers", async () => {
    const { tunnel } = opening(`HTTP/1.1 200 OK\r\n${"X:\r\n".repeat(2000)}\r\n`);
    (await tunnel).close();
  });

  it("RFC 9110 9.3.6: opens whatever the framing headers say", async () => {
    for (const framing of [
      "Content-Length: 5\r\nContent-Length: 5",
      "Content-Length: 5\r\nContent-Length: 6",
      "Content-Length: x",
      "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: gzip",
    ]) {
      const { tunnel } = opening(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\nfront`);
      const stream = await tunnel;
      assert.equal(String(await readExactly(stream, 5)), "front");
      stream.close();
    }
  });

  it("skips interim responses", async () => {
    const { tunnel } = opening("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    (await tunnel).close();
  });

  const refusals: readonly [answer: string, status: number, body: string, message: RegExp][] = [
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nwho",
      407,
      "who",
      /407 Proxy Authentication Required\. A user and password go into the proxy's URL/,
    ],
    ["HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n", 403, "", /: 403 Filtered$/],
    ["HTTP/1.1 502\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n", 502, "bad", /: 502$/],
    ["HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", 302, "", /302 Found/],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "", /101 Switching Protocols/],
  ];
  for (const [answer, status, body, message] of refusals) {
    for (const options of cuts) {
      it(`is refused with ${status}, ${JSON.stringify(options)}`, async () => {
        const { tunnel, ours } = opening(answer, { options });
        const error = await failure(tunnel);
        assert.deepEqual([error.code, error.condition], ["client.proxy_refused", "handshake_failed"]);
        assert.match(error.message, /^The proxy proxy\.example:3128 refused the connection/);
        assert.match(error.message, message);
        assert.equal(error.response?.status, status);
        assert.equal(String(Buffer.from(error.response.body)), body);
        assert.ok(ours.closed);
      });
    }
  }

  it("is refused even if the rest of the refusal is wrong, missing, or never comes", async () => {
    const head = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const [rest, ends] of [
      ["no chunk", false],
      ["5\r\nhel", true],
    ] as const) {
      const error = await failure(opening(head + rest, { ends }).tunnel);
      assert.equal(error.code, "client.proxy_refused");
    }
    const controller = new AbortController();
    const { tunnel, ours } = opening(`${head}5\r\nhel`, { signal: controller.signal });
    assert.ok(await isStuck(tunnel));
    controller.abort();
    const error = await failure(tunnel);
    assert.equal(error.code, "client.proxy_refused");
    assert.equal(String(Buffer.from(error.response!.body)), "hel");
    assert.ok(ours.closed);
  });

  it("is refused by the head: the body has a second and 65,536 bytes, and the error says that it is cut", async () => {
    for (const status of ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"]) {
      const clock = new VirtualClock();
      const { tunnel, ours } = opening(`HTTP/1.1 ${status}\r\n\r\nhel`, { clock });
      await turns();
      await clock.advance(999);
      assert.ok(await isStuck(tunnel));
      await clock.advance(1);
      const error = await failure(tunnel);
      assert.equal(error.code, "client.proxy_refused");
      assert.equal(String(Buffer.from(error.response!.body)), "hel");
      assert.match(error.message, new RegExp(`: ${status} \\(its body is cut after 3 bytes\\)`));
      assert.deepEqual([ours.closed, clock.pending], [true, 0]);
    }
    const endless = opening(`HTTP/1.1 403 Forbidden\r\n\r\n${"x".repeat(100_000)}`);
    const error = await failure(endless.tunnel);
    assert.equal(error.response?.body.length, 65_536);
    assert.match(error.message, /: 403 Forbidden \(its body is cut after 65,536 bytes\)$/);
    const redirect = opening("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\nhel");
    assert.match((await failure(redirect.tunnel)).message, /: 302 Found \(its body is cut after 3 bytes\)$/);
  });

  const violations: readonly [answer: string, ends: boolean, code: string][] = [
    ["", true, "http.end_of_stream"],
    ["HTTP/1.1 200", true, "http.partial_message"],
    ["SSH-2.0-OpenSSH\r\n", false, "http.bad_start_line"],
    [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, false, "http.header_limit"],
    [`HTTP/1.1 200 OK\r\n${"X:\r\n".repeat(2001)}\r\n\r\n`, false, "http.field_limit"],
  ];
  for (const [answer, ends, code] of violations) {
    it(`is ${code} after ${JSON.stringify(answer.slice(0, 20))}`, async () => {
      const { tunnel, ours } = opening(answer, { ends });
      assert.equal((await failure(tunnel)).code, code);
      assert.ok(ours.closed);
    });
  }

  it("fails and closes the stream whatever fails below", async () => {
    const runs = await everyFailure(async (run) => {
      const { tunnel } = opening("HTTP/1.1 200 OK\r\n\r\n", { options: { maxRead: 5, maxWrite: 20 }, run });
      const outcome = await tunnel.then(
        (stream) => stream.close(),
        ({ code }: ServalError) => code,
      );
      assert.ok(outcomes(run, undefined).includes(outcome as string | undefined), String(outcome));
    });
    assert.ok(runs.length > 40, runs.join());
  });

  it("is aborted by a signal, before and at any time", async () => {
    const aborted = opening("HTTP/1.1 200 OK\r\n\r\n", { signal: AbortSignal.abort() });
    assert.equal((await failure(aborted.tunnel)).code, "core.aborted");
    assert.ok(aborted.ours.closed);
    for (const answer of ["", "HTTP/1.1 200"]) {
      const controller = new AbortController();
      const { tunnel, ours } = opening(answer, { signal: controller.signal });
      await turns(3);
      controller.abort();
      assert.equal((await failure(tunnel)).code, "core.aborted");
      assert.ok(ours.closed);
    }
    const controller = new AbortController();
    const { tunnel, peer } = opening("HTTP/1.1 200 OK\r\n\r\n", { signal: controller.signal });
    const stream = await tunnel;
    controller.abort();
    peer.end();
    assert.equal(await read(stream), undefined);
    stream.close();
    assert.match(String(await readToEnd(peer)), /^CONNECT/);
  });
});
