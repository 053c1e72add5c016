// Messages of node:http's own server and client, over real sockets.
import assert from "node:assert/strict";
import { Agent, createServer, get, request as ask, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { read, Request, RequestParser, Response, write } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";

/** Runs with the port of a server that listens, and stops it. */
async function serving<Result>(listener: RequestListener, use: (port: number) => Promise<Result>): Promise<Result> {
  const server = createServer(listener);
  // An idle connection stays, so that nothing is repaired by its end.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What a server makes of the bytes that a client sends. */
function received<Result>(text: string, look: (request: Request) => Promise<Result> | Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    void serving(
      (incoming, answer) => {
        Promise.resolve(look(Request.from(incoming)))
          .then(resolve, reject)
          .finally(() => answer.end());
      },
      (port) =>
        new Promise<void>((resolve) => {
          const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
          socket
            .resume()
            .once("data", () => socket.destroy())
            .once("close", () => resolve());
        }),
    ).catch(reject);
  });
}

describe("Request.from, of node:http", () => {
  it("takes method, target, version and the headers as received", async () => {
    const text = "PUT /a?b HTTP/1.0\r\nHOST: a\r\nX: \xe9\r\nx: 2\r\nCookie: c\r\ncookie: d\r\n\r\n";
    const request = await received(text, (request) => request);
    assert.deepEqual([request.method, request.target, request.version], ["PUT", "/a?b", 10]);
    assert.deepEqual([...request.headers].flat(), ["HOST", "a", "X", "\xe9", "x", "2", "Cookie", "c; d"]);
    assert.equal((request.body as Uint8Array).length, 0);
  });

  it("has a body if one was announced, read on demand", async () => {
    for (const framed of [
      "Content-Length: 5\r\n\r\nhello",
      "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ]) {
      const text = await received(`POST / HTTP/1.1\r\nHost: a\r\n${framed}`, (request) => {
        assert.ok(!(request.body instanceof Uint8Array));
        return request.text();
      });
      assert.equal(text, "hello");
    }
    const none = await received("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", (request) => request.body);
    assert.ok(none instanceof Uint8Array);
  });

  it("passes on its body's trailers, without those that are not allowed", async () => {
    const body = "2\r\nhe\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nx-sum: 2\r\n\r\n";
    const sent = await received(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
      async (request) => {
        const [stream, peer] = pair();
        const written = write(stream, request);
        const parser = new RequestParser();
        const forwarded = await read(peer, new FlatBuffer(), parser);
        await written;
        return [await forwarded.text(), ...parser.trailers];
      },
    );
    assert.deepEqual(sent, ["he", ["X-Sum", "1"], ["x-sum", "2"]]);
  });

  it("does not change Node's message", async () => {
    await serving(
      (incoming, answer) => {
        const request = Request.from(incoming);
        request.headers.delete("Host");
        answer.end(incoming.rawHeaders.join());
      },
      async (port) => assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /host,127/i),
    );
  });
});

/** What a client of node:http gets. */
const answer = (port: number, method = "GET", agent?: Agent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    ask({ port, host: "127.0.0.1", method, ...(agent && { agent }) }, resolve)
      .once("error", reject)
      .end();
  });

describe("Response.from, of node:http", () => {
  it("takes status, reason, version, the headers as received, and the body", async () => {
    await serving(
      (_, answer) => {
        answer.writeHead(404, "Nope \xe9", ["Set-Cookie", "a=1", "SET-COOKIE", "b=2", "X", "y"]);
        answer.write("hel");
        answer.end("lo");
      },
      async (port) => {
        const response = Response.from(await answer(port));
        assert.deepEqual([response.status, response.reason, response.version], [404, "Nope \xe9", 11]);
        assert.deepEqual(response.headers.getAll("set-cookie"), ["a=1", "b=2"]);
        assert.equal(response.headers.raw[2], "SET-COOKIE");
        assert.equal(response.chunked, true);
        assert.equal(await response.text(), "hello");
      },
    );
  });

  it("has a body up to the end of the stream too", async () => {
    await serving(
      ({ socket }) => socket.end("HTTP/1.0 200 OK\r\n\r\nhello"),
      async (port) => {
        const response = Response.from(await answer(port));
        assert.deepEqual([response.version, response.needsEof], [10, true]);
        assert.equal(decodeLatin1(await response.bytes()), "hello");
      },
    );
  });

  it("has none if the status has none, and can be sent on", async () => {
    for (const status of [204, 304]) {
      await serving(
        (_, answer) => answer.writeHead(status, { ETag: '"a"' }).end(),
        async (port) => {
          const agent = new Agent({ keepAlive: true, maxSockets: 1 });
          const response = Response.from(await answer(port, "GET", agent));
          assert.ok(response.body instanceof Uint8Array);
          response.preparePayload();
          // The client's connection is free for another request: nobody has to read what is not there.
          assert.equal(Response.from(await answer(port, "GET", agent)).status, status);
          agent.destroy();
        },
      );
    }
  });

  it("has an empty one in response to HEAD", async () => {
    await serving(
      (_, answer) => answer.writeHead(200, { "Content-Length": 5 }).end(),
      async (port) => {
        const response = Response.from(await answer(port, "HEAD"));
        assert.equal(response.contentLength, 5);
        assert.equal(await response.text(), "");
      },
    );
  });

  it("fails if the body is cut", async () => {
    await serving(
      (_, answer) => {
        answer.writeHead(200, { "Content-Length": 5 }).write("hel");
        answer.socket!.end();
      },
      async (port) => {
        const incoming = await new Promise<IncomingMessage>((resolve) => get({ port, host: "127.0.0.1" }, resolve));
        await assert.rejects(Response.from(incoming).bytes(), { code: "ECONNRESET" });
      },
    );
  });

  it("reads to the end only a message without a body that is HTTP", () => {
    for (const [message, reads] of [
      [{ statusCode: 200 }, 0],
      [{ statusCode: 101 }, 0],
      [{ statusCode: 204 }, 1],
      [{ statusCode: 304 }, 1],
      // As those of a server are.
      [{ statusCode: null, method: "GET" }, 0],
    ] as const) {
      let resumed = 0;
      const incoming = {
        ...message,
        httpVersionMajor: 1,
        httpVersionMinor: 1,
        rawHeaders: [],
        resume: () => resumed++,
        async *[Symbol.asyncIterator]() {},
      } as unknown as IncomingMessage;
      const { body } = message.statusCode === null ? Request.from(incoming) : Response.from(incoming);
      assert.deepEqual([resumed, body === (incoming as unknown)], [reads, message.statusCode === 200]);
    }
  });
});
