import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CloseInfo, ServalError } from "../../../src/core/index.ts";
import { everyFailure, pair, VirtualClock, type PairOptions, type Run } from "../../../src/testing/index.ts";
import { Stream, type MessageData, type StreamOptions } from "../../../src/websocket/index.ts";
import { binary, close, concat, frame, more, ping, text } from "../support/frames.ts";
import { afterSteps, quiet } from "../../support/quiet.ts";
import { WebSocketPeer } from "../support/kit.ts";
import { requestBytes } from "../support/requests.ts";
import { leave, Tracked } from "../support/tracked.ts";
import { outcomes } from "../../support/outcomes.ts";
import { assertNoneUnhandled } from "../../support/unhandled.ts";

assertNoneUnhandled();

/** What a client says in a whole session. */
const said = concat(
  requestBytes(),
  text("one"),
  binary("two", { fin: false }),
  ping("a"),
  more("2"),
  text("x".repeat(200)),
);
/** How it ends, once it was answered. */
const bye = close(4000, "bye");
const echoes = [
  "text one",
  "pong 61",
  `binary ${Buffer.from("two2").toString("hex")}`,
  `text ${"x".repeat(200)}`,
  "close 4000",
];

interface Outcome {
  accept: string | undefined;
  settled: unknown[];
  closed: CloseInfo | undefined;
  peer: WebSocketPeer;
  next: ReturnType<typeof pair>[0];
  clock: VirtualClock;
  ws: Stream;
}

/** Where the application's promises go: none is awaited in vain, and most by nobody. */
type Use = (ws: Stream, options: StreamOptions, track: (promise: Promise<unknown>) => void) => Promise<unknown>;

const uses: [name: string, use: Use][] = [
  [
    "pulled",
    async (ws, _, track) => {
      const accepted = ws.accept();
      track(accepted);
      await accepted;
      track(ws.ping("p"));
      for await (const message of ws) track(ws.write(message));
      await ws.close();
    },
  ],
  [
    "pulled with read, and closed by us",
    async (ws, _, track) => {
      await ws.accept();
      for (let i = 0; i < 3; i++) {
        const read = ws.read();
        track(read);
        await ws.write(await read);
      }
      const closed = ws.close({ code: 4000 });
      track(closed);
      await closed;
    },
  ],
  [
    "pushed",
    async (ws, options, track) => {
      options.message = async (one, message: MessageData) => {
        await Promise.resolve();
        one.send(message);
        track(one.write(new Uint8Array(0)));
      };
      options.drain = () => {};
      await ws.accept();
      track(ws.closed);
    },
  ],
];

async function session(
  use: Use,
  own: PairOptions,
  peers: PairOptions,
  act?: (outcome: Outcome) => void,
  { bytes = said, run }: { bytes?: Uint8Array; run?: Run } = {},
): Promise<Outcome> {
  const [next, other] = pair({ capacity: Infinity, ...own }, { capacity: Infinity, ...peers });
  const peer = new WebSocketPeer(other);
  const clock = run?.clock ?? new VirtualClock();
  // The handlers are found when they are needed: this is known only after the options are copied.
  const late: StreamOptions = {};
  const pushed = use === uses[2][1];
  const ws = new Stream(run?.wrap(next) ?? next, {
    clock,
    highWaterMark: 64,
    ...(pushed && { message: (one, message) => late.message!(one, message) }),
  });
  const tracked = new Tracked();
  const { track, errors: settled } = tracked;
  const outcome: Outcome = { accept: undefined, settled, closed: undefined, peer, next, clock, ws };
  void ws.closed.then((info) => (outcome.closed = info));
  const using = use(ws, late, track);
  track(using);
  void peer.write(bytes);
  act?.(outcome);
  await quiet();
  await quiet();
  await leave({ peer, clock, isClosed: () => outcome.closed !== undefined }, bye);
  if (run !== undefined) await ws.closed.then(() => quiet());
  tracked.assertSettled();
  assert.ok(outcome.closed !== undefined, "closed is pending");
  assert.deepEqual([clock.pending, next.closed, ws.isOpen, ws.bufferedAmount], [0, true, false, 0]);
  return outcome;
}

for (const [name, use] of uses) {
  describe(`a whole session, ${name}`, () => {
    it("goes well where nothing fails", async () => {
      const { closed, peer, settled } = await session(use, {}, {});
      assert.deepEqual([closed, settled], [{ code: 4000, reason: "bye", clean: true }, []]);
      const frames = peer.frames.filter((one) => one !== "ping 70" && one !== "binary");
      assert.deepEqual(frames, echoes);
    });

    for (const size of [Infinity, 30]) {
      it(`whatever fails below${size === 30 ? ", in short reads and writes" : ""}`, async () => {
        const runs = await everyFailure(async (run) => {
          const { closed } = await session(use, { maxRead: size, maxWrite: size }, {}, undefined, { run });
          const codes = outcomes(run).length === 0 ? [4000] : [1006, 4000];
          assert.ok(codes.includes(closed!.code), `${closed!.code}`);
        });
        assert.ok(runs.length > (size === 30 ? 60 : 20), runs.join());
      });
    }

    for (const loss of ["endAfter", "resetAfter"] as const) {
      it(`the peer ${loss === "endAfter" ? "ends" : "resets"} after any number of bytes`, async () => {
        for (let count = 0; count <= said.length + bye.length; count++) {
          const { closed, settled } = await session(use, { [loss]: count }, {});
          const whole = count === said.length + bye.length;
          if (!whole) assert.equal(closed?.clean, false, `${count} bytes`);
          assert.ok(closed?.code === 1006 || (closed?.code === 4000 && whole), `${closed?.code} after ${count} bytes`);
          if (count < said.length && name.startsWith("pulled")) assert.ok(settled.length > 0);
        }
      });
    }

    it("the peer's reading fails after any number of bytes", async () => {
      for (let count = 0; count <= 500; count += 3) {
        const { closed } = await session(use, {}, { resetAfter: count });
        assert.ok([1006, 4000].includes(closed!.code));
      }
    });

    for (const act of ["terminate", "close", "reset", "violation"] as const) {
      it(`${act} at every step`, async () => {
        const seen = new Set<string>();
        for (let step = 0; step < 80; step++) {
          const { closed } = await session(use, { maxRead: 40, maxWrite: 40 }, {}, ({ ws, peer }) =>
            afterSteps(step, () => {
              if (act === "terminate") ws.terminate();
              else if (act === "close") void ws.close({ code: 4999 });
              else if (act === "reset") peer.stream.reset();
              else void peer.write(frame(3));
            }),
          );
          seen.add(`${closed?.code} ${closed?.clean}`);
        }
        const possible = act === "violation" ? ["1002 false", "4000 true"] : ["1006 false", "4000 true"];
        for (const one of seen) assert.ok(possible.includes(one), `${one} at a step`);
        assert.ok(seen.has(act === "close" ? "4000 true" : possible[0]), [...seen].join());
      });
    }

    it("a violation in the middle is reported to the peer and the caller", async () => {
      const bytes = concat(requestBytes(), text("one"), frame(5), text("two"));
      const { closed, peer, settled } = await session(use, {}, {}, undefined, { bytes });
      assert.deepEqual([closed?.code, closed?.clean], [1002, false]);
      assert.match(peer.frames.at(-1) ?? "", /^close 1002/);
      if (name.startsWith("pulled"))
        assert.ok(settled.some((error) => (error as ServalError).code === "websocket.bad_opcode"));
    });
  });
}
