import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import { decodeLatin1, encodeLatin1 as latin1 } from "../../../src/core/text.ts";
import { IncomingBody, request, Request, type IncomingResponse, type RequestOptions } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { answers, Asking, get, post } from "../support/asking.ts";
import { quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { HandBody } from "../support/serving.ts";

describe("request", () => {
  for (const [name, text, body] of answers) {
    it(`gets ${name}, for reads and writes of any size, one request after the other on one stream`, async () => {
      for (const [maxRead, maxWrite] of [
        [Infinity, Infinity],
        [1, 1],
        [7, 3],
      ] as const) {
        const asking = new Asking({ maxRead, maxWrite });
        for (let round = 1; round <= 3; round++) {
          await asking.ask(round === 2 ? post("body") : get());
          await quiet(10);
          await asking.answer(text);
          await quiet(60);
          asking.assertDone();
          assert.equal(await asking.response!.text(), body);
          assert.equal(asking.requests.length, round);
          assert.deepEqual([asking.stream.reading, asking.stream.closed, asking.buffer.capacity], [false, false, 0]);
        }
        assert.deepEqual(
          asking.requests.map((seen) => [seen.line, seen.body]),
          [
            ["GET / HTTP/1.1", ""],
            ["POST / HTTP/1.1", "body"],
            ["GET / HTTP/1.1", ""],
          ],
        );
      }
    });
  }

  it("returns a promise without a handler, and accepts a handler without options", async () => {
    const [stream, peer] = pair();
    const server = new RawPeer(peer);
    server.write(answers[0]![1]);
    const buffer = new FlatBuffer();
    assert.equal((await request(stream, get(), { buffer })).status, 200);
    const [other, otherPeer] = pair();
    new RawPeer(otherPeer).write(answers[0]![1]);
    const response = await new Promise<IncomingResponse>((resolve) => request(other, get(), (_, one) => resolve(one)));
    assert.equal(response.status, 200);
  });

  it("yields the body in parts on demand, and then the trailer", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await asking.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const { body } = asking.response!;
    assert.ok(body instanceof IncomingBody);
    assert.deepEqual([asking.stream.reading, body.isDone, body.size], [false, false, undefined]);
    await asking.answer("2\r\nhe\r\n");
    assert.equal(asking.stream.unread, 7);
    const parts: string[] = [];
    const source = body[Symbol.asyncIterator]();
    parts.push(decodeLatin1((await source.next()).value!));
    const second = source.next();
    await assert.rejects(source.next(), { code: "http.body_used" });
    await asking.answer("3\r\nllo\r\n0\r\nT: x\r\n\r\n");
    parts.push(decodeLatin1((await second).value!));
    assert.equal((await source.next()).done, true);
    assert.deepEqual([parts, body.isDone, body.trailers.get("t")], [["he", "llo"], true, "x"]);
  });

  it("reads to the end of the stream if the response has no other framing", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await asking.answer("HTTP/1.1 200 OK\r\n\r\nhel");
    await asking.answer("lo");
    asking.server.stream.end();
    assert.equal(await asking.response!.text(), "hello");
  });

  it("expects no body after HEAD, and loses none of the bytes after it", async () => {
    const asking = new Asking();
    await asking.ask(new Request({ method: "HEAD", headers: { Host: "h" } }));
    await asking.answer(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${answers[0]![1]}`);
    asking.assertDone();
    assert.deepEqual([asking.response!.body, asking.response!.contentLength], [new Uint8Array(0), 5]);
    assert.equal(decodeLatin1(asking.buffer.data()), answers[0]![1]);
  });

  it("RFC 9112 6.3: ignores the framing headers of a response that has no body in any case", async () => {
    for (const [method, status] of [
      ["CONNECT", 200],
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
      ["GET", 101],
    ] as const) {
      for (const framing of ["Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: x"]) {
        const asking = new Asking();
        await asking.ask(new Request({ method, target: method === "CONNECT" ? "h:1" : "/", headers: { Host: "h" } }));
        await asking.answer(`HTTP/1.1 103 Hints\r\n${framing}\r\n\r\nHTTP/1.1 ${status} X\r\n${framing}\r\n\r\nnext`);
        asking.assertDone();
        assert.deepEqual([asking.response!.status, decodeLatin1(asking.buffer.data())], [status, "next"]);
      }
    }
  });

  it("leaves the bytes after a 101, or after the response to CONNECT, in the buffer", async () => {
    for (const [message, head] of [
      [new Request({ headers: { Host: "h", Connection: "Upgrade", Upgrade: "x" } }), "HTTP/1.1 101 Switching\r\n\r\n"],
      [new Request({ method: "CONNECT", target: "h:1", headers: { Host: "h:1" } }), "HTTP/1.1 200 OK\r\n\r\n"],
    ] as const) {
      for (const behind of ["", "\x81\x02hi"]) {
        const asking = new Asking();
        await asking.ask(message);
        await asking.answer(head + behind);
        asking.assertDone();
        assert.deepEqual([asking.response!.body, decodeLatin1(asking.buffer.data())], [new Uint8Array(0), behind]);
        assert.deepEqual([asking.stream.reading, asking.stream.closed], [false, false]);
      }
    }
  });

  it("says whether another request can follow: not after a body that ends with the connection, nor after a 101", async () => {
    const upgrade = new Request({ headers: { Host: "h", Connection: "Upgrade", Upgrade: "x" } });
    const connect = new Request({ method: "CONNECT", target: "h:1", headers: { Host: "h:1" } });
    for (const [message, head, keepAlive] of [
      [get(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
      [new Request({ method: "HEAD", headers: { Host: "h" } }), "HTTP/1.1 200 OK\r\n\r\n", true],
      [get(), "HTTP/1.1 200 OK\r\n\r\nhel", false],
      [get(), "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", false],
      [get(), "HTTP/1.1 101 Nobody Asked\r\n\r\n", false],
      [upgrade, "HTTP/1.1 101 Switching\r\n\r\n", false],
      [connect, "HTTP/1.1 200 OK\r\n\r\n", false],
      [connect, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", true],
    ] as const) {
      const asking = new Asking();
      await asking.ask(message);
      await asking.answer(head);
      assert.equal(asking.response!.keepAlive, keepAlive, head);
      // The headers stay as they were received.
      assert.equal(asking.response!.headers.get("Connection"), /keep-alive/.exec(head)?.[0]);
    }
  });

  it("fails if bytes came before it, after the previous response", async () => {
    const behind = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nnobody";
    for (const [message, text] of [
      [get(), `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${behind}`],
      // A server that answers HEAD with a body.
      [
        new Request({ method: "HEAD", headers: { Host: "a" } }),
        `HTTP/1.1 200 OK\r\nContent-Length: ${behind.length}\r\n\r\n${behind}`,
      ],
    ] as const) {
      const asking = new Asking();
      await asking.ask(message);
      await asking.answer(text);
      await asking.response!.text();
      asking.assertDone();
      const body = new HandBody();
      await asking.ask(new Request({ method: "POST", headers: { Host: "a" }, body }));
      asking.assertDone("http.unexpected_response");
      assert.deepEqual([asking.stream.closed, asking.requests.length, body.drops], [true, 1, 1]);
    }
  });

  it("reports interim responses, up to 8 of them", async () => {
    const seen: string[] = [];
    const interim: RequestOptions["interim"] = ({ status, headers }) => seen.push(`${status} ${headers.get("n")}`);
    const early = (n: number): string => `HTTP/1.1 103 Early Hints\r\nN: ${n}\r\n\r\n`;
    const all = [1, 2, 3, 4, 5, 6, 7, 8].map(early).join("");
    const asking = new Asking({ maxRead: 30 });
    await asking.ask(get(), { interim });
    await asking.answer(all + answers[0]![1]);
    asking.assertDone();
    assert.deepEqual(
      seen,
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `103 ${n}`),
    );
    const flooded = new Asking();
    await flooded.ask(get());
    await flooded.answer(all + early(9));
    flooded.assertDone("http.interim_limit");
  });

  it("fails if interim throws, or rejects before the response", async () => {
    const mine = new Error("mine");
    for (const interim of [
      () => {
        throw mine;
      },
      () => Promise.reject(mine),
    ]) {
      const asking = new Asking();
      await asking.ask(get(), { interim });
      await asking.answer("HTTP/1.1 103 Early Hints\r\n\r\n");
      asking.assertDone("http.handler_failed");
      assert.equal(asking.error?.cause, mine);
    }
  });

  it("observes its limits", async () => {
    for (const [code, options, text] of [
      ["http.header_limit", { maxHeaderSize: 50 }, `HTTP/1.1 200 OK\r\nA: ${"x".repeat(100)}`],
      ["http.field_limit", { maxHeadersCount: 1 }, "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"],
      ["http.bad_start_line", {}, "SSH-2.0\r\n"],
      ["http.bad_content_length", {}, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ] as const) {
      const asking = new Asking();
      await asking.ask(get(), options);
      await asking.answer(text);
      asking.assertDone(code);
    }
    for (const [code, options, text] of [
      ["http.body_limit", { maxBodySize: 4 }, answers[0]![1]],
      ["http.body_limit", { maxBodySize: 4 }, answers[1]![1]],
      ["http.bad_chunk", {}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"],
    ] as const) {
      const asking = new Asking();
      await asking.ask(get(), options);
      await asking.answer(text);
      asking.assertDone();
      await assert.rejects(asking.response!.bytes(), { code });
      assert.equal(asking.stream.closed, true);
    }
  });

  it("is misuse for a message that can't be sent, before anything is written", async () => {
    const [stream] = pair();
    const bad = new Request({ target: "a b", headers: { Host: "a" } });
    await assert.rejects(request(stream, bad), { code: "http.bad_target" });
    assert.throws(() => request(stream, bad, {}, assert.fail), { code: "http.bad_target" });
    for (const name of ["interim", "clock", "signal"]) {
      const options = { [name]: 5 } as unknown as RequestOptions;
      const message = new RegExp(`\\b${name} must be`);
      await assert.rejects(request(stream, get(), options), { code: "core.invalid_argument", message });
    }
    await assert.rejects(request(stream, new Request()), { code: "core.invalid_argument", message: /no Host/ });
    await assert.rejects(request(stream, { method: "GET" } as Request), { message: /http.Request/ });
    const signal = new AbortController() as unknown as AbortSignal;
    await assert.rejects(request(stream, get(), { signal }), { message: /AbortSignal/ });
    assert.deepEqual([stream.operations, stream.closed], [0, false]);
  });

  it("is misuse while the previous response's body is unread", async () => {
    const [stream, peer] = pair();
    const buffer = new FlatBuffer();
    const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    const answer = latin1(`HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`);
    peer.writeSome(answer, () => {});
    const first = await request(stream, get(), { buffer });
    await assert.rejects(request(stream, get(), { buffer }), { code: "http.body_unread" });
    assert.equal(await first.text(), evil);
    peer.writeSome(answer, () => {});
    assert.equal(await (await request(stream, get(), { buffer })).text(), evil);
  });

  it("has only the body limit given", async () => {
    const size = 9 * 1024 * 1024;
    for (const maxBodySize of [undefined, 1000]) {
      const [stream, peer] = pair({ capacity: Infinity });
      peer.writeSome(latin1(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), () => {
        peer.writeSome(new Uint8Array(size), () => {});
      });
      const body = (await request(stream, get(), { maxBodySize })).bytes();
      if (maxBodySize === undefined) assert.equal((await body).length, size);
      else await assert.rejects(body, { code: "http.body_limit" });
    }
  });

  it("is misuse while another is in flight, without affecting that", async () => {
    const asking = new Asking();
    await asking.ask(get());
    await assert.rejects(request(asking.stream, get()), { code: "core.operation_pending" });
    await asking.answer(answers[0]![1]);
    asking.assertDone();
    assert.equal(await asking.response!.text(), "hello");
    assert.equal(asking.requests.length, 1);
  });
});
