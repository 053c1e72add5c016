import assert from "node:assert/strict";
import { Duplex, PassThrough } from "node:stream";
import { test } from "node:test";
import { SocketSnapshot } from "../../src/server/socket-snapshot.ts";

/** What a socket of Node.js shows of its writes. */
class Socket extends Duplex {
  bytesWritten = 0;

  override _read(): void {}

  override _write(chunk: Uint8Array, _: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.length;
    done();
  }
}

for (const [what, use, isTaken] of [
  ["nothing", () => {}, [false, false]],
  [
    "a listener for errors and for the close",
    (socket) => socket.on("error", () => {}).on("close", () => {}),
    [false, false],
  ],
  ["a write", (socket) => socket.write("x"), [true, false]],
  ["the end", (socket) => socket.end(), [true, true]],
  ["destruction", (socket) => socket.destroy(), [true, true]],
  ["a listener for data", (socket) => socket.on("data", () => {}), [true, true]],
  ["a listener for readability", (socket) => socket.on("readable", () => {}), [true, true]],
  ["a pipe", (socket) => socket.pipe(new PassThrough()), [true, true]],
  ["a pause", (socket) => socket.pause(), [true, true]],
] satisfies [string, (socket: Duplex) => unknown, [boolean, boolean]][] as [
  string,
  (socket: Duplex) => unknown,
  boolean[],
][]) {
  test(`${what} ${isTaken[0] ? "takes" : "does not take"} the socket${isTaken[0] === isTaken[1] ? "" : ", unless node:http writes to it"}`, () => {
    const socket = new Socket();
    socket.write("before");
    const before = new SocketSnapshot(socket);
    use(socket);
    assert.deepEqual([before.isTaken(false), before.isTaken(true)], isTaken);
    socket.destroy();
  });
}
