// Whole sessions that use everything, in both roles, with everything that may fail failing at every moment.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Role } from "../../../src/core/index.ts";
import { everyFailure, type PairOptions, type Run } from "../../../src/testing/index.ts";
import { prepare, type Stream } from "../../../src/websocket/index.ts";
import { Connection, extensions, responseTo, roles } from "../support/client-kit.ts";
import { concat, frame } from "../support/frames.ts";
import { afterSteps, quiet } from "../../support/quiet.ts";
import { requestBytes } from "../support/requests.ts";
import { leave, Tracked } from "../support/tracked.ts";
import { outcomes } from "../../support/outcomes.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

const never = new Promise<never>(() => {});

/** A source that knows whether it is in use, up to its end, if it has one, or until it is told. */
class Source implements AsyncIterator<string, undefined> {
  isInUse = false;
  #left: number;
  readonly #hasEnd: boolean;

  constructor(parts: number, hasEnd: boolean) {
    this.#left = parts;
    this.#hasEnd = hasEnd;
  }

  [Symbol.asyncIterator](): this {
    this.isInUse = true;
    return this;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    await Promise.resolve();
    if (this.#left-- > 0) return { done: false, value: "source ".repeat(10) };
    return this.#hasEnd ? this.return() : never;
  }

  return(): Promise<IteratorResult<string, undefined>> {
    this.isInUse = false;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** What our side does; every promise is tracked, none is awaited in vain, and most by nobody. */
async function use(ws: Stream, sources: Source[], track: (promise: Promise<unknown>) => void): Promise<void> {
  const source = (parts: number, hasEnd = true): Source => {
    const made = new Source(parts, hasEnd);
    sources.push(made);
    return made;
  };
  const controller = new AbortController();
  const { signal } = controller;
  track(ws.write("text"));
  track(ws.write(new Uint8Array(700).fill(1)));
  track(ws.write([new Uint8Array(20), new Uint8Array(17_000)]));
  track(ws.write("long ".repeat(20_000)));
  track(ws.write(source(4)));
  track(ws.write(source(4), { signal }));
  track(ws.write("withdrawn, perhaps", { signal }));
  track(ws.write(prepare("prepared")));
  track(ws.writeSome("some", false));
  track(ws.ping("ping"));
  track(ws.writeSome("more", true));
  ws.send("sent");
  track(ws.write(new Set(["a", "b"])));

  const first = ws.read({ signal });
  track(first);
  controller.abort();
  await first.catch(() => {});
  const { bytes } = await ws.readSome();
  assert.ok(bytes.length >= 0);
  for (let done = false; !done;) ({ done } = await ws.readSome());
  const message = await ws.nextMessage();
  track(message.text());
  await quiet();
  await ws.nextMessage();
  const dropping = ws.read();
  track(dropping);
  track(ws.write(await dropping));
  track(ws.pong("pong"));
  track(ws.write(source(2, false)));
  for await (const one of ws) track(ws.write(one));
}

/** What the peer says. */
const said = (peer: Connection): Uint8Array =>
  concat(
    peer.text("one", { fin: false }),
    peer.ping("1"),
    peer.more("two"),
    peer.text("nextMessage"),
    peer.binary("dropped", { fin: false }),
    peer.more("too", { fin: false }),
    peer.ping("2"),
    peer.more(""),
    peer.text("read"),
    peer.text("x".repeat(200)),
    peer.binary("last"),
  );

interface Outcome {
  connection: Connection;
  /** What the promises came to that were rejected. */
  codes: Set<string>;
}

/** A session over a pair; `act` runs when it is open. */
async function session(
  role: Role,
  own: PairOptions,
  peers: PairOptions,
  { act, deflates = false, run }: { act?: (connection: Connection) => void; deflates?: boolean; run?: Run } = {},
): Promise<Outcome> {
  const timeouts = { idle: 300_000, keepAlivePings: true };
  const options = { highWaterMark: 200, writeBufferSize: 2000, timeouts, deflate: deflates };
  const connection = new Connection(role, options, { pair: own, peerPair: peers, ...(run !== undefined && { run }) });
  const { ws, peer, clock } = connection;
  const sources: Source[] = [];
  const tracked = new Tracked();
  const { track } = tracked;
  const opening = role === "server" ? ws.accept() : ws.handshake("example.com", "/chat");
  track(opening);
  track(
    opening.then(() => {
      act?.(connection);
      return use(ws, sources, track);
    }),
  );
  if (role === "server") void peer.write(requestBytes(deflates ? { "Sec-WebSocket-Extensions": extensions } : {}));
  const hasHead = (): boolean => Buffer.from(peer.received).includes("\r\n\r\n");
  for (let turn = 0; turn < 5 && !hasHead(); turn++) await quiet();
  if (role === "client" && hasHead()) void peer.write(responseTo(peer.received, deflates ? extensions : undefined));
  void peer.write(said(connection));
  for (let turn = 0; turn < 5; turn++) await quiet();
  await leave({ peer, clock, isClosed: () => connection.closed !== undefined }, connection.close(4000, "bye"));
  if (run !== undefined) await ws.closed.then(() => quiet());
  tracked.assertSettled();
  assert.ok(
    sources.every(({ isInUse }) => !isInUse),
    "a source was not told of the end",
  );
  assert.ok(connection.closed !== undefined, "closed is pending");
  assert.deepEqual([clock.pending, connection.next.closed, ws.isOpen, ws.bufferedAmount], [0, true, false, 0]);
  return { connection, codes: new Set(tracked.errors.map(({ code }) => code)) };
}

for (const role of roles) {
  describe(`a whole session as a ${role}`, () => {
    it("goes well where nothing fails", async () => {
      const { connection, codes } = await session(role, {}, {});
      assert.deepEqual(connection.closed, { code: 4000, reason: "bye", clean: true });
      const frames = connection.frames.map((one) => one.slice(0, 40));
      assert.equal(frames.at(-1), "close 4000");
      for (const one of [
        "text text",
        "text prepared",
        "ping 70696e67",
        "pong 31",
        "pong 32",
        "text sent",
        "text read",
      ]) {
        assert.ok(frames.includes(one), one);
      }
      assert.deepEqual(connection.errors, []);
      // The read and the writes that were aborted.
      assert.ok(codes.has("core.aborted"));
    });

    for (const [name, size, deflates] of [
      ["", Infinity, false],
      [", in short reads and writes", 700, false],
      [", with compressed messages", 700, true],
    ] as const) {
      it(`whatever fails below${name}`, async () => {
        const runs = await everyFailure(
          async (run) => {
            const { connection } = await session(role, { maxRead: size, maxWrite: size }, {}, { deflates, run });
            const codes = outcomes(run).length === 0 ? [4000] : [1006, 4000];
            assert.ok(codes.includes(connection.closed!.code), `${connection.closed!.code}`);
          },
          size < Infinity ? { failures: ["error", "end"] } : {},
        );
        // Where a thread compresses, what waits meanwhile leaves in fewer writes, or in more.
        assert.ok(runs.length > (deflates ? 10 : 30), runs.join());
      });
    }

    for (const loss of ["endAfter", "resetAfter"] as const) {
      it(`the peer ${loss === "endAfter" ? "ends" : "resets"} after any number of bytes`, async () => {
        for (let count = 0; count < 700; count += 7) {
          const { connection } = await session(role, { [loss]: count }, {});
          assert.ok([1006, 4000].includes(connection.closed!.code), `${connection.closed?.code} after ${count} bytes`);
        }
      });
    }

    it("the peer stops reading after any number of bytes, or its reading fails", async () => {
      for (let count = 0; count < 3000; count += 90) {
        const act = ({ peer }: Connection): void => {
          const pause = (): void => {
            if (peer.received.length >= count) peer.pause();
            else if (!peer.ended && peer.error === undefined) setImmediate(pause);
          };
          pause();
        };
        const stops = await session(role, {}, { capacity: 300, maxRead: 300 }, { act });
        assert.ok([1006, 4000].includes(stops.connection.closed!.code));
        const fails = await session(role, {}, { resetAfter: count });
        assert.ok([1006, 4000].includes(fails.connection.closed!.code));
      }
    });

    for (const act of ["terminate", "close", "reset", "violation"] as const) {
      it(`${act} at every step`, async () => {
        const seen = new Set<string>();
        for (let step = 0; step < 200; step++) {
          const atStep = ({ ws, peer }: Connection): void =>
            afterSteps(step, () => {
              if (act === "terminate") ws.terminate();
              else if (act === "close") void ws.close({ code: 4999 });
              else if (act === "reset") peer.stream.reset();
              else void peer.write(frame(11, "", role === "client" ? { key: undefined } : {}));
            });
          const deflates = step % 2 === 1;
          const { connection } = await session(role, { maxRead: 100, maxWrite: 500 }, {}, { act: atStep, deflates });
          seen.add(`${connection.closed!.code} ${connection.closed!.clean}`);
        }
        const possible = act === "violation" ? ["1002 false", "1006 false", "4000 true"] : ["1006 false", "4000 true"];
        for (const one of seen) assert.ok(possible.includes(one), `${one} at a step`);
      });
    }
  });
}
