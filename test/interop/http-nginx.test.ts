import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { FlatBuffer } from "../../src/core/index.ts";
import { request, Request, type Body, type IncomingResponse, type RequestInit } from "../../src/http/index.ts";
import { connect, connectTls } from "../../src/net/index.ts";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { localhost } from "../support/localhost.ts";
import { startFileServer, startNginx } from "../support/nginx.ts";
import { requires, runProgram } from "../support/programs.ts";
import { content, startServer } from "./support/http-server.ts";

scrubReads(true);

const large = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => i % 239));

async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
}

describe("nginx in front of us", { skip: requires("nginx", "curl") }, () => {
  it("passes on requests and responses of every framing, on connections that it keeps", async (t) => {
    const { port, connections } = await startServer(t);
    const nginx = await startNginx(t, `http://127.0.0.1:${port}`);
    const curl = async (path: string, args: readonly string[] = [], input?: Buffer): Promise<Buffer> => {
      const all = ["-sS", "--cacert", `${nginx.folder}/cert.pem`, "--max-time", "20", ...args];
      const url = `https://localhost:${nginx.port}${path}`;
      const { stdout, stderr, code } = await runProgram("curl", [...all, url], input && inParts(input));
      assert.equal(code, 0, stderr);
      return stdout;
    };
    for (const base of ["", "/unbuffered"]) {
      assert.equal(String(await curl(`${base}/`)), "hello\n");
      assert.ok((await curl(`${base}/file`)).equals(content));
      assert.ok((await curl(`${base}/file`, ["-r", "5-100004"])).equals(content.subarray(5, 100_005)));
      assert.equal(String(await curl(`${base}/parts`)), "one two three\n");
      assert.equal(String(await curl(`${base}/size`, ["-T", "-"], large)), "2000000");
      assert.equal(String(await curl(`${base}/size`, ["--data-binary", "@-"], large)), "2000000");
      assert.ok((await curl(`${base}/echo`, ["-X", "POST", "--data-binary", "@-"], large)).equals(large));
      assert.match(String(await curl(`${base}/file`, ["-I"])), /^HTTP\/1.1 200 OK\r\n.*Content-Length: 200000\r\n/s);
    }
    assert.ok(connections() < 8, `${connections()} connections for 16 requests`);
  });
});

/** Sends requests on one stream, one after the other. */
async function asking(
  stream: Parameters<typeof request>[0],
): Promise<(init: RequestInit<Body>) => Promise<IncomingResponse>> {
  const buffer = new FlatBuffer();
  return (init) =>
    request(stream, new Request<Body>({ ...init, headers: { Host: "localhost", ...init.headers } }), { buffer });
}

describe("nginx behind our client", { skip: requires("nginx") }, () => {
  it("answers on one connection, over TLS", async (t) => {
    const { port } = await startServer(t);
    const nginx = await startNginx(t, `http://127.0.0.1:${port}`);
    const stream = await connectTls({ host: "localhost", port: nginx.port, family: 4 }, { ca: localhost.cert });
    const ask = await asking(stream);
    for (const base of ["", "/unbuffered"]) {
      assert.equal(await (await ask({ target: `${base}/` })).text(), "hello\n");
      assert.ok(content.equals(await (await ask({ target: `${base}/file` })).bytes()));
      const head = await ask({ method: "HEAD", target: `${base}/file` });
      assert.deepEqual(
        [head.status, head.headers.get("Content-Length"), (await head.bytes()).length],
        [200, "200000", 0],
      );
      assert.equal(await (await ask({ target: `${base}/parts` })).text(), "one two three\n");
      const body = inParts(large);
      assert.ok(large.equals(await (await ask({ method: "POST", target: `${base}/echo`, body })).bytes()));
      assert.equal(await (await ask({ method: "PUT", target: `${base}/size`, body: large })).text(), "2000000");
    }
    stream.close();
  });

  it("serves its files: ranges, no content, redirects, what ends with the connection", async (t) => {
    const page = "A page of nginx's.\n".repeat(1000);
    const nginx = await startFileServer(t, { page });
    const stream = await connect({ host: "127.0.0.1", port: nginx.port });
    const ask = await asking(stream);
    const whole = await ask({ target: "/page" });
    assert.equal(await whole.text(), page);
    const headers = { "If-None-Match": whole.headers.get("ETag")! };
    const unchanged = await ask({ target: "/page", headers });
    assert.deepEqual([unchanged.status, await unchanged.text(), unchanged.keepAlive], [304, "", true]);
    const part = await ask({ target: "/page", headers: { Range: "bytes=2-5" } });
    assert.deepEqual([part.status, await part.text()], [206, "page"]);
    const moved = await ask({ target: "/moved" });
    assert.deepEqual([moved.status, moved.headers.get("Location")], [302, `http://localhost:${nginx.port}/elsewhere`]);
    await moved.bytes();
    // Of unknown length and not chunked: only the end of the connection is its end.
    const last = await ask({ target: "/old", headers: { "Accept-Encoding": "gzip" } });
    assert.deepEqual([last.keepAlive && !last.needsEof, last.headers.get("Content-Encoding")], [false, "gzip"]);
    assert.equal(String(gunzipSync(await last.bytes())), page);
    stream.close();
  });
});
