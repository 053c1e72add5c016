// Bodies that end with the connection, over real sockets: a reset that comes together with the last bytes is no end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createSecureContext, TLSSocket } from "node:tls";
import { FlatBuffer, fromDuplex, PrefixedStream, type ByteStream } from "../../../../src/core/index.ts";
import {
  FinalResponseParser,
  read,
  readResponse,
  request,
  Request,
  ResponseParser,
} from "../../../../src/http/index.ts";
import { connect, connectTls, TimeoutStream } from "../../../../src/net/index.ts";
import { localhost } from "../../../support/localhost.ts";

/** A server that sends this to each client at once, and then ends or resets the connection in the same turn. */
async function server(t: TestContext, text: string, end: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(text);
      end(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  t.after(() => listening.close());
  return (listening.address() as AddressInfo).port;
}

const get = new Request({ headers: { Host: "h" } });
const text = "HTTP/1.1 200 OK\r\n\r\nhello";

const streams: Record<string, (port: number) => Promise<ByteStream>> = {
  "a socket of net": (port) => connect({ port, host: "127.0.0.1" }),
  "layers over it": async (port) =>
    new PrefixedStream(new TimeoutStream(await connect({ port, host: "127.0.0.1" }), {}), new Uint8Array(0)),
  "a socket of Node.js": async (port) => {
    const socket = connectSocket(port, "127.0.0.1");
    await once(socket, "connect");
    return fromDuplex(socket);
  },
};

/** Ways to read a response of that kind to its end. */
const ways: Record<string, (stream: ByteStream) => Promise<Uint8Array>> = {
  request: async (stream) => (await request(stream, get)).bytes(),
  read: async (stream) => {
    await sent(stream);
    return (await read(stream, new FlatBuffer(), new ResponseParser())).body;
  },
  readResponse: async (stream) => {
    await sent(stream);
    return (await readResponse(stream, new FlatBuffer(), new FinalResponseParser())).body;
  },
};

function sent(stream: ByteStream): Promise<void> {
  return new Promise((resolve) => stream.writeSome(Buffer.from("GET"), () => resolve()));
}

for (const [name, open] of Object.entries(streams)) {
  describe(`a body that ends with the connection, over ${name}`, () => {
    for (const [way, readWhole] of Object.entries(ways)) {
      it(`${way}: is whole after an end`, async (t) => {
        const stream = await open(await server(t, text, (socket) => void socket.end()));
        assert.equal(String(Buffer.from(await readWhole(stream))), "hello");
        stream.close();
      });

      it(`${way}: is cut by a reset that comes with its last bytes`, async (t) => {
        const stream = await open(await server(t, text, (socket) => void socket.resetAndDestroy()));
        await assert.rejects(readWhole(stream), { code: "core.connection_reset" });
        stream.close();
      });
    }
  });
}

it("request: a reset below TLS cuts it too, and an end does not", async (t) => {
  const secureContext = createSecureContext({ cert: localhost.cert, key: localhost.key });
  for (const how of ["end", "reset"]) {
    const listening = createServer((raw) => {
      raw.on("error", () => {});
      const socket = new TLSSocket(raw, { isServer: true, secureContext });
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(text);
        if (how === "end") socket.end();
        else raw.resetAndDestroy();
      });
    }).listen(0, "127.0.0.1");
    await once(listening, "listening");
    t.after(() => listening.close());
    const { port } = listening.address() as AddressInfo;
    const stream = await connectTls({ host: "localhost", port, family: 4 }, { ca: localhost.cert });
    const body = (await request(stream, get)).bytes();
    if (how === "end") assert.equal(String(Buffer.from(await body)), "hello");
    else await assert.rejects(body, { code: "core.connection_reset" });
    stream.close();
  }
});

it("a length that was announced and reached needs no end", async (t) => {
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  const stream = await connect({
    port: await server(t, whole, (socket) => void socket.resetAndDestroy()),
    host: "127.0.0.1",
  });
  assert.equal(String(Buffer.from(await (await request(stream, get)).bytes())), "hello");
  stream.close();
});
