import assert from "node:assert/strict";
import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "node:test";
import { Protocol, type ProtocolOptions } from "../../src/websocket/index.ts";
import { Output, type Compression, type SendOptions } from "../../src/ws/output.ts";
import { describeFrames, framesIn } from "../websocket/support/frames.ts";
import { duplexPair, type End } from "./support/duplex.ts";
import { nextUncaught } from "./support/uncaught.ts";

function output(
  options: Partial<ProtocolOptions> = {},
  compression?: Compression,
): { output: Output; end: End; errors: Error[]; written(): string[] } {
  const [end] = duplexPair();
  const errors: Error[] = [];
  const protocol = new Protocol({ role: "server", text: "bytes", autoPong: false, autoClose: false, ...options });
  const made = new Output(end, protocol, compression, {
    outputFailed: (error) => errors.push(error),
    outputOverflowed: assert.fail,
  });
  return { output: made, end, errors, written: () => describeFrames(Buffer.concat(end.writes)) };
}

/** An output over a socket of Node.js, the bytes of whose writes go to `onWrite`, which completes them. */
function socketOutput(onWrite: (bytes: Buffer, done: () => void) => void): { one: Output; socket: Socket } {
  // One write after the other.
  const socket = Object.assign(new Socket(), { _writev: null as never });
  socket._write = (bytes: Buffer, _encoding: string, done: () => void): void => onWrite(bytes, done);
  const protocol = new Protocol({ role: "server", text: "bytes", autoPong: false, autoClose: false });
  return {
    one: new Output(socket, protocol, undefined, { outputFailed: assert.fail, outputOverflowed: assert.fail }),
    socket,
  };
}

describe("a message that leaves alone", () => {
  it("may use the memory of the one before, if the kernel has taken that", () => {
    const writes: Buffer[] = [];
    const memory = new Set<Buffer>();
    for (const text of ["ones", "twos", "five"]) {
      const { one } = socketOutput((bytes, done) => {
        writes.push(Buffer.from(bytes));
        memory.add(bytes);
        done();
      });
      one.send(text, undefined, undefined);
    }
    assert.deepEqual(describeFrames(Buffer.concat(writes)), ["text ones", "text twos", "text five"]);
    assert.equal(memory.size, 1);
  });

  it("keeps its memory until it is written, and what follows comes after it", async () => {
    const held: { bytes: Buffer; done: () => void }[] = [];
    const { one: slow } = socketOutput((bytes, done) => void held.push({ bytes, done }));
    slow.send("slow", undefined, undefined);
    for (let i = 0; i < 3; i++) socketOutput((_, done) => done()).one.send("fast", undefined, undefined);
    await turn();
    slow.send("later", undefined, undefined);
    await turn();
    assert.equal(held.length, 1);
    assert.ok(slow.bufferedAmount >= 6);
    const written: Buffer[] = [];
    for (let write = held.shift(); write !== undefined; write = held.shift()) {
      written.push(Buffer.from(write.bytes));
      write.done();
      await turn();
    }
    assert.deepEqual(describeFrames(Buffer.concat(written)), ["text slow", "text later"]);
    assert.equal(slow.bufferedAmount, 0);
  });

  it("comes in order with fragments, pings and what a read sends, and has its callback", async () => {
    const writes: Buffer[] = [];
    const told: string[] = [];
    const { one } = socketOutput((bytes, done) => {
      writes.push(Buffer.from(bytes));
      done();
    });
    const send = (text: string, options?: SendOptions): void => one.send(text, options, () => told.push(text));
    send("a");
    send("b");
    await turn();
    send("c", { binary: true, compress: true });
    await turn();
    send("d", { fin: false });
    await turn();
    send("e");
    await turn();
    one.control("ping", "f", false, undefined);
    one.send(Buffer.from("g"), { binary: undefined }, undefined);
    await turn();
    one.beginRead();
    send("h");
    const before = writes.length;
    one.endRead();
    await turn();
    assert.equal(writes.length, before + 1);
    const frames = ["text a", "text b", "binary 63", "text (not final) d", "continuation 65", "ping 66", "text g"];
    assert.deepEqual(describeFrames(Buffer.concat(writes)), [...frames, "text h"]);
    assert.deepEqual(told, ["a", "b", "c", "d", "e", "h"]);
  });

  it("fails, and the socket does not, if somebody else has ended that", async () => {
    const { one, socket } = socketOutput((_, done) => done());
    socket.end();
    const told: unknown[] = [];
    one.send("a", undefined, (error) => told.push((error as { code?: string }).code));
    await turn();
    assert.deepEqual(told, ["ERR_STREAM_DESTROYED"]);
  });
});

describe("writes", () => {
  it("gather what one read sends", () => {
    const { output: one, end, written } = output();
    one.beginRead();
    for (const text of ["a", "b", "c"]) one.send(text, undefined, undefined);
    assert.equal(end.writes.length, 0);
    one.endRead();
    assert.equal(end.writes.length, 1);
    assert.deepEqual(written(), ["text a", "text b", "text c"]);
  });

  it("do not gather more than 64 KiB in a read", () => {
    const { output: one, end } = output();
    one.beginRead();
    for (let i = 0; i < 60; i++) one.send("x".repeat(1000), undefined, undefined);
    assert.equal(end.writableLength, 0);
    for (let i = 0; i < 10; i++) one.send("x".repeat(1000), undefined, undefined);
    assert.ok(Buffer.concat(end.writes).length + end.writableLength > 64 * 1024);
    one.endRead();
  });

  it("are made at once for the first frame in a turn, and gather the others until its end", async () => {
    const { output: one, end, written } = output();
    for (const text of ["a", "b", "c"]) one.send(text, undefined, undefined);
    assert.deepEqual(written(), ["text a"]);
    await turn();
    assert.equal(end.writes.length, 2);
    assert.deepEqual(written(), ["text a", "text b", "text c"]);
  });

  it("do not gather more than 64 KiB in a turn", () => {
    const { output: one, end } = output();
    for (let i = 0; i < 70; i++) one.send("x".repeat(1000), undefined, undefined);
    assert.ok(Buffer.concat(end.writes).length + end.writableLength > 64 * 1024);
  });

  it("wait for the one in flight, and leave together", async () => {
    const [end] = duplexPair();
    // As of a socket with TLS, of which nobody knows at once whether the kernel has all of it.
    const socket = Object.assign(new Socket(), { encrypted: true });
    const protocol = new Protocol({ role: "client" });
    const one = new Output(socket, protocol, undefined, { outputFailed: assert.fail, outputOverflowed: assert.fail });
    socket._write = end._write.bind(end);
    end.isSlow = true;
    for (const text of ["a", "b", "c"]) {
      one.send(text, undefined, undefined);
      await turn();
    }
    assert.equal(end.writes.length, 1);
    assert.equal(one.bufferedAmount, 21);
    end.complete();
    await turn();
    assert.deepEqual(describeFrames(Buffer.concat(end.writes), "client"), ["text a", "text b", "text c"]);
    assert.equal(end.writes.length, 2);
  });

  it("are made at once for memory that its owner may reuse", () => {
    const { output: one, end } = output();
    one.beginRead();
    one.send(new Uint8Array(20_000), undefined, undefined);
    assert.ok(end.writes.length > 0);
    one.endRead();
  });

  it("give the other side of a connection in memory bytes of its own", () => {
    const { output: one, written } = output();
    for (let i = 0; i < 3; i++) {
      one.beginRead();
      one.send(`message ${i}`, undefined, undefined);
      one.endRead();
    }
    assert.deepEqual(written(), ["text message 0", "text message 1", "text message 2"]);
  });
});

describe("callbacks", () => {
  it("are called later, in the order of the calls", async () => {
    const { output: one } = output();
    const told: string[] = [];
    for (const text of ["a", "b", "c"]) one.send(text, undefined, () => told.push(text));
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual(told, ["a", "b", "c"]);
  });

  it("get an error if the socket was destroyed before", async () => {
    const { output: one, end } = output();
    end.on("error", () => {});
    end.isSlow = true;
    const told: unknown[] = [];
    one.send("a", undefined, (error) => told.push((error as { code?: string }).code));
    one.send("b", undefined, (error) => told.push((error as { code?: string }).code));
    end.destroy();
    await turn();
    one.end();
    await turn();
    assert.deepEqual(told, ["ERR_STREAM_DESTROYED", "ERR_STREAM_DESTROYED"]);
  });

  it("that throw do not keep the others from being called", async () => {
    const { output: one } = output();
    const told: string[] = [];
    const thrown = nextUncaught();
    one.beginRead();
    one.send("a", undefined, () => {
      throw new Error("of the application");
    });
    one.send("b", undefined, () => told.push("b"));
    one.endRead();
    assert.equal(((await thrown) as Error).message, "of the application");
    await turn();
    assert.deepEqual(told, ["b"]);
  });
});

describe("bufferedAmount", () => {
  it("is what the socket has and was not given to the kernel, after a flush", () => {
    const { output: one, end } = output();
    one.send("abc", undefined, undefined);
    one.send("def", undefined, undefined);
    assert.equal(end.writes.length, 1);
    end.isSlow = true;
    assert.equal(one.bufferedAmount, end.writableLength);
    assert.equal(end.writes.length, 2);
    one.send("ghi", undefined, undefined);
    assert.equal(one.bufferedAmount, 10);
    end.complete();
  });
});

describe("send", () => {
  const sentAs = (data: unknown, options?: object, protocol?: Partial<ProtocolOptions>): string[] => {
    const { output: one, written } = output(protocol);
    one.send(data, options, undefined);
    return written();
  };

  it("sends strings as text and all else as binary, unless binary says otherwise", () => {
    assert.deepEqual(sentAs("é"), ["text é"]);
    assert.deepEqual(sentAs("é", { binary: true }), ["binary c3a9"]);
    assert.deepEqual(sentAs(Buffer.from("é")), ["binary c3a9"]);
    assert.deepEqual(sentAs(Buffer.from("é"), { binary: false }), ["text é"]);
    assert.deepEqual(sentAs([1, 2]), ["binary 0102"]);
  });

  it("sends fragments until one with fin", () => {
    const { output: one, written } = output();
    one.beginRead();
    one.send("a", { fin: false }, undefined);
    one.control("ping", "p", false, undefined);
    one.send("b", { fin: false }, undefined);
    one.send("c", undefined, undefined);
    one.send("d", undefined, undefined);
    one.endRead();
    const expected = ["text (not final) a", "ping 70", "continuation (not final) 62", "continuation 63", "text d"];
    assert.deepEqual(written(), expected);
  });

  it("masks against the role if it is told to", () => {
    const { output: one, end } = output();
    one.send("abc", { mask: true }, undefined);
    assert.equal(end.writes[0][1], 0x83);
  });

  it("compresses a message in fragments if the first has the threshold's size", () => {
    const extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    const bits = (first: string): number[] => {
      const { output: one, end } = output({ extensions }, { takeover: false, threshold: 4 });
      one.beginRead();
      one.send(first, { fin: false }, undefined);
      one.send("rest", undefined, undefined);
      one.endRead();
      return framesIn(Buffer.concat(end.writes)).map(({ rsv }) => rsv);
    };
    assert.deepEqual(bits("abc"), [0, 0]);
    assert.deepEqual(bits("abcd"), [4, 0]);
  });

  it("reads a Blob, and keeps the order of what comes after it", async () => {
    const { output: one, written } = output();
    const told: string[] = [];
    one.send(new Blob(["blob"]), undefined, () => told.push("blob"));
    one.send("text", undefined, () => told.push("text"));
    one.control("pong", "p", false, () => told.push("pong"));
    one.close(1000, "", () => told.push("close"));
    assert.equal(one.bufferedAmount, 11);
    while (told.length < 4) await turn();
    assert.deepEqual(told, ["blob", "text", "pong", "close"]);
    assert.deepEqual(written(), ["binary 626c6f62", "text text", "pong 70", "close 1000"]);
  });
});

describe("control and close", () => {
  it("refuse what is too long", () => {
    const { output: one } = output();
    for (const data of ["x".repeat(126), Buffer.alloc(126), new Blob(["x".repeat(126)])]) {
      assert.throws(() => one.control("ping", data, false, undefined), {
        name: "RangeError",
        message: "The data size must not be greater than 125 bytes",
      });
    }
    assert.throws(() => one.close(1000, "x".repeat(124), () => {}), {
      name: "RangeError",
      message: "The message must not be greater than 123 bytes",
    });
  });

  it("refuse codes and reasons that can't be sent", () => {
    const { output: one } = output();
    for (const code of [999, 1004, 1005, 1006, 1015, 5000, NaN]) {
      assert.throws(() => one.close(code, "", () => {}), {
        name: "TypeError",
        message: "First argument must be a valid error code number",
      });
    }
    assert.throws(() => one.close(1000, [1] as never, () => {}), { name: "TypeError" });
  });
});

describe("frames", () => {
  it("sends what was framed elsewhere", () => {
    const { output: one, written } = output();
    one.beginRead();
    one.frames([Uint8Array.of(0x81, 1), "a"], undefined);
    one.frames([Uint8Array.of(0x81, 1), Buffer.from("b")], undefined);
    one.endRead();
    assert.deepEqual(written(), ["text a", "text b"]);
  });
});
