// What one connection may take before others have their turn, and what it is kept for.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response, type RequestHandler } from "../../../src/http/index.ts";
import { lingerMs, mostDrained, mostGathered } from "../../../src/http/server/bounds.ts";
import { quiet } from "../../support/quiet.ts";
import { get, post, Serving } from "../support/serving.ts";

describe("a served connection", () => {
  it("leaves others their turn behind 128 requests, and ends in the middle of that without a timer", async () => {
    let answered = 0;
    const handler: RequestHandler = () => {
      answered++;
      return new Response();
    };
    const serving = new Serving(handler);
    await serving.send(get("/").repeat(300));
    assert.equal(answered, 128);
    await serving.clock.advance(0);
    assert.equal(serving.responses().length, 300);
    await serving.end();

    const controller = new AbortController();
    const cut = new Serving(handler, { signal: controller.signal });
    await cut.send(get("/").repeat(300));
    controller.abort();
    await quiet();
    cut.assertEnded("core.aborted");
  });

  it("waits for nobody where each request comes after the response to the one before, however they are answered", async () => {
    const handlers: RequestHandler[] = [
      () => new Response(),
      () => Promise.resolve(new Response()),
      (request) => request.text().then((body) => new Response({ body })),
    ];
    for (const handler of handlers) {
      for (const request of [get("/"), post("body")]) {
        const serving = new Serving(handler);
        // No time passes: a timer, of no matter how long, would never fire.
        for (let sent = 0; sent < 300; sent++) await serving.send(request);
        assert.equal(serving.statuses.length, 300);
        await serving.end();
      }
    }
  });

  it("answers no further request while 64 KiB of responses are not taken", async () => {
    let answered = 0;
    const body = new Uint8Array(10_000);
    const handler: RequestHandler = () => {
      answered++;
      return new Response({ body });
    };
    const serving = new Serving(handler, { peerPair: { capacity: 1000 }, paused: true });
    await serving.send(get("/").repeat(100));
    assert.equal(answered, Math.ceil(mostGathered / body.length));
    serving.client.resume();
    await serving.clock.advance(0);
    await quiet(100);
    assert.equal(serving.responses().length, 100);
    await serving.end();
  });

  it("is kept after a body of 64 KiB that nobody wanted, and not after a larger one", async () => {
    for (const [size, keeps] of [
      [mostDrained, true],
      [mostDrained + 1, false],
    ] as const) {
      const serving = new Serving(() => new Response());
      // The head alone: what the handler sees is that none of the body has come.
      const request = post("x".repeat(size));
      await serving.send(request.slice(0, -size));
      const [response] = serving.responses();
      assert.equal(response!.headers.connection, keeps ? undefined : "close");
      await serving.send("x".repeat(size));
      await serving.send(get("/"));
      assert.equal(serving.responses().length, keeps ? 2 : 1);
      await serving.end(keeps ? undefined : serving.error?.code);
    }
  });

  it("waits five seconds for the end of a client that it has ended", async () => {
    const serving = new Serving(() => new Response({ headers: { Connection: "close" } }));
    await serving.send(get("/"));
    assert.equal(serving.client.ended, true);
    await serving.clock.advance(lingerMs - 1);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded();
  });
});
