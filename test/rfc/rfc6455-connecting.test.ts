// RFC 6455 sections 3, 4.1 (steps 1 to 5), 10.6 and 11.1: from a URI to a connection, over real sockets.
//
// What no test can show, or does not arise:
// - 4.1 step 2, "no more than one connection in a CONNECTING state" to an address: a rule against pages that nobody trusts. A
//   program that opens many connections means it; no client outside of browsers waits.
// - 4.1 step 3, proxies: the tests of `connect` have them; proxy autoconfiguration there is none.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { parseUrl } from "../../src/client/url.ts";
import { localhost } from "../support/localhost.ts";
import { codeOf } from "../websocket/support/kit.ts";

describe("RFC 6455 sections 3 and 11.1: WebSocket URIs", () => {
  for (const [uri, isSecure, host, port, resource] of [
    ["ws://example.com", false, "example.com", 80, "/"],
    ["wss://example.com", true, "example.com", 443, "/"],
    ["ws://example.com/", false, "example.com", 80, "/"],
    ["WS://EXAMPLE.com/Chat", false, "example.com", 80, "/Chat"],
    ["WSS://example.com/", true, "example.com", 443, "/"],
    ["ws://example.com:8080/chat", false, "example.com", 8080, "/chat"],
    ["wss://example.com:80/", true, "example.com", 80, "/"],
    ["ws://example.com:80/", false, "example.com", 80, "/"],
    ["ws://example.com/a/b?c=d&e", false, "example.com", 80, "/a/b?c=d&e"],
    ["ws://example.com?c=d", false, "example.com", 80, "/?c=d"],
    ["ws://example.com/?", false, "example.com", 80, "/"],
    ["ws://example.com/%23", false, "example.com", 80, "/%23"],
    ["ws://[::1]:9000/", false, "::1", 9000, "/"],
    ["ws://192.0.2.1/", false, "192.0.2.1", 80, "/"],
    ["ws://bücher.example/", false, "xn--bcher-kva.example", 80, "/"],
    ["ws://example.com/é?ü", false, "example.com", 80, "/%C3%A9?%C3%BC"],
  ] as const) {
    it(`3: ${uri} is ${isSecure ? "secure" : "not secure"}, port ${port}, resource name ${resource}`, () => {
      const endpoint = parseUrl(uri);
      assert.deepEqual(
        [endpoint.isSecure, endpoint.host, endpoint.port, endpoint.target],
        [isSecure, host, port, resource],
      );
    });
  }
  for (const uri of ["ws://example.com/#", "ws://example.com/#fragment", "wss://example.com/a?b#c"]) {
    it(`3: ${uri} has a fragment, which must not be used`, async () => {
      assert.equal(await codeOf(connect(uri)), "client.bad_url");
      assert.equal(await codeOf(connect(new URL(uri))), "client.bad_url");
    });
  }
  for (const uri of [
    "",
    "example.com",
    "ws:",
    "ws://",
    "ws://example.com:99999/",
    "ws://exa mple.com/",
    "ftp://example.com/",
    "ws//x",
  ]) {
    it(`4.1 step 1: "${uri}" is no WebSocket URI, and fails`, async () => {
      assert.equal(await codeOf(connect(uri)), "client.bad_url");
    });
  }
});

/** A server on a port of its own, for the time of `use`. */
async function listening<Result>(server: Server, use: (port: number) => Promise<Result>): Promise<Result> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** The first head that comes on a socket; then the connection is at its end. */
async function headOn(socket: NodeJS.ReadWriteStream): Promise<string[]> {
  let head = "";
  socket.on("error", () => {});
  for await (const chunk of socket) {
    head += String(chunk);
    if (head.includes("\r\n\r\n")) break;
  }
  return head.split("\r\n");
}

describe("RFC 6455 section 4.1: opening the connection", () => {
  it("4.1 items 3 and 4: the request names the resource, the host, and a port that is not the default", async () => {
    const server = createServer();
    await listening(server, async (port) => {
      const accepted = once(server, "connection") as Promise<[NodeJS.ReadWriteStream]>;
      const opening = codeOf(connect(`ws://127.0.0.1:${port}/chat?room=1`));
      const [line, ...headers] = await headOn((await accepted)[0]);
      assert.equal(line, "GET /chat?room=1 HTTP/1.1");
      assert.ok(headers.includes(`Host: 127.0.0.1:${port}`));
      await opening;
    });
  });

  it("4.1 step 4: a connection that can't be opened fails", async () => {
    const port = await listening(createServer(), (port) => Promise.resolve(port));
    assert.deepEqual(
      await connect(`ws://127.0.0.1:${port}/`).catch((error: { code?: string }) => error.code),
      "net.connection_refused",
    );
  });

  it("4.1 step 5 and 10.6: for wss TLS comes before the handshake, with the host's name as SNI", async () => {
    const server = createTlsServer(localhost);
    await listening(server, async (port) => {
      const secured = once(server, "secureConnection") as Promise<[TLSSocket]>;
      const opening = connect(`wss://localhost:${port}/chat`, { tls: { ca: localhost.cert }, family: 4 });
      const [socket] = await secured;
      assert.equal((socket as { servername?: string }).servername, "localhost");
      assert.equal((await headOn(socket))[0], "GET /chat HTTP/1.1");
      socket.destroy();
      await assert.rejects(opening);
    });
  });

  it("4.1 step 5: a certificate that can't be verified fails the connection, and nothing is sent", async () => {
    const server = createTlsServer(localhost);
    const data: unknown[] = [];
    server.on("secureConnection", (socket) => socket.on("data", (chunk) => data.push(chunk)));
    server.on("tlsClientError", () => {});
    await listening(server, async (port) => {
      const error = (await connect(`wss://127.0.0.1:${port}/`).catch((error: unknown) => error)) as { code?: string };
      assert.equal(error.code, "net.bad_certificate");
    });
    assert.deepEqual(data, []);
  });
});
