import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { it } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { startFileServer } from "../support/nginx.ts";
import { requires, runProgram, type Cleanup } from "../support/programs.ts";
import { messageOf } from "./support/conversation.ts";
import { startExample } from "./support/example.ts";

/** A server of Node's for the proxy to forward to. */
async function origin(
  test: Cleanup,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; address: string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("forwards requests and responses with their bodies, and WebSockets", async (t) => {
  const { server, address } = await origin(t, (request, response) => {
    response.setHeader("X-Seen", JSON.stringify(request.headers));
    if (request.url === "/close") response.setHeader("Connection", "close");
    if (request.url === "/missing") response.statusCode = 404;
    request.pipe(response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
  const { port } = await startExample(t, "reverse-proxy", () => [address]);
  const url = `http://127.0.0.1:${port}`;

  const plain = await fetch(`${url}/missing`);
  assert.deepEqual([plain.status, await plain.text()], [404, ""]);
  const seen = JSON.parse(plain.headers.get("X-Seen")!) as Record<string, string>;
  assert.deepEqual([seen.via, seen.host], ["1.1 serval", `127.0.0.1:${port}`]);
  assert.match(seen["x-forwarded-for"]!, /^(::ffff:)?127\.0\.0\.1$/);
  const large = Buffer.alloc(3_000_000, "forwarded ");
  for (const path of ["/", "/close", "/"]) {
    const echoed = await fetch(`${url}${path}`, { method: "POST", body: large });
    assert.ok(Buffer.from(await echoed.arrayBuffer()).equals(large), path);
  }
  assert.equal(await messageOf(new WebSocket(`ws://127.0.0.1:${port}/`), "through"), "through");
});

it("forwards what curl sends: chunked, by 100-continue, and over HTTP/1.0", { skip: requires("curl") }, async (t) => {
  const { address } = await origin(t, (request, response) => {
    void buffer(request).then((body) => response.end(`${request.method} ${body.length}`));
  });
  const { port } = await startExample(t, "reverse-proxy", () => [address]);
  const curl = async (...args: string[]): Promise<string> => {
    const file = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 20; i++) yield Buffer.alloc(50_000);
    };
    return String((await runProgram("curl", ["-sS", ...args, `http://127.0.0.1:${port}/`], file())).stdout);
  };
  assert.equal(await curl("-T", "-"), "PUT 1000000");
  assert.equal(await curl("-T", "-", "-H", "Expect: 100-continue"), "PUT 1000000");
  assert.equal(await curl("-0", "--data-binary", "@-"), "POST 1000000");
  assert.equal(await curl("-I", "-o", "/dev/null", "-w", "%{http_code}"), "200");
});

it("answers 502 if nothing listens, without naming the address", async (t) => {
  const { server, address } = await origin(t, () => {});
  server.close();
  await once(server, "close");
  const { port } = await startExample(t, "reverse-proxy", () => [address]);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.deepEqual([answer.status, await answer.text()], [502, "The origin does not answer\n"]);
});

it("never takes surplus bytes of an origin for a response, and drops ended connections", async (t) => {
  const seen: string[] = [];
  const answers: Record<string, string> = {
    "/none": "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "/twice": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "/switch": "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
  };
  let ended!: () => void;
  const hasEnded = new Promise<void>((resolve) => (ended = resolve));
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const text = String(data);
      const target = text.split(" ")[1]!;
      seen.push(text);
      socket.write(answers[target] ?? `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`);
      // It is idle then.
      if (target === "/ends") socket.end(ended);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { port } = await startExample(t, "reverse-proxy", () => [address]);
  // All of it over one connection, so that there is one to the origin.
  const client = connectTcp(port, "127.0.0.1");
  t.after(() => client.destroy());
  let got = "";
  client.on("data", (data) => (got += String(data)));
  const ask = async (target: string, last: string, headers = ""): Promise<void> => {
    got = "";
    client.write(`GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`);
    while (!got.endsWith(last)) await once(client, "data");
  };
  await ask("/none", "\r\n\r\n");
  assert.match(got, /^HTTP\/1\.1 204 /);
  await ask("/twice", "one");
  await ask("/mine", "/mine");
  await ask("/ends", "/ends");
  await hasEnded;
  await ask("/again", "/again");
  await ask("/h2c", "/h2c", "Connection: Upgrade, X-Gone\r\nUpgrade: h2c\r\nX-Gone: 1\r\n");
  assert.doesNotMatch(seen.at(-1)!, /upgrade|gone/i);
  await ask("/switch", "not answer\n");
  assert.match(got, /^HTTP\/1\.1 502 /);
});

it("takes Host from an absolute target, keeps end-to-end headers, and answers a client's malformed body itself", async (t) => {
  const { address } = await origin(t, (request, response) => {
    request.on("error", () => {});
    request.resume().on("end", () => response.end(JSON.stringify({ target: request.url, ...request.headers })));
  });
  const { port } = await startExample(t, "reverse-proxy", () => [address]);
  const ask = async (head: string, body = ""): Promise<string> => {
    const client = connectTcp(port, "127.0.0.1");
    t.after(() => client.destroy());
    client.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
    return String(await buffer(client));
  };
  const seen = async (head: string): Promise<Record<string, string>> =>
    JSON.parse((await ask(head)).split("\r\n\r\n")[1]!) as Record<string, string>;

  // RFC 9112 3.2.2.
  for (const [target, path] of [
    ["http://a.example:81/b?c", "/b?c"],
    ["HTTPS://a.example:81", "/"],
    ["http://a.example:81?c", "/?c"],
  ] as const) {
    const { target: asked, host } = await seen(`GET ${target} HTTP/1.1\r\nHost: other.example`);
    assert.deepEqual([asked, host], [path, "a.example:81"]);
  }
  assert.equal((await seen("GET / HTTP/1.0")).host, address);
  for (const target of ["http://u@a.example/", "ftp://a.example/", "http:///", "a.example:80"]) {
    assert.match(await ask(`GET ${target} HTTP/1.1\r\nHost: h`), /^HTTP\/1\.1 400 /, target);
  }

  // RFC 9110 7.6.1: an option never names what is meant for all recipients.
  const named = "Host, Cookie, Authorization, X-Forwarded-For, X-Forwarded-Proto, Content-Type, Cache-Control, X-Gone";
  const kept = await seen(
    `GET / HTTP/1.1\r\nHost: h\r\nConnection: ${named}\r\nCookie: a=1\r\nAuthorization: b\r\nX-Forwarded-For: 192.0.2.1\r\n` +
      "X-Forwarded-Proto: https\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nX-Gone: 1\r\nKeep-Alive: 5",
  );
  assert.deepEqual(
    [kept.host, kept.cookie, kept.authorization, kept["content-type"], kept["cache-control"], kept["x-gone"]],
    ["h", "a=1", "b", "text/plain", "no-store", undefined],
  );
  assert.match(kept["x-forwarded-for"]!, /^192\.0\.2\.1, /);
  assert.deepEqual([kept["x-forwarded-proto"], kept["keep-alive"]], ["https", undefined]);

  const post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked";
  assert.match(await ask(post, "5\r\nhello\r\nx\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(await ask(post, `1;${"x".repeat(5000)}\r\n`), /^HTTP\/1\.1 413 /);
  assert.match(await ask(post, "5\r\nhello\r\n0\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

it("forwards what nginx serves", { skip: requires("nginx", "curl") }, async (t) => {
  const page = "Behind a proxy.\n".repeat(10_000);
  const nginx = await startFileServer(t, { page });
  const { port } = await startExample(t, "reverse-proxy", () => [`127.0.0.1:${nginx.port}`]);
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, code } = await runProgram("curl", ["-sS", "--max-time", "20", ...args]);
    assert.equal(code, 0, stderr);
    return String(stdout);
  };
  const url = `http://127.0.0.1:${port}`;
  assert.equal(await curl(`${url}/page`, `${url}/page`), page + page);
  assert.equal(await curl("-r", "7-8", `${url}/page`), "a ");
  assert.equal(await curl("--compressed", `${url}/old`, `${url}/page`), page + page);
  assert.match(await curl("-I", `${url}/page`), /Content-Length: 160000\r\n/);
  assert.match(await curl("-D", "-", `${url}/missing`), /^HTTP\/1.1 404 Not Found\r\n/);
});
