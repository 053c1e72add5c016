import assert from "node:assert/strict";
import { test } from "node:test";
import {
  endOfFile,
  isStreamHandle,
  notConnected,
  resetError,
  streamWrap,
  systemError,
} from "../../../src/net/sockets/stream-handle.ts";

test("this Node has the binding, and numbers for the errors that are looked for", () => {
  assert.equal(typeof streamWrap()?.WriteWrap, "function");
  assert.equal(streamWrap(), streamWrap());
  assert.ok(endOfFile! < 0 && notConnected! < 0);
});

test("a status becomes the error that Node.js makes of it", () => {
  const error = systemError(notConnected!, "shutdown") as NodeJS.ErrnoException;
  assert.equal(error.message, "shutdown ENOTCONN");
  assert.deepEqual([error.code, error.errno, error.syscall], ["ENOTCONN", notConnected, "shutdown"]);
  assert.equal((resetError() as NodeJS.ErrnoException).code, "ECONNRESET");
  assert.equal((systemError(-99_999, "read") as NodeJS.ErrnoException).code, "E-99999");
});

test("what lacks a method is no handle", () => {
  for (const value of [undefined, null, {}, { close() {} }, "handle"]) assert.equal(isStreamHandle(value), false);
});
