import assert from "node:assert/strict";
import { test } from "node:test";
import { connectError, listenError, netErrors } from "../../src/net/errors.ts";

const cause = (code: string): Error => Object.assign(new Error(`it was ${code}`), { code });

test("all codes are of this module, with a sentence", () => {
  for (const [code, [, message]] of Object.entries(netErrors)) {
    assert.match(code, /^net\.[a-z_]+$/);
    assert.match(message, /^[A-Z].*[a-z]$/);
  }
});

for (const [from, errno, code] of [
  [listenError, "EADDRINUSE", "net.address_in_use"],
  [listenError, "EACCES", "net.access_denied"],
  [listenError, "EADDRNOTAVAIL", "net.bad_address"],
  [listenError, "ERR_SOCKET_BAD_PORT", "net.bad_address"],
  [listenError, "EMFILE", "core.transport"],
  [connectError, "ECONNREFUSED", "net.connection_refused"],
  [connectError, "ENOENT", "net.connection_refused"],
  [connectError, "ENOTFOUND", "net.host_not_found"],
  [connectError, "EACCES", "net.access_denied"],
  [connectError, "ETIMEDOUT", "core.timeout"],
  [connectError, "ERR_SOCKET_BAD_PORT", "core.invalid_argument"],
  [connectError, "ECONNRESET", "core.connection_reset"],
  [connectError, "EMFILE", "core.transport"],
] as const) {
  test(`${from.name}: ${errno} is ${code}, and keeps its cause`, () => {
    const original = cause(errno);
    const error = from(original, "h:1");
    assert.equal(error.code, code);
    assert.equal(error.cause, original);
    if (code !== "core.connection_reset") assert.match(error.message, /h:1/);
  });
}

test("of several addresses tried in vain, the first says why", () => {
  const both = Object.assign(new AggregateError([cause("ECONNREFUSED"), cause("EHOSTUNREACH")]), {
    code: "ECONNREFUSED",
  });
  assert.match(connectError(both, "h:1").message, /it was ECONNREFUSED/);
});

test("what is no error is told of too", () => {
  assert.match(listenError("text", "h:1").message, /h:1: text/);
});
