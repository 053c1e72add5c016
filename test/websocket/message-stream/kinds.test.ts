// Every kind of bytes, and every kind of value that is none, in every call that takes some.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { ServalError, type BufferSource } from "../../../src/core/index.ts";
import { Response, type BodyInit } from "../../../src/http/index.ts";
import { prepare, Protocol } from "../../../src/websocket/index.ts";
import { quiet } from "../../support/quiet.ts";
import { open } from "../support/client-kit.ts";

const memory = Uint8Array.from({ length: 32 }, (_, i) => i).buffer;

const kinds: readonly [name: string, data: BufferSource, hex: string][] = [
  ["an ArrayBuffer", memory.slice(0, 2), "0001"],
  ["a SharedArrayBuffer", new SharedArrayBuffer(2), "0000"],
  ["a Uint8Array in the middle of its memory", new Uint8Array(memory, 3, 2), "0304"],
  ["a Buffer", Buffer.from([5, 6]), "0506"],
  ["a Uint8ClampedArray", new Uint8ClampedArray(memory, 1, 2), "0102"],
  ["a Uint16Array", new Uint16Array(memory, 2, 2), "02030405"],
  ["a Float64Array", new Float64Array(memory, 8, 1), "08090a0b0c0d0e0f"],
  ["a BigInt64Array", new BigInt64Array(memory, 16, 1), "1011121314151617"],
  ["a DataView", new DataView(memory, 7, 3), "070809"],
  ["a Uint16Array of another realm", runInNewContext("Uint16Array.of(257)") as Uint16Array, "0101"],
  ["an ArrayBuffer of another realm", runInNewContext("Uint8Array.of(9).buffer") as ArrayBuffer, "09"],
  ["no bytes", new Uint16Array(0), ""],
];

function framed(queue: (protocol: Protocol) => void): string {
  const protocol = new Protocol({ role: "server" });
  queue(protocol);
  return Buffer.concat(protocol.bytesToSend()).subarray(2).toString("hex");
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

async function* once<Value>(value: Value): AsyncGenerator<Value, undefined> {
  yield value;
}

describe("bytes of any kind are bytes, never an iterable of numbers", () => {
  const frameOf = (kind: string, hex: string): string => (hex === "" ? kind : `${kind} ${hex}`);
  for (const [name, data, hex] of kinds) {
    it(name, async () => {
      const connection = await open("server");
      const { ws } = connection;
      ws.send(data);
      await ws.write(data);
      await ws.write([data]);
      await ws.writeSome(data, true);
      await ws.write(once(data));
      await ws.ping(data);
      await ws.pong(data);
      ws.send(prepare(data));
      await quiet();
      const binary = frameOf("binary", hex);
      const inParts = hex === "" ? ["binary"] : [`binary (not final) ${hex}`, "continuation"];
      assert.deepEqual(connection.frames, [
        binary,
        binary,
        binary,
        binary,
        ...inParts,
        frameOf("ping", hex),
        frameOf("pong", hex),
        binary,
      ]);

      const calls: ((protocol: Protocol) => void)[] = [
        (protocol) => protocol.send(data),
        (protocol) => protocol.ping(data),
        (protocol) => protocol.pong(data),
        (protocol) => protocol.sendFrame({ opcode: 2 }, data),
      ];
      for (const call of calls) assert.equal(framed(call), hex);
      for (const body of [data, [data], new Set([data]), once(data) as AsyncIterable<Uint8Array>] as BodyInit[]) {
        assert.equal(hexOf(await new Response({ body }).bytes()), hex);
      }
    });
  }
});

describe("what is neither text nor bytes is refused, with advice", () => {
  const wrong: readonly [name: string, value: unknown, advice: RegExp][] = [
    ["null", null, /not null/],
    ["a number", 5, /not 5/],
    ["a bigint", 1n, /not 1/],
    ["a symbol", Symbol("x"), /not Symbol\(x\)/],
    ["true", true, /not true/],
    ["a function", () => "x", /function/],
    ["a promise", Promise.resolve("x"), /await the promise first/],
    ["an object", { a: 1 }, /JSON\.stringify/],
    ["an array of numbers", [1, 2], /Uint8Array\.from/],
    ["an array of Blobs", [new Blob(["a"])], /new Blob joins/],
    ["a Map", new Map([["a", "b"]]), /JSON\.stringify.*a Map/],
    ["an empty form", new FormData(), /JSON\.stringify.*a FormData/],
    ["headers", new Headers({ a: "b" }), /JSON\.stringify.*a Headers/],
    ["a query", new URLSearchParams("a=b"), /String makes a string/],
  ];
  for (const [name, value, advice] of wrong) {
    it(name, async () => {
      const { ws } = await open("server");
      const protocol = new Protocol({ role: "server" });
      const data = value as never;
      const calls: [name: string, call: () => unknown][] = [
        ["write", () => ws.write(data, {})],
        ["send", () => ws.send(data)],
        ["writeSome", () => ws.writeSome(data, true, {})],
        ["prepare", () => prepare(data)],
        ["Protocol.send", () => protocol.send(data)],
        ["a body", () => new Response({ body: data })],
        ["a part of a message", () => ws.write(once(data))],
        ["a part of a body", () => new Response({ body: once(data) }).bytes()],
      ];
      for (const [call, start] of calls) {
        // What a generator yields is awaited.
        if (value instanceof Promise && call.startsWith("a part")) continue;
        const error = await new Promise<unknown>((resolve) => {
          try {
            Promise.resolve(start()).then(() => resolve("accepted"), resolve);
          } catch (thrown) {
            resolve(thrown);
          }
        });
        assert.ok(error instanceof ServalError, `${call}: ${String(error)}`);
        assert.equal(error.code, "core.invalid_argument", call);
        // The body's message names the element of the list.
        if (call !== "a body" || !Array.isArray(value)) assert.match(error.message, advice, call);
      }
      assert.deepEqual([ws.isOpen, ws.bufferedAmount], [true, 0]);
    });
  }
});
