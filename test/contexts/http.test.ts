import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer, type ByteStream } from "../../src/core/index.ts";
import {
  readHeader,
  Request,
  request,
  RequestParser,
  Response,
  serve,
  write,
  type RequestHandler,
  type ServeOptions,
} from "../../src/http/index.ts";
import { pair, VirtualClock, type PairStream } from "../../src/testing/index.ts";
import { deferred, quiet } from "../support/quiet.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { until } from "../support/until.ts";
import { enter, ForeignStream, Seen, within } from "./support/contexts.ts";
import { transports } from "../support/transports.ts";

/** A connection that is served in the context "own", over a layer that calls back in another one, and its client. */
class Subject {
  readonly seen: Seen = new Seen();
  readonly clock: VirtualClock = new VirtualClock();
  readonly next: ForeignStream;
  readonly client: RawPeer;

  private constructor(stream: ByteStream, client: ByteStream) {
    this.next = new ForeignStream(stream);
    this.client = new RawPeer(client as PairStream);
  }

  static async open(
    transport: string,
    handler: (seen: Seen) => RequestHandler,
    options: ServeOptions = {},
  ): Promise<Subject> {
    const subject = new Subject(...(await transports[transport]!()));
    const { seen, clock, next } = subject;
    within("own", () =>
      serve(
        next,
        handler(seen),
        { clock, date: false, error: seen.noting("error"), ...options },
        seen.noting("completed"),
      ),
    );
    return subject;
  }

  async send(text: string): Promise<void> {
    await within("peer", () => this.client.write(text));
  }

  /** Waits for so many responses. */
  async answered(count: number): Promise<void> {
    await until(() => this.client.text.split("HTTP/1.1 ").length > count);
  }

  /** Expects these calls and no others, after its end, all of them and all requests in its context. */
  async assertSeen(handlers: string): Promise<void> {
    this.client.stream.close();
    await until(() => this.seen.has("completed"));
    await quiet();
    assert.deepEqual(
      this.seen.calls,
      `${handlers} completed`
        .split(" ")
        .toSorted()
        .map((handler) => `${handler}: own`),
    );
    assert.deepEqual(this.next.requests.calls, ["request: own"]);
  }
}

const get = (headers = ""): string => `GET / HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;

const cases: Readonly<Record<string, (transport: string) => Promise<void>>> = {
  async "to requests that come one by one, and together"(transport) {
    const subject = await Subject.open(transport, (seen) => () => {
      seen.note("handler");
      return new Response({ body: "x" });
    });
    await subject.send(get());
    await subject.answered(1);
    await subject.send(get() + get() + get());
    await subject.answered(4);
    await subject.assertSeen("handler");
  },

  async "that answers when another lets it"(transport) {
    const other = deferred();
    const subject = await Subject.open(transport, (seen) => async () => {
      seen.note("handler");
      await other.promise;
      seen.note("later");
      return new Response({ body: "x" });
    });
    await subject.send(get() + get());
    await until(() => subject.seen.has("handler"));
    within("foreign", other.resolve);
    await subject.answered(2);
    await subject.assertSeen("handler later");
  },

  async "whatever the one before has entered for good"(transport) {
    const subject = await Subject.open(transport, (seen) => () => {
      seen.note("handler");
      enter("of one request");
      return new Response({ body: "x" });
    });
    await subject.send(get() + get());
    await subject.answered(2);
    await subject.send(get());
    await subject.answered(3);
    await subject.assertSeen("handler");
  },

  async "that reads a body"(transport) {
    const subject = await Subject.open(transport, (seen) => async (received) => {
      seen.note("handler");
      await received.text();
      seen.note("read");
      return new Response();
    });
    await subject.send(`${get("Content-Length: 3\r\nExpect: 100-continue\r\n")}`);
    await subject.answered(1);
    await subject.send(`abc${get()}`);
    await subject.answered(3);
    await subject.assertSeen("handler read");
  },

  async "whose response comes in parts, each when there is room"(transport) {
    const subject = await Subject.open(transport, (seen) => () => {
      const parts = async function* (): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 20; i++) {
          seen.note("source");
          yield new Uint8Array(100_000);
        }
        await Promise.resolve();
      };
      return new Response({ body: parts() });
    });
    await subject.send(get() + get());
    await subject.answered(2);
    await subject.assertSeen("source");
  },

  async "that fails"(transport) {
    const subject = await Subject.open(transport, (seen) => () => {
      seen.note("handler");
      throw new Error("of the application");
    });
    await subject.send(get());
    await subject.answered(1);
    await subject.assertSeen("handler error");
  },

  async "whose client goes away"(transport) {
    const subject = await Subject.open(transport, (seen) => (_, { signal }) => {
      seen.note("handler");
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          seen.note("abort");
          resolve(new Response());
        });
      });
    });
    await subject.send(get());
    await until(() => subject.seen.has("handler"));
    subject.client.stream.close();
    await until(() => subject.seen.has("abort"));
    await subject.assertSeen("abort handler");
  },

  async "whose connection another ends"(transport) {
    const controller = new AbortController();
    const handler =
      (seen: Seen): RequestHandler =>
      (_, { signal }) => {
        signal.addEventListener("abort", seen.noting("abort"));
        seen.note("handler");
        return new Promise(() => {});
      };
    const subject = await Subject.open(transport, handler, { signal: controller.signal });
    await subject.send(get());
    await until(() => subject.seen.has("handler"));
    within("foreign", () => controller.abort());
    await subject.assertSeen("abort handler");
  },

  async "whose server another stops"(transport) {
    const stop = new AbortController();
    const subject = await Subject.open(
      transport,
      (seen) => () => {
        seen.note("handler");
        return new Response();
      },
      { stop: stop.signal },
    );
    await subject.send(get());
    await subject.answered(1);
    within("foreign", () => stop.abort());
    await subject.assertSeen("handler");
  },

  async "whose client is too slow"(transport) {
    const handler =
      (seen: Seen): RequestHandler =>
      async (received, { signal }) => {
        signal.addEventListener("abort", seen.noting("abort"));
        seen.note("handler");
        await received.text().catch(() => {});
        seen.note("failed");
        return undefined;
      };
    const subject = await Subject.open(transport, handler, { timeouts: { body: 1000 } });
    await subject.send(get("Content-Length: 3\r\n"));
    await until(() => subject.seen.has("handler"));
    await within("foreign", () => subject.clock.advance(10_000));
    await until(() => subject.seen.has("failed"));
    await within("foreign", () => subject.clock.advance(100_000));
    await subject.assertSeen("failed handler error");
  },
};

for (const transport of Object.keys(transports)) {
  describe(`the handler of http.serve runs in its async context, over ${transport}`, () => {
    for (const [name, run] of Object.entries(cases)) it(name, () => run(transport));
  });
}

describe("the completion of an HTTP operation runs in its caller's async context:", () => {
  it("reading", async () => {
    const [stream, other] = pair();
    const seen = new Seen();
    within("caller", () =>
      readHeader(new ForeignStream(stream), new FlatBuffer(), new RequestParser(), seen.noting("done")),
    );
    await within("peer", () => new RawPeer(other).write(get()));
    await quiet();
    assert.deepEqual(seen.calls, ["done: caller"]);
  });

  it("writing, and asking its source for more", async () => {
    const [stream, other] = pair({}, { capacity: 10 });
    const seen = new Seen();
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 5; i++) {
        seen.note("source");
        yield new Uint8Array(1000);
      }
      await Promise.resolve();
    };
    within("caller", () => write(new ForeignStream(stream), new Response({ body: parts() }), seen.noting("done")));
    within("peer", () => new RawPeer(other));
    await quiet(10);
    assert.deepEqual(seen.calls, ["done: caller", "source: caller"]);
  });

  it("a request, and its handler of interim responses", async () => {
    const [stream, other] = pair();
    const seen = new Seen();
    const message = new Request({ headers: { Host: "h" } });
    const options = { interim: seen.noting("interim") };
    within("caller", () => request(new ForeignStream(stream), message, options, seen.noting("done")));
    const peer = new RawPeer(other);
    await within("peer", () => peer.write("HTTP/1.1 103 Early Hints\r\n\r\n"));
    await within("peer", () => peer.write("HTTP/1.1 204 No Content\r\n\r\n"));
    await quiet();
    assert.deepEqual(seen.calls, ["done: caller", "interim: caller"]);
  });
});
