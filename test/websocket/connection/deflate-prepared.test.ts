import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handled } from "../../../src/core/internal.ts";
import { deflatePrepared } from "../../../src/websocket/connection/deflate-prepared.ts";
import { prepare } from "../../../src/websocket/index.ts";
import { open } from "../support/client-kit.ts";
import { backwards, unpacked } from "../support/deflated.ts";
import { frame, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";

describe("a prepared message", () => {
  it("is deflated elsewhere once for all connections, and none is called back inside the call", () => {
    const news = prepare("abc");
    const [first, second] = [backwards(15), backwards(15)];
    const told: string[] = [];
    const tell =
      (name: string) =>
      (payload: Uint8Array): void =>
        void told.push(`${name} ${Buffer.from(payload).toString()}`);
    deflatePrepared(news, first, tell("1"));
    deflatePrepared(news, second, tell("2"));
    assert.deepEqual([told, first.later.length, second.later.length], [[], 1, 0]);
    first.later[0]();
    assert.deepEqual(told, ["1 cba", "2 cba"]);
    // What is known already is returned, and used for a frame too.
    assert.deepEqual(deflatePrepared(news, second, tell("3")), utf8("cba"));
    assert.deepEqual(news.deflatedFrame(second), frame(1, "cba", { rsv: 4, key: undefined }));
    assert.deepEqual([told.length, first.runs, second.runs], [2, 1, 0]);
  });

  it("the connection for which it is deflated elsewhere may end meanwhile: the others get it all the same", async () => {
    const news = prepare(new Uint8Array(500_000).fill(7));
    const many = await Promise.all(
      [1, 2, 3].map(() => open("server", { deflate: true }, { extensions: "permessage-deflate" })),
    );
    const writes = many.map(({ ws }) => handled(ws.write(news)));
    many[0].ws.terminate();
    assert.equal(await codeOf(writes[0]), "core.aborted");
    await Promise.all(writes.slice(1));
    await quiet();
    for (const { sent } of many.slice(1)) {
      assert.deepEqual([sent.length, sent[0].rsv, unpacked(sent[0].payload).length], [1, 4, 500_000]);
    }
    // Also whoever comes later.
    const late = await open("server", { deflate: true }, { extensions: "permessage-deflate" });
    await late.ws.write(news);
    await quiet();
    assert.deepEqual(late.sent, many[1].sent);
  });
});
