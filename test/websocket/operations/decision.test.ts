import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response } from "../../../src/http/index.ts";
import { decisionOf } from "../../../src/websocket/operations/decision.ts";

describe("decisionOf", () => {
  it("a plain result is returned at once; a promise is awaited", async () => {
    const accepted = { protocol: "chat" };
    assert.equal(decisionOf(accepted), accepted);
    const later = decisionOf(Promise.resolve(accepted));
    assert.ok(later instanceof Promise);
    assert.equal(await later, accepted);
    await assert.rejects(Promise.resolve(decisionOf(Promise.resolve(false as never))), {
      code: "websocket.bad_upgrade_result",
    });
  });

  it("a Response refuses; a fetch Response is read to its end", async () => {
    const ours = new Response({ status: 403, body: "no" });
    assert.equal(decisionOf(ours), ours);
    const theirs = new globalThis.Response("who?", { status: 401, headers: { "WWW-Authenticate": "Basic" } });
    const response = (await decisionOf(theirs)) as Response;
    assert.ok(response instanceof Response);
    assert.deepEqual(
      [response.status, response.reason, Buffer.from(response.body).toString()],
      [401, "Unauthorized", "who?"],
    );
    assert.deepEqual(
      [response.headers.get("www-authenticate"), response.headers.has("Content-Length")],
      ["Basic", false],
    );
  });

  it("a promise of a fetch Response is read to its end too", async () => {
    const response = await decisionOf(Promise.resolve(new globalThis.Response("who?", { status: 401 })));
    assert.ok(response instanceof Response);
    assert.deepEqual([response.status, Buffer.from(response.body).toString()], [401, "who?"]);
  });

  it("a fetch Response that is no refusal rejects", async () => {
    const switching = { status: 101, statusText: "", headers: new Headers(), body: null };
    await assert.rejects(Promise.resolve(decisionOf(switching as never)), { code: "websocket.bad_upgrade_result" });
  });
});
