// Clients that ask for much work with few bytes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cost, lookEvery, shareOfMember } from "../../../../src/core/turn-budget.ts";
import { Response } from "../../../../src/http/index.ts";
import { quiet } from "../../../support/quiet.ts";
import { TurnCounter } from "../../../support/turn-counter.ts";
import { post, Serving } from "../../support/serving.ts";

describe("a client that sends many requests", () => {
  it("leaves other connections their turn, whether the bodies of its requests are read or not", async () => {
    for (const reads of [true, false]) {
      const inTurn = new TurnCounter();
      const serving = new Serving((request) => {
        inTurn.count();
        return reads ? request.text().then(() => new Response()) : new Response();
      });
      await inTurn.during(() => serving.send(post("x").repeat(1000)));
      await quiet(40);
      assert.equal(serving.statuses.length, 1000);
      assert.ok(inTurn.most <= (shareOfMember + lookEvery) / cost.request + 1, `${inTurn.most} in a turn`);
      await serving.end();
    }
  });

  it("gets the tiny chunks of one read back in few chunks, and takes few turns", async () => {
    const serving = new Serving((request) => new Response({ body: request.body }));
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let read = 0; read < 2; read++) await serving.send("1\r\nx\r\n".repeat(10_000));
    await serving.send("0\r\n\r\n");
    const { body } = serving.responses()[0]!;
    assert.equal(body, "x".repeat(20_000));
    const parts = serving.client.text.match(/\r\n[0-9a-f]+\r\nx/g)!.length;
    assert.ok(parts <= 10, `${parts} parts`);
    await serving.end();
  });
});
