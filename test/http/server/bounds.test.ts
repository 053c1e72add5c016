// What one connection may take before others have their turn, and what it is kept for.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response, type RequestHandler } from "../../../src/http/index.ts";
import { cost, lookEvery, shareOfMember } from "../../../src/core/turn-budget.ts";
import { lingerMs, mostDrained, mostGathered } from "../../../src/http/server/bounds.ts";
import { quiet } from "../../support/quiet.ts";
import { TurnCounter } from "../../support/turn-counter.ts";
import { get, post, Serving } from "../support/serving.ts";

describe("a served connection", () => {
  it("answers as many requests in a turn as its share is worth, and the others in the next ones", async () => {
    const inTurn = new TurnCounter();
    const handlers: RequestHandler[] = [
      () => {
        inTurn.count();
        return new Response();
      },
      () => {
        inTurn.count();
        return Promise.resolve(new Response());
      },
    ];
    for (const handler of handlers) {
      const serving = new Serving(handler);
      await inTurn.during(() => serving.send(get("/").repeat(1000)));
      await quiet(20);
      assert.equal(serving.responses().length, 1000);
      assert.ok(inTurn.most <= (shareOfMember + lookEvery) / cost.request + 1, `${inTurn.most} in a turn`);
      await serving.end();
    }
  });

  it("reads nothing while it waits for its turn, and ends meanwhile without a timer", async () => {
    const controller = new AbortController();
    let answered = 0;
    const handler: RequestHandler = () => {
      if (++answered === 130) controller.abort();
      return new Response();
    };
    const cut = new Serving(handler, { signal: controller.signal });
    await cut.send(get("/").repeat(1000));
    await quiet(20);
    assert.equal(answered, 130);
    cut.assertEnded("core.aborted");
  });

  it("gives no turns away if each request comes after the previous response, however they are answered", async () => {
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
