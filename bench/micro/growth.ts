// How the cost of everything that takes bytes in pieces grows with their number. A cost that grows faster is a flaw that a
// peer can use.
import { FlatBuffer, PrefixedStream, promised, type ByteStream } from "../../src/core/index.ts";
import {
  Fields,
  FinalResponseParser,
  read,
  readResponse,
  RequestParser,
  Response,
  ResponseParser,
  Serializer,
  serve,
  write,
  type Body,
} from "../../src/http/index.ts";
import { lines } from "../../src/cli/shared/lines.ts";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import { Protocol, Stream } from "../../src/websocket/index.ts";
import { ofStreams, ofTls, ofWebStreams } from "./growth-streams.ts";

/** Takes `size` bytes, or about as many, in as small pieces as there are. */
type Growing = (size: number) => unknown;

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const unlimited = { maxHeaderSize: Infinity, maxHeadersCount: Infinity, maxBodySize: Infinity };

/** A stream that brings these bytes one by one, and then ends. */
function bringing(bytes: Uint8Array, options: PairOptions = { maxRead: 1 }): ByteStream {
  const [stream, other] = pair({ capacity: Infinity, ...options });
  other.writeSome(bytes, () => other.end());
  return stream;
}

/** A WebSocket of a server, and the bytes of a message to it from a client's protocol. */
function webSocket(options: PairOptions = {}, highWaterMark = 65_536): { ws: Stream; other: ByteStream } {
  const [stream, other] = pair({ capacity: Infinity, maxRead: 1, ...options }, { capacity: Infinity });
  const ws = new Stream(stream, { maxMessageSize: Infinity, maxFragments: Infinity, overflow: "wait", highWaterMark });
  ws.attach({ role: "server" });
  return { ws, other };
}

function sent(queue: (protocol: Protocol) => void): Uint8Array {
  const protocol = new Protocol({ role: "client", maxFragments: Infinity });
  queue(protocol);
  return Buffer.concat(protocol.bytesToSend());
}

function* times<Item>(count: number, item: Item): Generator<Item, undefined> {
  for (let i = 0; i < count; i++) yield item;
}

const one = new Uint8Array(1);

function fragments(most: number): Uint8Array {
  const size = Math.ceil(most);
  return sent((protocol) => {
    for (let i = 0; i < size; i++) protocol.send(one, { fin: i === size - 1 });
  });
}

const head = { maxHeaderSize: Infinity, maxHeadersCount: Infinity };

function upgrade(headers: string): string {
  return (
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`
  );
}

async function* each(text: string): AsyncGenerator<string, undefined> {
  for (const character of text) yield character;
}

/** Each kind of work. */
export const growing: Readonly<Record<string, Growing>> = {
  ...ofStreams,
  ...ofWebStreams,
  ...ofTls,
  "FlatBuffer, appended to byte by byte": (size) => {
    const buffer = new FlatBuffer();
    for (let i = 0; i < size; i++) buffer.append(one);
  },
  "FlatBuffer, consumed byte by byte": (size) => {
    const buffer = new FlatBuffer();
    buffer.append(new Uint8Array(size));
    for (let i = 0; i < size; i++) {
      buffer.append(one);
      buffer.consume(1);
    }
  },
  "PrefixedStream, read byte by byte": async (size) => {
    const stream = new PrefixedStream(bringing(new Uint8Array(size)), one);
    for (let i = 0; i < size; i++)
      await promised<unknown>((done) => stream.readSome((error, bytes) => done(error, bytes)));
  },
  "a request's head, byte by byte": (size) => {
    const head = ascii(`GET / HTTP/1.1\r\nHost: a\r\n${"a: b\r\n".repeat(size / 6)}\r\n`);
    return read(bringing(head), new FlatBuffer(), new RequestParser(unlimited));
  },
  "a body, byte by byte": (size) => {
    const message = ascii(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    return read(bringing(message), new FlatBuffer(), new ResponseParser(unlimited));
  },
  "chunks of one byte, byte by byte": (size) => {
    const chunks = "1\r\nx\r\n".repeat(size / 6);
    const message = ascii(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    return read(bringing(message), new FlatBuffer(), new ResponseParser(unlimited));
  },
  "Fields, appended": (size) => {
    const fields = new Fields();
    for (let i = 0; i < size / 4; i++) fields.append("a", "b");
    return fields.getAll("a");
  },
  "Serializer, consumed byte by byte": (size) => {
    const serializer = new Serializer(new Response({ body: new Uint8Array(size) }), { limit: 1 });
    while (!serializer.isDone) {
      serializer.next();
      serializer.consume(1);
    }
  },
  "http.write, of parts of one byte, taken byte by byte": (size) => {
    const [stream] = pair({ maxWrite: 1 }, { capacity: Infinity });
    return write(stream, new Response<Body>({ body: times(size / 4, "x") as never }));
  },
  "Response.bytes, of parts of one byte": (size) => new Response<Body>({ body: times(size, "x") as never }).bytes(),
  "a message in one frame, byte by byte": async (size) => {
    const { ws, other } = webSocket();
    other.writeSome(
      sent((protocol) => protocol.send(new Uint8Array(size))),
      () => {},
    );
    await ws.read();
  },
  "fragments of one byte, byte by byte": async (size) => {
    const { ws, other } = webSocket();
    other.writeSome(fragments(size / 7), () => {});
    await ws.read();
  },
  "fragments of one byte, in large reads": async (size) => {
    const { ws, other } = webSocket({ maxRead: Infinity });
    other.writeSome(fragments(size), () => {});
    await ws.read();
  },
  "readSome, of fragments of one byte": async (size) => {
    const { ws, other } = webSocket();
    other.writeSome(fragments(size / 7), () => {});
    while (!(await ws.readSome()).done);
  },
  "a request's head of a WebSocket, byte by byte": (size) => {
    const ws = new Stream(bringing(ascii(upgrade("X: a\r\n".repeat(size / 6)))), head);
    return ws.accept();
  },
  "http.serve, requests one after the other, byte by byte": async (size) => {
    const requests = ascii("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(size / 27));
    await serve(bringing(requests), () => new Response({ body: "x" }));
  },
  "http.serve, a body of chunks of one byte, sent back": async (size) => {
    const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const request = ascii(`${head}${"1\r\nx\r\n".repeat(size / 6)}0\r\n\r\n`);
    await serve(bringing(request), ({ body }) => new Response<Body>({ body }), unlimited);
  },
  "a trailer, byte by byte": (size) => {
    const message = ascii(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(size / 6)}\r\n`,
    );
    return read(bringing(message), new FlatBuffer(), new ResponseParser(unlimited));
  },
  "a chunk extension, byte by byte": (size) => {
    const message = ascii(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a="${"b".repeat(size)}"\r\nx\r\n0\r\n\r\n`,
    );
    const options = { ...unlimited, maxChunkExtensionSize: Infinity };
    return read(bringing(message), new FlatBuffer(), new ResponseParser(options));
  },
  "the final response, byte by byte": (size) => {
    const message = ascii(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    return readResponse(bringing(message), new FlatBuffer(), new FinalResponseParser(unlimited));
  },
  "Protocol, fragments of one byte, received byte by byte": (size) => {
    const protocol = new Protocol({ role: "server", maxFragments: Infinity });
    for (const byte of fragments(size / 7)) {
      protocol.receive(Uint8Array.of(byte));
      while (protocol.next() !== undefined);
    }
  },
  "Protocol, messages of one byte, taken at the end": (size) => {
    const protocol = new Protocol({ role: "client" });
    for (let i = 0; i < size / 7; i++) protocol.send(one);
    protocol.bytesToSend();
  },
  "lines of the command, byte by byte": async (size) => {
    let count = 0;
    for await (const line of lines(each("x".repeat(size)))) count += line.length;
    return count;
  },
  "ws.write, of an iterable of parts of one byte": (size) => webSocket().ws.write(times(size / 4, "x")),
  "ws.write, of an iterable of empty parts": (size) => webSocket().ws.write(times(size, "")),
  "ws.write, of a list, taken byte by byte": (size) => {
    const { ws } = webSocket({ maxWrite: 1 }, 1);
    return ws.write(Array.from(times(size / 4, new Uint8Array(4))));
  },
  "messages of one byte, queued and taken byte by byte": async (size) => {
    const { ws } = webSocket({ maxWrite: 1 }, 1);
    for (let i = 1; i < size / 4; i++) ws.send(one);
    await ws.write(one);
  },
};

/** The sizes that are compared. */
const sizes = [6_000, 24_000, 96_000];

/** Measures each kind of work, whose name has one of the words in it, at three sizes; a line each, in ns for each byte. */
export async function* growthTable(words: readonly string[]): AsyncGenerator<string, undefined> {
  yield `ns for each byte, of ${sizes.map((size) => size.toLocaleString("en-US")).join(", ")}; the last by the first`;
  for (const [name, work] of Object.entries(growing)) {
    if (words.length > 0 && !words.some((word) => name.toLowerCase().includes(word))) continue;
    const costs: number[] = [];
    for (const size of sizes) costs.push((await leastTime(() => work(size))) / size);
    const ratio = costs.at(-1)! / costs[0]!;
    yield [...costs.map((cost) => cost.toFixed(0).padStart(8)), ratio.toFixed(1).padStart(6), `  ${name}`].join("");
  }
}

/** The least of three, in nanoseconds, after one that is not counted. */
async function leastTime(run: () => unknown): Promise<number> {
  await run();
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least * 1e6;
}
