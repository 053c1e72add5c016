// What the work costs that is counted for each turn of the event loop, beside what the table of costs says.
import { deflateRawSync } from "node:zlib";
import { copyOf, cost, costOf, decodeUtf8, encodeUtf8 } from "../../src/core/internal.ts";
import { PartSink } from "../../src/http/operations/sinks.ts";
import { RequestParser, Response, serializeHead } from "../../src/http/index.ts";
import { Deflater, Inflater } from "../../src/websocket/deflate/deflate.ts";
import { Utf8Checker } from "../../src/websocket/frames/utf8.ts";
import { event, take } from "../../src/websocket/protocol/event.ts";
import { Incoming } from "../../src/websocket/protocol/incoming.ts";
import { maskedFrame, payload } from "../load/frames.ts";

const kibibyte = 1024;

/** Tasks by title, each with what the table says that it costs. */
export function costs(): Record<string, () => unknown> {
  const tasks: Record<string, () => unknown> = {};
  const add = (name: string, expected: number, task: () => unknown): void => {
    tasks[`${name} (${Math.round(expected).toLocaleString("en-US")} ns)`] = task;
  };
  const { frame, message, control } = cost;
  add("one frame, one message", frame + message, receiving(maskedFrame(0x82, new Uint8Array(64)), event.message));
  add("a ping", control, receiving(maskedFrame(0x89, new Uint8Array(64)), event.ping));
  const bytes = new Uint8Array(64 * kibibyte).fill(0x61);
  add("64 KiB copied", costOf(bytes.length, cost.copied), () => copyOf(bytes, bytes.length));
  const mixed = encodeUtf8("Zażółć gęślą jaźń, 日本語, 🦊. ".repeat(1600));
  const checker = new Utf8Checker();
  add("66 KiB of text checked", costOf(mixed.length, cost.checked), () => {
    checker.reset();
    return checker.check(mixed, 0, mixed.length);
  });
  add("66 KiB of text made a string", costOf(mixed.length, cost.decoded), () => decodeUtf8(mixed, 0, mixed.length));
  const long = new Uint8Array(4 * kibibyte * kibibyte).fill(0x61);
  add("4 MiB of ASCII made a string", costOf(long.length, cost.decodedAscii), () => decodeUtf8(long, 0, long.length));
  for (const [name, task] of inflating()) add(name, task(), task);
  const json = payload({ size: 30_000, text: true, deflate: false }, 0);
  const deflater = new Deflater({ windowBits: 15, level: 5, memLevel: 5, takeover: false });
  for (const size of [477, json.length]) {
    const part = json.subarray(0, size);
    add(`${size} B deflated`, cost.deflation + costOf(size, cost.deflated), () => deflater.deflate(part));
  }
  const request = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  add("a request and its response", cost.request, () => {
    new RequestParser().put(request);
    return serializeHead(new Response({ body: "Hello, world!\n" }));
  });
  add("1,000 chunks", 1000 * cost.chunk, chunks(1000));
  return tasks;
}

function receiving(bytes: Uint8Array, expected: number): () => void {
  const incoming = new Incoming("server", { maxMessageSize: 2 ** 24, maxFragments: 64, text: "string" });
  return () => {
    incoming.receive(bytes);
    if (incoming.next(take.message) !== expected) throw new Error("not the event that was expected");
    incoming.retain();
  };
}

/** Inflating: each task returns what it was counted as. */
function inflating(): [name: string, task: () => number][] {
  const inflater = new Inflater({ windowBits: 15, takeover: false });
  const task = (deflated: Uint8Array) => (): number => {
    inflater.cost = 0;
    if (typeof inflater.inflate(deflated, Infinity) !== "object") throw new Error("it was not inflated");
    return inflater.cost;
  };
  const deflated = (data: Uint8Array): Uint8Array => new Uint8Array(deflateRawSync(data));
  const streams = Buffer.concat([
    ...Array.from({ length: 1000 }, () => Uint8Array.of(3, 0)),
    deflated(Uint8Array.of(1)),
  ]);
  return [
    ["250,000 zeros inflated", task(deflated(new Uint8Array(250_000)))],
    ["30 KB of JSON inflated", task(deflated(payload({ size: 30_000, text: true, deflate: false }, 0)))],
    ["1,000 streams of DEFLATE", task(streams)],
  ];
}

function chunks(count: number): () => void {
  const head = Buffer.from("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const body = Buffer.from("1\r\nx\r\n".repeat(count));
  return () => {
    const parser = new RequestParser();
    parser.put(head);
    if (new PartSink(parser).put(body) !== body.length) throw new Error("not all chunks were taken");
  };
}
