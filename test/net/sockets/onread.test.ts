import assert from "node:assert/strict";
import { test } from "node:test";
import { hasOnread, makeSocket, onread } from "../../../src/net/sockets/onread.ts";
import { readBlock } from "../../../src/net/sockets/read-block.ts";

test("this Node has onread", () => {
  // Where it has not, everything works by 'data' events, but the suite has then not tested the better way.
  assert.equal(hasOnread(), true);
});

test("the option reads into the shared block", () => {
  const sizes: number[] = [];
  const { buffer, callback } = onread((size) => {
    sizes.push(size);
    return true;
  });
  assert.equal(buffer, readBlock());
  assert.equal(callback(7, readBlock()), true);
  assert.deepEqual(sizes, [7]);
});

test("a socket leaves its write side open at the end of the read side", () => {
  const socket = makeSocket({ onread: onread(() => true) });
  assert.equal(socket.allowHalfOpen, true);
  socket.destroy();
});
