import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { lowestLayer, type ServalError } from "../../src/core/index.ts";
import { acceptProxy, type AcceptProxyOptions, type ProxyStream } from "../../src/net/index.ts";
import { everyFailure, pair, type PairOptions, type PairStream } from "../../src/testing/index.ts";
import { read, readToEnd, turns, write, writeAll } from "../core/support/stream-operations.ts";
import { outcomes } from "../support/outcomes.ts";
import { failsWith } from "./support/fails-with.ts";
import { addresses6, binaryHeader, piece, signature } from "./support/proxy-headers.ts";

const text = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n");
const binary = binaryHeader(0x21, 0x21, addresses6, piece(2, "example.com"));
const local = binaryHeader(0x20, 0);
const request = Buffer.from("GET / HTTP/1.1\r\n\r\n");
const balancer = { address: "192.0.2.9", port: 9, family: "IPv4" } as const;

function connected(options: PairOptions = {}): [PairStream, PairStream] {
  const [next, peer] = pair(options, {});
  Object.defineProperty(next, "peer", { value: balancer });
  return [next, peer];
}

/** What becomes of a connection on which the peer sends some bytes, and ends. */
async function accepted(bytes: Uint8Array, options: AcceptProxyOptions, maxRead = Infinity): Promise<ProxyStream> {
  const [next, peer] = connected({ maxRead });
  if (bytes.length > 0) await writeAll(peer, bytes);
  peer.end();
  return acceptProxy(next, options).catch((error: unknown) => {
    assert.ok(next.closed, "it was refused, and not closed");
    throw error;
  });
}

describe("acceptProxy", () => {
  for (const [name, header, peer] of [
    ["text", text, { address: "192.0.2.1", port: 56324, family: "IPv4" }],
    ["binary", binary, { address: "2001:db8::1", port: 56324, family: "IPv6" }],
    ["local", local, balancer],
    ["unknown", Buffer.from("PROXY UNKNOWN\r\n"), balancer],
  ] as const) {
    for (const rest of [Buffer.alloc(0), request]) {
      it(`reads a header, ${name}, and ${rest.length} bytes after it, in reads of any size`, async () => {
        for (const maxRead of [1, 2, 7, header.length - 1, header.length, header.length + 1, Infinity]) {
          for (const required of [true, false]) {
            const stream = await accepted(Buffer.concat([header, rest]), { required }, maxRead);
            assert.deepEqual(stream.peer, peer);
            assert.equal(stream.header?.size, header.length);
            assert.deepEqual(await readToEnd(stream), rest);
          }
        }
      });
    }

    it(`reads a header, ${name}, in two parts, split anywhere`, async () => {
      for (let split = 1; split < header.length; split++) {
        const [next, client] = connected();
        const attempt = acceptProxy(next);
        await write(client, header.subarray(0, split));
        await turns(1);
        await write(client, Buffer.concat([header.subarray(split), request]));
        const stream = await attempt;
        assert.deepEqual(stream.peer, peer);
        assert.deepEqual(await read(stream), request);
      }
    });
  }

  it("has the layers below and the header", async () => {
    const [next, peer] = connected();
    await writeAll(peer, binary);
    const stream = await acceptProxy(next);
    assert.equal(stream.nextLayer, next);
    assert.equal(lowestLayer(stream), next);
    assert.equal(stream.header?.authority, "example.com");
    assert.deepEqual(stream.header.destination, { address: "192.0.2.2", port: 443, family: "IPv4" });
  });

  it("reads no more than it needs", async () => {
    const [next, peer] = connected({ maxRead: 1 });
    await writeAll(peer, Buffer.concat([text, request]));
    await acceptProxy(next);
    await turns(2);
    assert.equal(next.operations, text.length);
    assert.equal(next.reading, false);
  });

  it("refuses a missing header, unless it is optional", async () => {
    for (const bytes of [request, Buffer.from("POST / HTTP/1.1\r\n\r\n"), Buffer.from([0x16, 3, 1, 0, 200])]) {
      for (const maxRead of [1, Infinity]) {
        await assert.rejects(accepted(bytes, {}, maxRead), failsWith("net.no_proxy_header"));
        const stream = await accepted(bytes, { required: false }, maxRead);
        assert.equal(stream.header, undefined);
        assert.equal(stream.peer, balancer);
        assert.deepEqual(await readToEnd(stream), bytes);
      }
    }
  });

  it("treats a stream that ends too early as one without a header", async () => {
    for (const bytes of [Buffer.alloc(0), text.subarray(0, 5), signature.subarray(0, 11)]) {
      for (const maxRead of [1, Infinity]) {
        await assert.rejects(accepted(bytes, {}, maxRead), failsWith("net.no_proxy_header"));
        const stream = await accepted(bytes, { required: false }, maxRead);
        assert.deepEqual(await readToEnd(stream), bytes);
      }
    }
  });

  it("refuses a malformed or incomplete header, even if it is optional", async () => {
    for (const bytes of [
      Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n"),
      binaryHeader(0x31, 0x11),
      text.subarray(0, 6),
      text.subarray(0, -1),
      signature,
      binary.subarray(0, -1),
    ]) {
      for (const maxRead of [1, Infinity]) {
        for (const required of [true, false]) {
          await assert.rejects(accepted(bytes, { required }, maxRead), failsWith("net.bad_proxy_header"));
        }
      }
    }
  });

  it("refuses a header that is too long, as soon as its length is known", async () => {
    const [next, peer] = connected();
    await writeAll(peer, binary.subarray(0, 16));
    await assert.rejects(acceptProxy(next, { maxSize: binary.length - 1 }), failsWith("net.proxy_header_limit"));
    assert.ok(next.closed);
    assert.equal((await accepted(binary, { maxSize: binary.length })).header?.size, binary.length);
  });

  it("calls a handler once, never inside the call, and returns undefined then", async () => {
    const [next, peer] = connected();
    await writeAll(peer, text);
    const outcomes: unknown[] = [];
    const handler = (error: unknown, stream: ProxyStream): void => void outcomes.push(error, stream.header?.version);
    assert.equal(acceptProxy(next, handler), undefined);
    assert.deepEqual(outcomes, []);
    await turns(2);
    assert.deepEqual(outcomes, [undefined, 1]);
  });

  it("fails and closes the stream whatever fails below", async () => {
    const runs = await everyFailure(async (run) => {
      const [next, peer] = run.pair({ maxRead: 10 }, {});
      await writeAll(peer, text);
      const [error, stream] = await run.once<[error: ServalError | undefined, stream: ProxyStream | undefined]>(
        (done) => acceptProxy(next, { signal: run.signal }, done),
      );
      const ended = run.failure === "end" ? ["net.no_proxy_header", "net.bad_proxy_header"] : [];
      assert.ok(outcomes(run, undefined, ...ended).includes(error?.code), error?.code);
      assert.equal(next.closed, error !== undefined);
      stream?.close();
    });
    assert.ok(runs.length > 20, runs.join());
  });

  it("is aborted by a signal, before and while it waits, and leaves no listener", async () => {
    for (const before of [true, false]) {
      const [next, peer] = connected();
      const controller = new AbortController();
      if (before) controller.abort();
      const attempt = acceptProxy(next, { signal: controller.signal });
      await write(peer, text.subarray(0, 10)).catch(() => {});
      await turns(2);
      controller.abort();
      await assert.rejects(attempt, failsWith("core.aborted"));
      assert.ok(next.closed);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    }
    const [next, peer] = connected();
    const controller = new AbortController();
    await writeAll(peer, text);
    await acceptProxy(next, { signal: controller.signal });
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    controller.abort();
    assert.equal(next.closed, false);
  });

  it("refuses misuse without harm to the stream", async () => {
    const [next, peer] = connected();
    const reading = read(next);
    assert.throws(() => acceptProxy(next, () => {}), failsWith("core.operation_pending"));
    await assert.rejects(acceptProxy(next), failsWith("core.operation_pending"));
    await assert.rejects(acceptProxy(next, { signal: 1 as never }), failsWith("core.invalid_argument"));
    await writeAll(peer, request);
    assert.deepEqual(await reading, request);
  });

  it("refuses invalid options before it reads", async () => {
    for (const [options, message] of [
      [{ timeout: 5000 }, /"timeout": a signal ends it, as in { signal: AbortSignal.timeout\(5000\) }/],
      [{ require: false }, /did you mean required\?/],
      [{ required: 0 }, /required must be true or false/],
      [{ maxSize: NaN }, /^maxSize must be a number of bytes, 0 or more .*, not NaN/],
      [7, /^acceptProxy takes a plain object/],
    ] as const) {
      const [next] = connected();
      const given = options as AcceptProxyOptions;
      await assert.rejects(acceptProxy(next, given), { code: "core.invalid_argument", message });
      assert.throws(() => acceptProxy(next, given, () => {}), { code: "core.invalid_argument", message });
      // Nothing is in flight.
      next.readSome(() => {});
      next.close();
    }
  });
});
