import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "node:test";
import { ServalError, type ByteStream } from "../../src/core/index.ts";
import { loadSocks } from "../../src/client/packages.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { openSocks, socksDestination } from "../../src/client/socks.ts";
import { parseUrl } from "../../src/client/url.ts";
import { everyFailure, pair, type PairOptions, type PairStream, type Run } from "../../src/testing/index.ts";
import { isStuck, read, readExactly, turns, writeAll } from "../core/support/stream-operations.ts";
import { outcomes } from "../support/outcomes.ts";

const proxy = parseProxy("socks5h://ada:opensesame@proxy.example");
const socks = await loadSocks();

/** What RFC 1928 and RFC 1929 have the proxy say. */
const passwordPlease = [5, 2];
const welcome = [1, 0];
const granted = [5, 0, 0, 1, 127, 0, 0, 1, 31, 144];

/** Opens a connection over a pair whose other end says all this, a step behind each thing it hears. */
function opening(
  steps: readonly (readonly number[])[],
  { options = {}, ends = false, run, signal = run?.signal ?? new AbortController().signal } = {} as {
    options?: PairOptions;
    ends?: boolean;
    run?: Run;
    signal?: AbortSignal;
  },
): { stream: Promise<ByteStream>; ours: PairStream; peer: PairStream; heard: Buffer[] } {
  const [ours, peer] = pair(options, {});
  const stream = openSocks(socks, run?.wrap(ours) ?? ours, { host: "example.com", port: 443 }, proxy, {
    signal,
    timeout: 30_000,
  });
  stream.catch(() => {});
  const heard: Buffer[] = [];
  const script = async (): Promise<void> => {
    for (const step of steps) {
      const size = [4, 1 + 1 + 3 + 1 + 10, 4 + 1 + 11 + 2][heard.length]!;
      heard.push(await readExactly(peer, size));
      await writeAll(peer, Uint8Array.from(step));
    }
    if (ends) peer.end();
  };
  script().catch(() => {});
  return { stream, ours, peer, heard };
}

async function failure(stream: Promise<ByteStream>): Promise<ServalError> {
  const error: unknown = await stream.then(
    () => assert.fail("the connection is open"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServalError, String(error));
  assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /opensesame/);
  return error;
}

describe("openSocks", () => {
  for (const options of [{}, { maxRead: 1 }, { maxWrite: 1 }] satisfies PairOptions[]) {
    it(`greets, asks for the destination, and carries bytes, ${JSON.stringify(options)}`, async () => {
      const { stream: opened, ours, peer, heard } = opening([passwordPlease, welcome, granted], { options });
      const stream = await opened;
      assert.deepEqual(
        heard.map((bytes) => bytes.toString("latin1")),
        ["\x05\x02\x00\x02", "\x01\x03ada\x0aopensesame", "\x05\x01\x00\x03\x0bexample.com\x01\xbb"],
      );
      await Promise.all([writeAll(stream, Buffer.from("hello")), writeAll(peer, Buffer.from("there"))]);
      assert.equal(String(await readExactly(peer, 5)), "hello");
      assert.equal(String(await readExactly(stream, 5)), "there");
      stream.close();
      await turns();
      assert.ok(ours.closed);
    });
  }

  it("keeps the bytes after the proxy's last reply, and takes no more than is read", async () => {
    const [ours, peer] = pair({ capacity: 1000 });
    const opened = openSocks(socks, ours, { host: "192.0.2.1", port: 80 }, parseProxy("socks5h://proxy.example"), {
      signal: new AbortController().signal,
      timeout: 30_000,
    });
    await readExactly(peer, 3);
    await writeAll(peer, Uint8Array.from([5, 0]));
    assert.deepEqual([...(await readExactly(peer, 10))], [5, 1, 0, 1, 192, 0, 2, 1, 0, 80]);
    await writeAll(peer, Buffer.concat([Buffer.from(granted), Buffer.from("front")]));
    const stream = await opened;
    const more = writeAll(peer, Buffer.alloc(500_000, "x"));
    assert.ok(await isStuck(more));
    assert.match(String(await read(stream)), /^frontx*$/);
    stream.close();
    await more.catch(() => {});
  });

  it("goes on writing after the peer's end", async () => {
    const { stream: opened, peer } = opening([passwordPlease, welcome, granted]);
    const stream = await opened;
    peer.end();
    assert.equal(await read(stream), undefined);
    await turns();
    await writeAll(stream, Buffer.from("still here"));
    assert.equal(String(await readExactly(peer, 10)), "still here");
    stream.close();
  });

  const refusals: readonly [steps: readonly (readonly number[])[], message: RegExp][] = [
    [[[5, 0xff]], /no accepted authentication type/],
    [[[4, 0]], /version/],
    [[passwordPlease, [1, 1]], /Authentication failed/],
    [[passwordPlease, welcome, [5, 2, 0, 1, 0, 0, 0, 0, 0, 0]], /NotAllowed/],
    [[passwordPlease, welcome, [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]], /ConnectionRefused/],
  ];
  for (const [steps, message] of refusals) {
    it(`is refused: ${message.source}`, async () => {
      for (const options of [{}, { maxRead: 1 }]) {
        const { stream, ours } = opening(steps, { options });
        const error = await failure(stream);
        assert.deepEqual([error.code, error.condition], ["client.proxy_refused", "handshake_failed"]);
        assert.match(error.message, /^The proxy proxy\.example:1080 refused the connection: /);
        assert.match(error.message, message);
        await turns();
        assert.ok(ours.closed);
      }
    });
  }

  it("is refused by a proxy that ends, at any point", async () => {
    const all = [passwordPlease, welcome, granted];
    for (let count = 0; count < all.length; count++) {
      const { stream, ours } = opening(all.slice(0, count), { ends: true });
      assert.equal((await failure(stream)).code, "client.proxy_refused");
      await turns();
      assert.ok(ours.closed);
    }
    const { stream, ours } = opening([...all.slice(0, 2), granted.slice(0, 7)], { ends: true });
    assert.equal((await failure(stream)).code, "client.proxy_refused");
    assert.ok(ours.closed);
  });

  it("fails and closes the stream whatever fails below", async () => {
    const runs = await everyFailure(async (run) => {
      const { stream } = opening([passwordPlease, welcome, granted], { options: { maxRead: 2 }, run });
      const outcome = await stream.then(
        (opened) => opened.close(),
        ({ code }: ServalError) => code,
      );
      const ended = run.failure === "end" ? ["client.proxy_refused"] : [];
      assert.ok(outcomes(run, undefined, ...ended).includes(outcome as string | undefined), String(outcome));
    });
    assert.ok(runs.length > 30, runs.join());
  });

  it("is aborted by a signal, before and at each step", async () => {
    const all = [passwordPlease, welcome, granted];
    const before = opening(all, { signal: AbortSignal.abort() });
    assert.equal((await failure(before.stream)).code, "core.aborted");
    for (let count = 0; count < all.length; count++) {
      const controller = new AbortController();
      const { stream, ours } = opening(all.slice(0, count), { signal: controller.signal });
      assert.ok(await isStuck(stream));
      controller.abort();
      assert.equal((await failure(stream)).code, "core.aborted");
      await turns();
      assert.ok(ours.closed);
    }
    const controller = new AbortController();
    const { stream, peer } = opening(all, { signal: controller.signal });
    const opened = await stream;
    controller.abort();
    peer.end();
    assert.equal(await read(opened), undefined);
    opened.close();
  });
});

describe("socksDestination", () => {
  const { signal } = new AbortController();
  const local = parseProxy("socks5://proxy.example");

  it("leaves names to a socks5h: proxy, and addresses as they are", async () => {
    assert.deepEqual(await socksDestination(parseUrl("wss://example.com"), proxy, undefined, signal), {
      host: "example.com",
      port: 443,
    });
    for (const host of ["127.0.0.1", "::1"]) {
      const endpoint = parseUrl(`ws://${host.includes(":") ? `[${host}]` : host}:8080`);
      assert.deepEqual(await socksDestination(endpoint, local, undefined, signal), { host, port: 8080 });
    }
  });

  it("looks names up for a socks5: proxy", async () => {
    assert.deepEqual(await socksDestination(parseUrl("ws://localhost"), local, 4, signal), {
      host: "127.0.0.1",
      port: 80,
    });
  });

  it("reports an unknown name", async () => {
    // RFC 6761 section 6.4: no name server is asked for such a name that knows what it does.
    await assert.rejects(socksDestination(parseUrl("ws://nowhere.invalid"), local, undefined, signal), (error) => {
      assert.ok(error instanceof ServalError);
      assert.equal(error.code, "net.host_not_found");
      assert.match(error.message, /nowhere\.invalid:80/);
      return true;
    });
  });

  it("is aborted by a signal", async () => {
    const looked = socksDestination(parseUrl("ws://localhost"), local, undefined, AbortSignal.abort());
    await assert.rejects(looked, { code: "core.aborted" });
  });
});
