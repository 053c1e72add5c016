import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response } from "../../../src/http/index.ts";
import { decide, type UpgradeResult } from "../../../src/websocket/handshake/upgrade.ts";

describe("decide", () => {
  it("nothing accepts, and so does an object, which is passed on", () => {
    assert.deepEqual(decide(undefined), {});
    const accepted = { protocol: "chat", headers: { a: "b" }, data: 1 };
    assert.equal(decide(accepted), accepted);
    assert.deepEqual(decide({}), {});
  });

  it("a Response refuses; a fetch Response is returned, for its body to be read", () => {
    const ours = new Response({ status: 403, body: "no" });
    assert.equal(decide(ours), ours);
    const theirs = new globalThis.Response("who?", { status: 401 });
    assert.equal(decide(theirs), theirs);
  });

  for (const status of [100, 101, 199]) {
    it(`a Response with status ${status} is no refusal`, () => {
      assert.throws(() => decide(new Response({ status })), {
        code: "websocket.bad_upgrade_result",
        message: new RegExp(`${status}`),
      });
    });
  }
  for (const status of [200, 302, 404, 503]) {
    it(`a Response with status ${status} is a refusal`, () => {
      assert.equal((decide(new Response({ status })) as Response).status, status);
    });
  }

  for (const value of [null, false, true, 0, 1, "", "chat", 1n, Symbol("x"), () => {}]) {
    it(`${String(value) || '""'} (${typeof value}) is an invalid result, and the error says so`, () => {
      assert.throws(() => decide(value as UpgradeResult), {
        code: "websocket.bad_upgrade_result",
        message: /^The upgrade hook returned .+: it must return nothing or .* to accept, or a Response to refuse/,
      });
    });
  }

  for (const [value, what] of [
    [{ status: 401 }, "status"],
    [{ data: 1, dat: 2 }, "dat"],
    [new Error("no"), "a class"],
    [new Map(), "a class"],
  ] as const) {
    it(`an object that has ${what} does not accept by mistake`, () => {
      assert.throws(() => decide(value as UpgradeResult), {
        code: "websocket.bad_upgrade_result",
        message: `The upgrade hook returned an object that has ${what}: { protocol, headers, data } accepts, a Response refuses`,
      });
    });
  }
});
