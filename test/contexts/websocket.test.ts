import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Role } from "../../src/core/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { prepare, Stream, type StreamOptions } from "../../src/websocket/index.ts";
import { deferred, quiet } from "../support/quiet.ts";
import { until } from "../support/until.ts";
import { ForeignStream, Seen, within } from "./support/contexts.ts";
import { transports } from "../support/transports.ts";

/** What a case may set of the stream that is tested. */
type Options = (seen: Seen, clock: VirtualClock) => StreamOptions;

/** Which connections a case is about. */
interface Where {
  readonly transport: string;
  readonly role: Role;
}

/** A WebSocket whose handlers note their contexts, over a layer that calls back in another one; and its peer, which is pulled. */
class Subject {
  readonly seen: Seen = new Seen();
  readonly clock: VirtualClock;
  readonly ws: Stream;
  readonly peer: Stream;
  readonly next: ForeignStream;

  private constructor([next, other]: readonly [ForeignStream, Stream], clock: VirtualClock, options: Options) {
    const { seen } = this;
    this.next = next;
    this.peer = other;
    this.clock = clock;
    const own = options(seen, clock);
    this.ws = new Stream(next, {
      open: seen.noting("open"),
      message: seen.noting("message"),
      drain: seen.noting("drain"),
      control: seen.noting("control"),
      error: seen.noting("error"),
      close: seen.noting("close"),
      deflate: true,
      clock,
      ...own,
      timeouts: { idle: Infinity, ...own.timeouts },
    });
  }

  /** Opens one in the context of this name. */
  static async open(
    name: string,
    { transport, role }: Where,
    options: Options = () => ({}),
    clock: VirtualClock = new VirtualClock(),
  ): Promise<Subject> {
    const [server, client] = await transports[transport]!();
    const [own, other] = role === "server" ? [server, client] : [client, server];
    const peer = new Stream(other, { deflate: true, timeouts: { idle: Infinity }, maxBufferedAmount: Infinity });
    const subject = new Subject([new ForeignStream(own), peer], clock, options);
    const start = (ws: Stream, as: Role): Promise<void> => (as === "server" ? ws.accept() : ws.handshake("h", "/"));
    await Promise.all([
      within(name, () => start(subject.ws, role)),
      within("peer", () => start(peer, role === "server" ? "client" : "server")),
    ]);
    return subject;
  }

  /** Two, in the contexts "first" and "second", whose handlers of `open` have run. */
  static async openTwo(where: Where, options?: Options, clock?: VirtualClock): Promise<[Subject, Subject]> {
    const first = await Subject.open("first", where, options, clock);
    const second = await Subject.open("second", where, options, clock);
    await Promise.all([first.called("open"), second.called("open")]);
    return [first, second];
  }

  /** Waits until a handler was called. */
  async called(handler: string): Promise<void> {
    await until(() => this.seen.has(handler));
  }

  /** Has someone else send until there is no room. */
  fill(): void {
    const data = "x".repeat(60_000);
    within("foreign", () => {
      for (let most = 1000; most > 0 && this.ws.send(data, { compress: false }); most--);
    });
  }

  /** Has the peer read all that it is sent. */
  drainPeer(): void {
    const read = async (): Promise<void> => {
      for await (const _ of this.peer);
    };
    within("peer", read).catch(() => {});
  }

  /** Expects these calls and no others of its handlers, after its end, all of them and all requests in the context of this name. */
  async assertSeen(handlers: string, name = "own"): Promise<void> {
    within("foreign", () => {
      this.ws.terminate();
      this.peer.terminate();
    });
    await Promise.all([this.ws.closed, this.peer.closed]);
    await quiet();
    assert.deepEqual(
      this.seen.calls,
      handlers
        .split(" ")
        .toSorted()
        .map((handler) => `${handler}: ${name}`),
    );
    assert.deepEqual(this.next.requests.calls, [`request: ${name}`]);
  }
}

/** How a handler comes to be called by the doing of another than its own connection; in the order of the names. */
const cases: Readonly<Record<string, (where: Where) => Promise<void>>> = {
  async "of what the peer sends"(where) {
    const subject = await Subject.open("own", where);
    await within("peer", async () => {
      subject.peer.send("text");
      await subject.peer.ping();
      subject.peer.send("z".repeat(10_000));
      void subject.peer.close();
    });
    await subject.called("close");
    await subject.assertSeen("open message control close");
  },

  async "of two that another fills in one tick"(where) {
    const [first, second] = await Subject.openTwo(where);
    first.fill();
    second.fill();
    second.drainPeer();
    first.drainPeer();
    await Promise.all([first.called("drain"), second.called("drain")]);
    await first.assertSeen("open drain close", "first");
    await second.assertSeen("open drain close", "second");
  },

  async "that another terminates"(where) {
    const subject = await Subject.open("own", where);
    await subject.called("open");
    within("foreign", () => subject.ws.terminate());
    await subject.called("close");
    await subject.assertSeen("open close");
  },

  async "that another closes"(where) {
    const subject = await Subject.open("own", where);
    await subject.called("open");
    within("foreign", () => void subject.ws.close());
    subject.drainPeer();
    await subject.called("close");
    await subject.assertSeen("open control close");
  },

  async "whose queue another overfills"(where) {
    const subject = await Subject.open("own", where, () => ({ maxBufferedAmount: 1 }));
    await subject.called("open");
    within("foreign", () => {
      subject.ws.send("x".repeat(100));
      subject.ws.send("y");
    });
    await subject.called("close");
    await subject.assertSeen("open error close");
  },

  async "of two whose deadlines share a timer"(where) {
    const clock = new VirtualClock();
    const silent: Options = () => ({ timeouts: { idle: 1000, keepAlivePings: false } });
    const [first, second] = await Subject.openTwo(where, silent, clock);
    await within("foreign", () => clock.advance(1100));
    await Promise.all([first.called("close"), second.called("close")]);
    await first.assertSeen("open error close", "first");
    await second.assertSeen("open error close", "second");
  },

  async "of two whose pings share a timer"(where) {
    const clock = new VirtualClock();
    const asking: Options = () => ({ timeouts: { idle: 1000, keepAlivePings: true } });
    const [first, second] = await Subject.openTwo(where, asking, clock);
    first.drainPeer();
    second.drainPeer();
    await within("foreign", () => clock.advance(600));
    await Promise.all([first.called("control"), second.called("control")]);
    await first.assertSeen("open control close", "first");
    await second.assertSeen("open control close", "second");
  },

  async "whose handler waits for another"(where) {
    const other = deferred();
    const subject = await Subject.open("own", where, (seen) => ({
      message(_, message) {
        seen.note("message");
        return message === "wait" ? other.promise : undefined;
      },
    }));
    subject.peer.send("wait");
    subject.peer.send("go on");
    await subject.called("message");
    within("foreign", other.resolve);
    await quiet();
    await subject.assertSeen("open message close");
  },

  async "whose handler fails by another"(where) {
    const other = deferred();
    const subject = await Subject.open("own", where, (seen) => ({
      message() {
        seen.note("message");
        return other.promise;
      },
    }));
    subject.peer.send("wait");
    await subject.called("message");
    within("foreign", () => other.reject(new Error("of another")));
    subject.drainPeer();
    await subject.called("close");
    await subject.assertSeen("open message error control close");
  },

  async "of a message that is inflated on the pool"(where) {
    const subject = await Subject.open("own", where);
    subject.peer.send("z".repeat(4_000_000));
    await subject.called("message");
    await subject.assertSeen("open message close");
  },

  async "of messages that another has the pool deflate"(where) {
    const subject = await Subject.open("own", where, () => ({ highWaterMark: 1 }));
    await subject.called("open");
    const message = prepare("z".repeat(4_000_000));
    within("foreign", () => {
      subject.ws.send(message);
      subject.ws.send("y".repeat(4_000_000));
    });
    subject.drainPeer();
    await subject.called("drain");
    await subject.assertSeen("open drain close");
  },

  async "of two that have spent their turn"(where) {
    const [first, second] = await Promise.all(["first", "second"].map((name) => Subject.open(name, where)));
    const subjects = [first!, second!];
    for (const { peer } of subjects) for (let i = 0; i < 60; i++) peer.send(`é${"z".repeat(100_000)}`);
    await until(() => subjects.every(({ ws }) => ws.stats().messagesReceived === 60));
    assert.ok(subjects.every(({ ws }) => ws.stats().turnsWaited > 0));
    await first.assertSeen("open message close", "first");
    await second.assertSeen("open message close", "second");
  },

  async "of a peer that has to wait"(where) {
    const subject = await Subject.open("own", where, () => ({ rate: { messages: 1, burst: 1000 } }));
    subject.peer.send("first");
    subject.peer.send("second");
    await subject.called("message");
    subject.peer.send("third");
    for (let i = 0; i < 10; i++) await within("foreign", () => subject.clock.advance(1000));
    void subject.peer.close();
    for (let i = 0; i < 10; i++) await within("foreign", () => subject.clock.advance(1000));
    await subject.called("close");
    await subject.assertSeen("open message control close");
  },

  async "of a message that another takes back"(where) {
    const subject = await Subject.open("own", where, () => ({ highWaterMark: 1 }));
    await subject.called("open");
    subject.fill();
    const controller = new AbortController();
    const written = within("foreign", () => subject.ws.write("y".repeat(100_000), { signal: controller.signal }));
    within("foreign", () => controller.abort());
    await assert.rejects(written, { code: "core.aborted" });
    subject.drainPeer();
    await subject.called("drain");
    await subject.assertSeen("open drain close");
  },

  async "of a message in parts that fails at another"(where) {
    const subject = await Subject.open("own", where);
    await subject.called("open");
    const failing = async function* (): AsyncGenerator<string> {
      yield "some";
      await quiet();
      throw new Error("of another");
    };
    const written = within("foreign", () => subject.ws.write(failing()));
    subject.drainPeer();
    await assert.rejects(written, { code: "websocket.source_failed" });
    await subject.called("close");
    await subject.assertSeen("open error control close");
  },

  async "of a message in parts that another cuts"(where) {
    const subject = await Subject.open("own", where);
    await subject.called("open");
    const { seen } = subject;
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: () => (seen.note("source"), quiet().then(() => ({ done: false, value: "some" }))),
        return: () => (seen.note("return"), Promise.resolve({ done: true, value: undefined })),
      }),
    };
    const written = within("own", () => subject.ws.write(endless as AsyncIterable<string>));
    await subject.called("source");
    within("foreign", () => subject.ws.terminate());
    await assert.rejects(written, { code: "core.aborted" });
    await subject.assertSeen("open source return close");
  },

  async "of a message that another sends in parts, from its own context"(where) {
    const subject = await Subject.open("own", where, () => ({ highWaterMark: 1 }));
    await subject.called("open");
    const { seen } = subject;
    const parts = function* (): Generator<string> {
      for (let i = 0; i < 5; i++) {
        seen.note("source");
        yield "z".repeat(10_000);
      }
    };
    const written = within("own", () => subject.ws.write(parts()));
    subject.fill();
    subject.drainPeer();
    await written;
    await subject.called("drain");
    await subject.assertSeen("open source drain close");
  },
};

for (const transport of Object.keys(transports)) {
  for (const role of ["server", "client"] as const) {
    describe(`the handlers of a ${role}'s WebSocket run in its async context, over ${transport}`, () => {
      for (const [name, run] of Object.entries(cases)) it(name, () => run({ transport, role }));
    });
  }
}

describe("the hooks of a handshake run in the async context of accept, over", () => {
  for (const transport of Object.keys(transports)) {
    it(transport, async () => {
      const [server, client] = await transports[transport]!();
      const seen = new Seen();
      const other = deferred();
      const next = new ForeignStream(server);
      const ws = new Stream(next, {
        async upgrade() {
          seen.note("upgrade");
          await other.promise;
          seen.note("upgrade");
        },
        decorate: seen.noting("decorate"),
        open: seen.noting("open"),
        message: seen.noting("message"),
        close: seen.noting("close"),
      });
      const peer = new Stream(client);
      const opened = Promise.all([within("own", () => ws.accept()), within("peer", () => peer.handshake("h", "/"))]);
      await until(() => seen.has("upgrade"));
      within("foreign", other.resolve);
      await opened;
      await peer.close();
      await ws.closed;
      await quiet();
      assert.deepEqual(seen.calls, ["close: own", "decorate: own", "open: own", "upgrade: own"]);
      assert.deepEqual(next.requests.calls, ["request: own"]);
    });
  }
});

/** Each operation that takes a completion handler, and what the peer does for it. */
const operations: Readonly<Record<string, (ws: Stream, done: () => void, peer: Stream) => unknown>> = {
  read: (ws, done, peer) => (ws.read(done), peer.send("text")),
  readSome: (ws, done, peer) => (ws.readSome(done), peer.send("text")),
  nextMessage: (ws, done, peer) => (ws.nextMessage(done), peer.send("text")),
  write: (ws, done) => ws.write("x".repeat(300_000), done),
  "write of parts": (ws, done) => ws.write(["a", "b"], done),
  ping: (ws, done) => ws.ping("", done),
  close: (ws, done) => ws.close({}, done),
};

describe("the completion of an operation runs in the async context of its caller:", () => {
  for (const [name, start] of Object.entries(operations)) {
    it(name, async () => {
      const seen = new Seen();
      const subject = await Subject.open(
        "own",
        { transport: "a pair in memory", role: "server" },
        () =>
          ({
            message: undefined,
            highWaterMark: 1,
          }) as unknown as StreamOptions,
      );
      within("caller", () => start(subject.ws, seen.noting("done"), subject.peer));
      subject.drainPeer();
      await until(() => seen.has("done"));
      assert.deepEqual(seen.calls, ["done: caller"]);
      await subject.assertSeen(name === "close" || name === "ping" ? "open control close" : "open close");
    });
  }

  it("an operation that a signal ends", async () => {
    const seen = new Seen();
    const subject = await Subject.open(
      "own",
      { transport: "a pair in memory", role: "server" },
      () =>
        ({
          message: undefined,
        }) as unknown as StreamOptions,
    );
    const controller = new AbortController();
    within("caller", () => subject.ws.read({ signal: controller.signal }, seen.noting("done")));
    within("foreign", () => controller.abort());
    await until(() => seen.has("done"));
    assert.deepEqual(seen.calls, ["done: caller"]);
    await subject.assertSeen("open close");
  });
});
