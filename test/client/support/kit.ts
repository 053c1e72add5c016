// What a client does with a server, and what becomes of it.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { ConnectOptions } from "../../../src/client/index.ts";
import { ServalError } from "../../../src/core/index.ts";
import type { Stream } from "../../../src/websocket/index.ts";
import { localhost } from "../../support/localhost.ts";
import { pattern } from "../../core/support/stream-operations.ts";

/** Accepts the certificate of the tests' servers. */
export const trusting: ConnectOptions = { tls: { ca: localhost.cert } };

/** Sends text and bytes to a server that echoes, gets them back, and closes. */
export async function converse(ws: Stream): Promise<void> {
  const bytes = new Uint8Array(pattern(1_000_000));
  ws.send("hello");
  void ws.write(bytes);
  assert.equal(await ws.read(), "hello");
  assert.deepEqual(await ws.read(), bytes);
  await ws.close();
  assert.deepEqual(await ws.closed, { code: 1000, reason: "", clean: true });
}

/** What an attempt fails with. Nothing that the tests call secret is in it. */
export async function failure(attempt: Promise<unknown>): Promise<ServalError> {
  const error: unknown = await attempt.then(
    () => assert.fail("it did not fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServalError, inspect(error));
  assert.doesNotMatch(inspect([error.message, error.cause], { depth: 10 }), /secret|sesame|c2VzYW1l/);
  return error;
}
