import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { Request } from "../../../src/http/index.ts";
import {
  acceptInput,
  checkSendable,
  handlerOf,
  optionsOf,
  protocolList,
} from "../../../src/websocket/operations/arguments.ts";
import { readOptions } from "../../../src/websocket/options/of-operations.ts";
import { prepare } from "../../../src/websocket/protocol/prepared.ts";

describe("protocolList", () => {
  it("makes a list from a string, an empty one from nothing, and keeps a list", () => {
    const list = ["a", "b"];
    assert.equal(protocolList(list), list);
    assert.deepEqual([protocolList("a"), protocolList(undefined)], [["a"], []]);
    for (const wrong of [5, null, {}, new Set(["a"])]) {
      assert.throws(() => protocolList(wrong as unknown as string), {
        code: "core.invalid_argument",
        message: "protocols must be a string or a list of strings",
      });
    }
  });
});

describe("checkSendable", () => {
  const bytes = new Uint8Array(1);
  it("accepts strings, bytes, lists of bytes and prepared messages", () => {
    for (const data of ["x", bytes, [bytes, bytes], [], prepare("x")]) assert.equal(checkSendable(data), data);
  });
  it("makes Uint8Arrays from other bytes, without a copy", () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4);
    for (const [data, expected] of [
      [buffer, [1, 2, 3, 4]],
      [new DataView(buffer, 1, 2), [2, 3]],
      [new Uint16Array(buffer, 2, 1), [3, 4]],
    ] as const) {
      const made = checkSendable(data) as Uint8Array;
      assert.deepEqual([made.buffer, [...made]], [buffer, expected]);
      assert.deepEqual(checkSendable([data, bytes]), [made, bytes]);
    }
  });
  it("leaves Blobs and iterables to be sent in parts", () => {
    const list = ["a", new ArrayBuffer(1)];
    for (const data of [["a", bytes], list, new Set(["a"]), (async function* () {})(), new Blob(["a"])]) {
      assert.equal(checkSendable(data), undefined);
    }
  });
  const hole = [bytes];
  hole[2] = bytes;
  for (const wrong of [undefined, null, 1, {}, [1], ["a", 1], hole, ["a", ...hole], [new Blob([])], new Date()]) {
    it(`refuses ${JSON.stringify(wrong)}`, () =>
      assert.throws(() => checkSendable(wrong), { code: "core.invalid_argument" }));
  }
});

describe("handlerOf and optionsOf", () => {
  const handler = (): void => {};
  const options = { signal: undefined };
  it("report extra arguments", () => {
    const cases: [given: unknown[], options: unknown, handler: unknown][] = [
      [[], undefined, undefined],
      [[undefined], undefined, undefined],
      [[options], options, undefined],
      [[handler], undefined, handler],
      [[options, handler], options, handler],
      [[undefined, handler], undefined, handler],
    ];
    for (const [given, expected, expectedHandler] of cases) {
      assert.deepEqual([optionsOf(given, readOptions), handlerOf(given)], [expected, expectedHandler]);
    }
  });
  const { signal } = new AbortController();
  const takes = "read takes a plain object, such as { signal }, not";
  const completes = "read takes a completion handler after its options, a function, not";
  for (const [wrong, message] of [
    [["x"], `${takes} "x"`],
    [[5], `${takes} 5`],
    [[null], `${takes} null`],
    [[signal], `${takes} an AbortSignal`],
    [[handler, options], `${takes} a function`],
    [[{ Signal: signal }], 'read has no option "Signal": did you mean signal?'],
    [[options, "x"], `${completes} "x"`],
    [[undefined, "x"], `${completes} "x"`],
  ] as const) {
    it(`refuse invalid arguments: ${message}`, () => {
      assert.throws(() => optionsOf(wrong, readOptions), { code: "core.invalid_argument", message });
      const elsewhere = message.replace("read", "readSome");
      assert.throws(() => optionsOf(wrong, readOptions, "readSome"), { message: elsewhere });
    });
  }
});

describe("acceptInput", () => {
  const bytes = new Uint8Array(1);
  const request = new Request();
  const { signal } = new AbortController();
  it("takes bytes, lists, requests and options, each with its options", () => {
    const none = { request: undefined, buffered: [], signal: undefined };
    assert.deepEqual(acceptInput(undefined), none);
    assert.deepEqual(acceptInput(bytes), { ...none, buffered: [bytes] });
    assert.deepEqual(acceptInput([bytes, bytes], { signal }), { ...none, buffered: [bytes, bytes], signal });
    assert.deepEqual(acceptInput({ buffered: bytes, signal }), { ...none, buffered: [bytes], signal });
    assert.deepEqual(acceptInput(undefined, { signal }), { ...none, signal });
    assert.deepEqual(acceptInput(request, { buffered: [bytes] }), { ...none, request, buffered: [bytes] });
    assert.deepEqual(acceptInput(Object.assign(Object.create(null), { signal })), { ...none, signal });
  });
  for (const [what, source, options] of [
    ["a string", "GET / HTTP/1.1"],
    ["a number", 7],
    ["Node's request", new IncomingMessage(new Socket())],
    ["a list of strings", ["GET"]],
    ["an ArrayBuffer", new ArrayBuffer(1)],
    ["buffered that is a string", request, { buffered: "x" }],
    ["bytes in two places", bytes, { buffered: bytes }],
    ["options twice", {}, { signal }],
    ["a name that does not exist", { buffer: bytes }],
    ["a name that does not exist after a request", request, { head: bytes }],
    ["options after bytes that are a signal", bytes, signal],
    ["buffered that is a list of others", { buffered: [7] }],
  ] as const) {
    it(`refuses ${what}`, () =>
      assert.throws(() => acceptInput(source as never, options as never), { code: "core.invalid_argument" }));
  }
});
