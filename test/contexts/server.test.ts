import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect, type ConnectOptions } from "../../src/client/index.ts";
import type { Transport } from "../../src/net/index.ts";
import { mount, serve, type ServeOptions, type Server, type ServerWebSocket } from "../../src/server/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { deferred } from "../support/quiet.ts";
import { until } from "../support/until.ts";
import { Seen, within } from "./support/contexts.ts";

/** How the server and its clients are connected. */
interface Way {
  readonly transport: Transport;
  readonly isSecure: boolean;
}

const ways: readonly Way[] = [
  { transport: "handle", isSecure: false },
  { transport: "socket", isSecure: false },
  { transport: "handle", isSecure: true },
  { transport: "socket", isSecure: true },
];

function nameOf({ transport, isSecure }: Way): string {
  return `${isSecure ? "TLS over " : ""}${transport}s`;
}

function optionsOf({ transport }: Way): ConnectOptions {
  return { transport, tls: { ca: localhost.cert } };
}

/** A server that is started in the context "server", and whose handlers note theirs. */
class Subject {
  readonly seen: Seen = new Seen();
  readonly clock: VirtualClock = new VirtualClock();
  readonly sockets: ServerWebSocket[] = [];
  server!: Server;
  readonly #way: Way;

  private constructor(way: Way) {
    this.#way = way;
  }

  static async start(way: Way, options: ServeOptions = {}): Promise<Subject> {
    const subject = new Subject(way);
    const { seen, clock, sockets } = subject;
    subject.server = await within("server", () =>
      serve({
        port: 0,
        host: "127.0.0.1",
        clock,
        transport: way.transport,
        tls: way.isSecure ? localhost : undefined,
        upgrade: seen.noting("upgrade"),
        open(ws) {
          seen.note("open");
          sockets.push(ws);
          ws.subscribe("news");
        },
        message: seen.noting("message"),
        drain: seen.noting("drain"),
        error: seen.noting("error"),
        close: seen.noting("close"),
        fetch() {
          seen.note("fetch");
          return new Response("x");
        },
        ...options,
      }),
    );
    return subject;
  }

  /** Connects in the context "client", and waits until the server has opened it too. */
  async connect(): ReturnType<typeof connect> {
    const { port } = this.server;
    const count = this.sockets.length;
    const url = `${this.#way.isSecure ? "wss" : "ws"}://127.0.0.1:${port}/`;
    const client = await within("client", () => connect(url, optionsOf(this.#way)));
    await until(() => this.sockets.length > count);
    return client;
  }

  /** Drains it in another's context, and expects these calls and no others of its handlers, all in its own. */
  async assertSeen(handlers: string): Promise<void> {
    const drained = within("foreign", () => this.server.drain({ timeout: 1000 }));
    let isDrained = false;
    void drained.then(() => (isDrained = true));
    await until(
      () => isDrained,
      () => within("foreign", () => this.clock.advance(1000)),
    );
    const expected = handlers.split(" ").toSorted();
    assert.deepEqual(
      this.seen.calls,
      expected.map((handler) => `${handler}: server`),
    );
  }
}

const cases: Readonly<Record<string, (way: Way) => Promise<void>>> = {
  async "of what clients send"(way) {
    const subject = await Subject.start(way);
    const client = await subject.connect();
    client.send("text");
    await until(() => subject.seen.has("message"));
    await client.close();
    await subject.assertSeen("upgrade open message close");
  },

  async "of what another publishes, which fills two in one tick"(way) {
    const subject = await Subject.start(way);
    const clients = await Promise.all([subject.connect(), subject.connect()]);
    const data = "x".repeat(60_000);
    within("foreign", () => {
      for (let i = 0; i < 200; i++) subject.server.publish("news", data);
    });
    for (const client of clients) {
      const read = async (): Promise<void> => {
        for await (const _ of client);
      };
      void read();
    }
    await until(() => subject.sockets.every((ws) => ws.bufferedAmount === 0));
    await subject.assertSeen("upgrade open drain close");
  },

  async "of one that another terminates"(way) {
    const subject = await Subject.start(way);
    await subject.connect();
    within("foreign", () => subject.sockets[0]!.terminate());
    await until(() => subject.seen.has("close"));
    await subject.assertSeen("upgrade open close");
  },

  async "of those that another drains"(way) {
    const subject = await Subject.start(way);
    await Promise.all([subject.connect(), subject.connect()]);
    await subject.assertSeen("upgrade open close");
  },

  async "of one that opens when another lets it"(way) {
    const other = deferred();
    const seen = new Seen();
    const subject = await Subject.start(way, {
      async upgrade() {
        seen.note("upgrade");
        await other.promise;
        seen.note("upgrade");
      },
    });
    const connected = subject.connect();
    await until(() => seen.has("upgrade"));
    within("foreign", other.resolve);
    await connected;
    assert.deepEqual(seen.calls, ["upgrade: server"]);
    await subject.assertSeen("open close");
  },

  async "of one whose hook fails"(way) {
    const subject = await Subject.start(way, {
      upgrade() {
        throw new Error("of the application");
      },
    });
    const url = `${way.isSecure ? "wss" : "ws"}://127.0.0.1:${subject.server.port}/`;
    await assert.rejects(within("client", () => connect(url, optionsOf(way))));
    await subject.assertSeen("error");
  },

  async "of requests"(way) {
    const subject = await Subject.start(way);
    const { get } = way.isSecure ? https : http;
    const url = `${way.isSecure ? "https" : "http"}://127.0.0.1:${subject.server.port}/`;
    const [response] = (await within("client", () => once(get(url, { ca: localhost.cert }), "response"))) as [
      NodeJS.ReadableStream,
    ];
    response.resume();
    await once(response, "end");
    await subject.assertSeen("fetch");
  },
};

for (const way of ways) {
  describe(`the handlers of serve run in the async context that it was called in, over ${nameOf(way)}`, () => {
    for (const [name, run] of Object.entries(cases)) it(name, () => run(way));
  });
}

describe("the handlers of mount", () => {
  it("run in the async context of the event upgrade, which tracers give to each", async () => {
    const server = http.createServer();
    const emit = server.emit.bind(server) as (name: string, ...values: unknown[]) => boolean;
    server.emit = (name: string, ...values: unknown[]) =>
      name === "upgrade" ? within("request", () => emit(name, ...values)) : emit(name, ...values);
    const seen = new Seen();
    const mounted = within("mount", () =>
      mount(server, {
        upgrade: seen.noting("upgrade"),
        open: seen.noting("open"),
        message: seen.noting("message"),
        close: seen.noting("close"),
      }),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const client = await within("client", () => connect(`ws://127.0.0.1:${port}/`));
    client.send("text");
    await until(() => seen.has("message"));
    await within("foreign", () => Promise.all([mounted.drain(), client.close()]));
    server.close();
    assert.deepEqual(seen.calls, ["close: request", "message: request", "open: request", "upgrade: request"]);
  });
});

describe("the handlers of connect", () => {
  for (const way of ways)
    it(`run in the async context that it was called in, over ${nameOf(way)}`, async () => {
      const subject = await Subject.start(way, {
        message(ws, message) {
          ws.send(message);
        },
      });
      const seen = new Seen();
      const client = await within("client", () =>
        connect(`${way.isSecure ? "wss" : "ws"}://127.0.0.1:${subject.server.port}/`, {
          ...optionsOf(way),
          decorate: seen.noting("decorate"),
          open: seen.noting("open"),
          message: seen.noting("message"),
          close: seen.noting("close"),
        }),
      );
      within("foreign", () => client.send("text"));
      await until(() => seen.has("message"));
      await within("foreign", () => client.close());
      assert.deepEqual(seen.calls, ["close: client", "decorate: client", "message: client", "open: client"]);
      await subject.assertSeen("upgrade open close");
    });
});
