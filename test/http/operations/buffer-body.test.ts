import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { bufferBody, Response, Serializer, write, writeSome, type Body } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";

describe("bufferBody", () => {
  it("makes a message of unknown size, whose parts are put by hand, any number of times", async () => {
    for (let use = 0; use < 2; use++) {
      const [stream] = pair({ record: true });
      const serializer = new Serializer(new Response<Body>({ body: bufferBody }));
      for (const part of ["he", "llo"]) {
        serializer.put(Buffer.from(part));
        await writeSome(stream, serializer);
      }
      assert.equal(serializer.isDone, false);
      serializer.end();
      await writeSome(stream, serializer);
      assert.equal(serializer.isDone, true);
      assert.match(
        decodeLatin1(stream.sent),
        /\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n$/,
      );
    }
  });

  it("is empty for write", async () => {
    const [stream] = pair({ record: true });
    await write(stream, new Response<Body>({ body: bufferBody }));
    assert.match(decodeLatin1(stream.sent), /\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$/);
  });
});
