// serve and request with each other, over whatever can be a stream, and with any operation failing.
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { describe, it } from "node:test";
import { FlatBuffer, type ByteStream, type NextLayer } from "../../../src/core/index.ts";
import { request, Request, Response, serve, type Body, type RequestHandler } from "../../../src/http/index.ts";
import { everyFailure, pair, VirtualClock } from "../../../src/testing/index.ts";
import { outcomes } from "../../support/outcomes.ts";
import { quiet } from "../../support/quiet.ts";
import { HandBody } from "../support/serving.ts";
import { random } from "../../support/property.ts";

const echo: RequestHandler = ({ body, headers }) =>
  new Response<Body>({ body, headers: { "X-Of": headers.get("N") ?? "" } });

async function* bodyOf(size: number, most: number): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < size;) {
    const part = new Uint8Array(Math.min(size - at, 1 + Math.floor(random() * most)));
    yield part.map((_, i) => (at + i) % 251);
    at += part.length;
    if (random() < 0.2) await Promise.resolve();
  }
}

async function assertEchoes(client: NextLayer, rounds: number): Promise<void> {
  const buffer = new FlatBuffer();
  for (let round = 0; round < rounds; round++) {
    const size = Math.floor(random() * 20_000);
    const headers = { Host: "h", N: String(round), ...(round % 3 === 0 ? { Expect: "100-continue" } : {}) };
    const message = new Request<Body>({ method: "POST", headers, body: bodyOf(size, 3000) });
    const response = await request(client, message, { buffer });
    const received = await response.bytes();
    assert.deepEqual([response.status, response.headers.get("X-Of"), received.length], [200, String(round), size]);
    assert.ok(received.every((byte, i) => byte === i % 251));
    assert.equal(buffer.size, 0);
  }
}

describe("serve and request", () => {
  it("get all through, for reads and writes of random sizes and little room", async () => {
    for (let round = 0; round < 20; round++) {
      const size = (): number => 1 + Math.floor(random() * 3000);
      const sizes = (): { maxRead: number; maxWrite: number; capacity: number } => ({
        maxRead: size(),
        maxWrite: size(),
        capacity: size(),
      });
      const [client, server] = pair(sizes(), sizes());
      const clock = new VirtualClock();
      const served = serve(server, echo, { clock });
      await assertEchoes(client, 4);
      client.close();
      await served;
      assert.deepEqual([clock.pending, server.closed], [0, true]);
    }
  });

  it("work over Duplex streams and pairs of Web streams", async () => {
    const [a, b] = duplexPair();
    const served = serve(b, echo);
    await assertEchoes(a, 3);
    a.end();
    a.resume();
    await served;

    const there = new TransformStream<Uint8Array, Uint8Array>();
    const back = new TransformStream<Uint8Array, Uint8Array>();
    const web = serve({ readable: there.readable, writable: back.writable }, echo);
    const client = { readable: back.readable, writable: there.writable };
    const { toByteStream } = await import("../../../src/core/index.ts");
    const stream: ByteStream = toByteStream(client);
    await assertEchoes(stream, 3);
    stream.close();
    await web.catch(() => {});
  });

  for (const side of ["client", "server"] as const) {
    it(`end both, and leave nothing, whatever fails below the ${side}`, async () => {
      const runs = await everyFailure(async (run) => {
        const { clock } = run;
        const pairs = pair({ maxRead: 100, maxWrite: 100 });
        const client = side === "client" ? run.wrap(pairs[0]) : pairs[0];
        const server = side === "server" ? run.wrap(pairs[1]) : pairs[1];
        let completions = 0;
        const errors: unknown[] = [];
        serve(server, echo, { clock, date: false, error: (error) => errors.push(error) }, () => completions++);
        const source = new HandBody();
        const message = new Request<Body>({
          method: "POST",
          headers: { Host: "h", Expect: "100-continue" },
          body: source,
        });
        const got = request(client, message, { clock })
          .then((response) => response.text())
          .catch((error: { code: string }) => error.code);
        for (let given = 0; given < 3; given++) {
          await quiet(8);
          if (source.asked > given) await source.give(given < 2 ? "x".repeat(150) : undefined);
        }
        await quiet(8);
        // The other side does not see a failed operation until this one is closed.
        server.close();
        await quiet(2);
        client.close();
        await quiet(2);
        const isWhole = (await got).length === 300;
        assert.ok(isWhole || outcomes(run).length > 0, `${await got}`);
        assert.deepEqual([completions, errors], [1, []]);
        if (source.asked > 0 && !isWhole) assert.ok(source.stops <= 1);
      });
      assert.ok(runs.length > 40, runs.join());
    });
  }

  it("serve takes a handler", async () => {
    const [stream] = pair();
    await assert.rejects(serve(stream, undefined as unknown as RequestHandler), {
      code: "core.invalid_argument",
      message: /takes a handler/,
    });
  });
});
