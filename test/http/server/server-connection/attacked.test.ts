// Clients that ask for much work with few bytes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response } from "../../../../src/http/index.ts";
import { quiet } from "../../../support/quiet.ts";
import { post, Serving } from "../../support/serving.ts";

describe("a client that asks for much", () => {
  it("leaves others their turn, whatever becomes of the bodies of its requests", async () => {
    for (const reads of [true, false]) {
      let answered = 0;
      const serving = new Serving((request) => {
        answered++;
        return reads ? request.text().then(() => new Response()) : new Response();
      });
      await serving.send(post("x").repeat(300));
      await quiet(400);
      assert.equal(answered, 128);
      for (let turn = 1; turn < 3; turn++) {
        await serving.clock.advance(1);
        await quiet(400);
      }
      assert.equal(serving.statuses.length, 300);
      await serving.end();
    }
  });

  it("gets the tiny chunks of a read back as one, in as many turns as there are reads", async () => {
    const serving = new Serving((request) => new Response({ body: request.body }));
    await serving.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let read = 0; read < 2; read++) await serving.send("1\r\nx\r\n".repeat(10_000));
    await serving.send("0\r\n\r\n");
    assert.match(serving.client.text, /\r\n\r\n2710\r\nx{10000}\r\n2710\r\nx{10000}\r\n0\r\n\r\n$/);
    await serving.end();
  });
});
