import { createHash } from "node:crypto";
import { promised, type Handler } from "../../src/core/index.ts";
import { decodeUtf8, encodeUtf8, isValidUtf8 } from "../../src/core/internal.ts";
import { Fields, RequestParser, Response, serializeHead } from "../../src/http/index.ts";
import { pair } from "../../src/testing/index.ts";
import { Deflater, Inflater } from "../../src/websocket/deflate/deflate.ts";
import { maskInPlace, maskInto } from "../../src/websocket/frames/mask.ts";
import { Utf8Checker } from "../../src/websocket/frames/utf8.ts";
import { acceptKey } from "../../src/websocket/handshake/accept-key.ts";
import { checkUpgrade } from "../../src/websocket/handshake/server-rules.ts";
import { event, take } from "../../src/websocket/protocol/event.ts";
import { Incoming } from "../../src/websocket/protocol/incoming.ts";
import { FrameBuffer } from "../../src/websocket/protocol/frame-buffer.ts";
import { Stream } from "../../src/websocket/index.ts";
import { Settings } from "../../src/websocket/internal.ts";
import { messageFrame, payload } from "../load/frames.ts";
import { pageRequest, upgradeRequest } from "./browser-request.ts";
import { costs } from "./costs.ts";
import { nodeParser } from "./llhttp.ts";

/** Does a small piece of work once; what it returns is there so that the work can't be left out, or is awaited. */
type Task = () => unknown;

/** Groups of tasks, by name. */
export const tasks: Readonly<Record<string, Readonly<Record<string, Task>>>> = {
  "request head": requestHead(),
  "response head": {
    serval: () => serializeHead(new Response({ body: "Hello, world!\n" })),
  },
  fields: fields(),
  upgrade: upgrade(),
  accept: accepting(),
  "receive frames": receiving(),
  "send frames": sending(),
  mask: masking(),
  utf8: utf8(),
  deflate: deflating(),
  costs: costs(),
};

function parsed(bytes: Uint8Array): RequestParser {
  const parser = new RequestParser();
  parser.put(bytes);
  return parser;
}

function requestHead(): Record<string, Task> {
  const byNode = nodeParser();
  return {
    serval: () => parsed(pageRequest).request,
    "serval, one byte at a time": () => {
      const parser = new RequestParser();
      for (let i = 0; i < pageRequest.length; i++) parser.put(pageRequest.subarray(i, i + 1));
      return parser.request;
    },
    "node:http's llhttp": () => byNode(pageRequest),
  };
}

function fields(): Record<string, Task> {
  const names = Array.from({ length: 16 }, (_, i) => `X-Field-${i}`);
  const filled = (): Fields => {
    const made = new Fields();
    for (const name of names) made.append(name, "some value");
    return made;
  };
  const few = filled();
  const headers = new Headers(names.map((name) => [name, "some value"]));
  return {
    "serval, 16 appended": filled,
    "Headers, 16 appended": () => {
      const made = new Headers();
      for (const name of names) made.append(name, "some value");
      return made;
    },
    "serval, get of the last": () => few.get("x-field-15"),
    "Headers, get of the last": () => headers.get("x-field-15"),
  };
}

function upgrade(): Record<string, Task> {
  const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const request = parsed(upgradeRequest).request!;
  return {
    "serval, accept key": () => acceptKey(key),
    "createHash, accept key": () =>
      createHash("sha1")
        .update(key + guid)
        .digest("base64"),
    "serval, parse": () => parsed(upgradeRequest).request,
    "serval, check": () => checkUpgrade(request),
  };
}

/** An opening handshake: both ends are made, the request is read, the 101 written, and all is gone. */
function accepting(): Record<string, Task> {
  const settings = new Settings({});
  const accept = (done: Handler): void => {
    const [stream, client] = pair();
    client.writeSome(upgradeRequest, () => {});
    const ws = new Stream(stream, settings);
    ws.accept((error) => {
      // An open one has a timer, which would keep it.
      ws.terminate();
      done(error);
    });
  };
  return { "serval, in memory": () => promised(accept) };
}

/** A read's worth of frames, taken message by message. */
function receiving(): Record<string, Task> {
  const options = { maxMessageSize: 2 ** 24, maxFragments: 64, text: "string" } as const;
  const task = (size: number, text: boolean): Task => {
    const frame = messageFrame({ size, text, deflate: false }, 1);
    const count = Math.max(1, Math.floor(65_536 / frame.length));
    const input = Buffer.concat(Array.from({ length: count }, () => frame));
    const incoming = new Incoming("server", options);
    return () => {
      incoming.receive(input);
      let messages = 0;
      while (incoming.next(take.message) === event.message) messages++;
      incoming.retain();
      if (messages !== count) throw new Error(`${messages} of ${count} messages were found`);
      return messages;
    };
  };
  return {
    "64 KiB of 64 B": task(64, false),
    "64 KiB of 64 B of text": task(64, true),
    "64 KiB of 512 B": task(512, false),
    "one of 64 KiB": task(65_000, false),
  };
}

function sending(): Record<string, Task> {
  const task = (role: "server" | "client", size: number, count: number): Task => {
    const outgoing = new FrameBuffer(role);
    const data = payload({ size, text: false, deflate: false }, 0);
    return () => {
      for (let i = 0; i < count; i++) outgoing.bytes(0x82, data);
      const bytes = outgoing.take();
      outgoing.wrote(outgoing.bufferedAmount);
      return bytes;
    };
  };
  return {
    "server, 64 of 64 B": task("server", 64, 64),
    "client, 64 of 64 B": task("client", 64, 64),
    "server, one of 64 KiB": task("server", 65_536, 1),
    "client, one of 64 KiB": task("client", 65_536, 1),
  };
}

function masking(): Record<string, Task> {
  const key = 0x12345678;
  const source = new Uint8Array(65_536);
  const target = new Uint8Array(65_536);
  return {
    "into, 32 B": () => maskInto(source, 0, target, 0, 32, key),
    "into, 512 B": () => maskInto(source, 0, target, 0, 512, key),
    "in place, 64 KiB": () => maskInPlace(target, 0, 65_536, key),
  };
}

function utf8(): Record<string, Task> {
  const ascii = encodeUtf8("The quick brown fox jumps over the lazy dog. ".repeat(90));
  const mixed = encodeUtf8("Zażółć gęślą jaźń, 日本語, 🦊. ".repeat(90));
  const checker = new Utf8Checker();
  const check = (bytes: Uint8Array): boolean => {
    checker.reset();
    return checker.check(bytes, 0, bytes.length);
  };
  return {
    "check, 4 KB of ASCII": () => check(ascii),
    "check, 4 KB mixed": () => check(mixed),
    "native check, 4 KB mixed": () => isValidUtf8(mixed),
    "decode, 4 KB of ASCII": () => decodeUtf8(ascii),
    "decode, 4 KB mixed": () => decodeUtf8(mixed),
  };
}

/** Distinct messages in turn: the same again and again would be too easy with takeover. */
function deflating(): Record<string, Task> {
  const texts = Array.from({ length: 256 }, (_, i) => payload({ size: 477, text: true, deflate: false }, i));
  const options = { windowBits: 15, level: 6, memLevel: 8 };
  let next = 0;
  const deflateTask = (takeover: boolean): Task => {
    const deflater = new Deflater({ ...options, takeover });
    return () => deflater.deflate(texts[next++ & 255]!);
  };
  const alone = new Deflater({ ...options, takeover: false });
  const deflated = texts.map((text) => alone.deflate(text).slice());
  const inflater = new Inflater({ windowBits: 15, takeover: false });
  return {
    "deflate 477 B of JSON": deflateTask(false),
    "deflate 477 B of JSON, takeover": deflateTask(true),
    "inflate 477 B of JSON": () => inflater.inflateAside(deflated[next++ & 255]!, 65_536)!.length,
  };
}
