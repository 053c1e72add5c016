import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseTransport, knownTransport, wantedTransport } from "../../../src/net/sockets/transport.ts";
import { failsWith } from "../support/fails-with.ts";

test("the option comes first, then the environment, then the platform", async (t) => {
  const before = process.env.SERVAL_TRANSPORT;
  t.after(() => {
    if (before === undefined) delete process.env.SERVAL_TRANSPORT;
    else process.env.SERVAL_TRANSPORT = before;
  });
  for (const value of [undefined, ""]) {
    if (value === undefined) delete process.env.SERVAL_TRANSPORT;
    else process.env.SERVAL_TRANSPORT = value;
    assert.equal(wantedTransport(undefined), process.platform === "linux" ? "handle" : "socket");
  }
  process.env.SERVAL_TRANSPORT = "socket";
  assert.equal(wantedTransport(undefined), "socket");
  assert.equal(await chooseTransport(undefined), "socket");
  assert.equal(await chooseTransport("handle"), "handle");
  process.env.SERVAL_TRANSPORT = "handle";
  assert.equal(await chooseTransport("socket"), "socket");
  process.env.SERVAL_TRANSPORT = "Socket";
  assert.throws(
    () => wantedTransport(undefined),
    failsWith("core.invalid_argument", /SERVAL_TRANSPORT must be .*"Socket"/),
  );
  assert.throws(() => wantedTransport("pipe" as "handle"), failsWith("core.invalid_argument", /transport must be/));
});

test("what is known without waiting is what waiting finds out", async () => {
  assert.equal(knownTransport("socket"), "socket");
  const found = await chooseTransport("handle");
  assert.equal(knownTransport("handle"), found);
});
