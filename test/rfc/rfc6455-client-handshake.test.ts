// RFC 6455 sections 3, 4.1, 9.1 and 11.3: the opening handshake in the client role. Each response arrives whole, byte by
// byte and in random pieces.
//
// What no test of a Stream's handshake can show, or is done elsewhere:
// - 3, 4.1 steps 1 to 5: URIs, connecting, TLS are `connect`'s: see rfc6455-connecting.test.ts.
// - 4.1 item 7, "a nonce selected randomly": shown to differ; that it is random is in `accept-key.ts`.
// - 4.1 item 8, Origin: binds browsers; it can be given among the fields.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HandshakeOptions } from "../../src/websocket/index.ts";
import { concat, single, text } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { codeOf } from "../websocket/support/kit.ts";
import { answerTo, latin1, type Changes } from "../websocket/support/requests.ts";
import { seed } from "../support/property.ts";
import { connecting, Endpoint } from "./support/endpoint.ts";
import { responseToKey } from "../websocket/support/responses.ts";
import { cut } from "./support/wire.ts";

/** The request that a handshake sends. */
async function request(host: string, target: string, options?: HandshakeOptions): Promise<Endpoint> {
  const endpoint = new Endpoint("client");
  endpoint.ws.handshake(host, target, options ?? {}, endpoint.completed);
  await quiet();
  return endpoint;
}

describe("RFC 6455 section 4.1: the client's opening handshake", () => {
  it("4.1 items 1 to 9: the request is as the RFC describes it, and nothing else", async () => {
    const endpoint = await request("example.com", "/chat");
    assert.equal(endpoint.head?.line, "GET /chat HTTP/1.1");
    const key = endpoint.field("Sec-WebSocket-Key");
    assert.deepEqual(endpoint.head.headers.toSorted(), [
      ["connection", "Upgrade"],
      ["host", "example.com"],
      ["sec-websocket-key", key],
      ["sec-websocket-version", "13"],
      ["upgrade", "websocket"],
    ]);
    assert.equal(endpoint.sentBytes.length, 0);
  });
  for (const target of [
    "/",
    "/chat?room=1",
    "/%23",
    "/a//b;c=d?e?f",
    "http://example.com/chat",
    "https://example.com/chat",
  ]) {
    it(`4.1 item 3: ${target} is a resource name, and stands as it is in the first line`, async () => {
      const endpoint = await request("example.com", target);
      assert.equal(endpoint.head?.line, `GET ${target} HTTP/1.1`);
    });
  }
  for (const target of ["", "chat", "/a#b", "/#", "/a b", "/é", "/a\r\nX: y", "/\0", "ws://example.com/", "*"]) {
    it(`3: ${JSON.stringify(target)} is no resource name, and nothing is sent`, async () => {
      const { ws, peer, next } = new Endpoint("client");
      assert.equal(await codeOf(ws.handshake("example.com", target)), "core.invalid_argument");
      assert.deepEqual([peer.received.length, next.operations], [0, 0]);
    });
  }
  for (const host of ["example.com", "example.com:8080", "127.0.0.1", "[::1]", "[::1]:9000", "xn--bcher-kva.example"]) {
    it(`4.1 item 4: Host has the host and the port: ${host}`, async () => {
      assert.equal((await request(host, "/")).field("Host"), host);
    });
  }
  for (const host of ["", "a b", "a/b", "a\r\nX: y", "user@example.com", "[::1"]) {
    it(`4.1 step 1: ${JSON.stringify(host)} is no host, and nothing is sent`, async () => {
      const { ws, next } = new Endpoint("client");
      assert.equal(await codeOf(ws.handshake(host, "/")), "core.invalid_argument");
      assert.equal(next.operations, 0);
    });
  }
  it("4.1 item 7: the key is the base64 of 16 bytes, another for each connection", async () => {
    const keys = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const key = (await request("example.com", "/")).field("Sec-WebSocket-Key")!;
      const bytes = Buffer.from(key, "base64");
      assert.deepEqual([bytes.length, bytes.toString("base64")], [16, key]);
      keys.add(key);
    }
    assert.equal(keys.size, 50);
    for (let i = 0; i < 16; i++) {
      const values = new Set([...keys].map((key) => Buffer.from(key, "base64")[i]));
      assert.ok(values.size > 25, `byte ${i} takes ${values.size} values`);
    }
  });
  it("4.1 item 10: subprotocols are sent in their order of preference", async () => {
    const endpoint = await request("example.com", "/", { protocols: ["chat", "superchat", "v1.example.com"] });
    assert.deepEqual(endpoint.field("Sec-WebSocket-Protocol")?.split(/ *, */), ["chat", "superchat", "v1.example.com"]);
  });
  for (const protocols of [["a", "a"], ["a", ""], ["a b"], ["a,b"], ["é"], ["a\n"], ['"a"'], ["a/b"]]) {
    it(`4.1 item 10: ${JSON.stringify(protocols)} are no unique tokens, and nothing is sent`, async () => {
      const { ws, next } = new Endpoint("client");
      assert.equal(await codeOf(ws.handshake("example.com", "/", { protocols })), "core.invalid_argument");
      assert.equal(next.operations, 0);
    });
  }
  it("4.1 item 12: other headers may be given, also Origin and Authorization", async () => {
    const headers = { Origin: "https://example.com", Authorization: "Basic eA==", Cookie: "a=b" };
    const endpoint = await request("example.com", "/", { headers });
    for (const [name, value] of Object.entries(headers)) assert.equal(endpoint.field(name), value);
  });
  for (const name of [
    "Host",
    "upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Extensions",
  ]) {
    it(`11.3: the field ${name} belongs to the handshake and can't be set, and can't be given again`, async () => {
      const { ws, next } = new Endpoint("client");
      assert.equal(
        await codeOf(ws.handshake("example.com", "/", { headers: { [name]: "x" } })),
        "core.invalid_argument",
      );
      assert.equal(next.operations, 0);
    });
  }
  it("4.1: nothing is sent before the response has come, and nothing can be", async () => {
    const endpoint = await request("example.com", "/");
    const { ws } = endpoint;
    assert.throws(() => ws.send("early"), { condition: "misuse" });
    assert.notEqual(await codeOf(ws.write("early")), undefined);
    assert.notEqual(await codeOf(ws.ping()), undefined);
    assert.equal(endpoint.sentBytes.length, 0);
    const key = endpoint.field("Sec-WebSocket-Key")!;
    await endpoint.hear(responseToKey(key));
    ws.send("now");
    await quiet();
    assert.deepEqual(endpoint.frames, ["text now"]);
  });
});

/** What a response comes to, however its bytes are cut. */
async function outcome(respond: (key: string) => Uint8Array, handshake: HandshakeOptions = {}): Promise<Endpoint> {
  const whole = await connecting(respond, { handshake });
  for (const pieces of [single, (bytes: Uint8Array) => cut(bytes, seed)]) {
    const endpoint = await connecting(() => new Uint8Array(0), { handshake });
    await endpoint.hear(...pieces(respond(endpoint.field("Sec-WebSocket-Key")!)));
    assert.deepEqual(
      [endpoint.error?.code, endpoint.completions],
      [whole.error?.code, whole.completions],
      `SEED=${seed}`,
    );
  }
  return whole;
}

/** A test that a response opens the connection. */
function accepts(
  requirement: string,
  changes: Changes,
  { line, ...handshake }: HandshakeOptions & { line?: string } = {},
): void {
  it(requirement, async () => {
    const endpoint = await outcome((key) => responseToKey(key, changes, line), handshake);
    assert.deepEqual([endpoint.completions, endpoint.error], [1, undefined]);
    assert.equal(endpoint.ws.isOpen, true);
  });
}

/** A test that a response fails the connection: it is closed, with no close frame, and the error has the response. */
function fails(
  requirement: string,
  code: string,
  changes: Changes | ((key: string) => Changes),
  { line, ...handshake }: HandshakeOptions & { line?: string } = {},
): void {
  it(requirement, async () => {
    const respond = (key: string): Uint8Array =>
      responseToKey(key, typeof changes === "function" ? changes(key) : changes, line);
    const endpoint = await outcome(respond, handshake);
    const { error, ws } = endpoint;
    assert.deepEqual([endpoint.completions, error?.code, error?.condition], [1, code, "handshake_failed"]);
    assert.equal(error?.response?.status, Number(line?.split(" ")[1] ?? 101));
    assert.deepEqual([ws.isOpen, endpoint.next.closed, endpoint.sentBytes.length], [false, true, 0]);
    assert.deepEqual(endpoint.closed, { code: 1006, reason: "", clean: false });
    assert.equal(endpoint.clock.pending, 0);
  });
}

describe("RFC 6455 section 4.1: the server's response", () => {
  accepts("4.1: a response as the RFC describes it opens the connection", {});
  accepts("4.1: names of headers are case-insensitive", { Upgrade: undefined, uPGRADE: "websocket" });
  accepts("4.1: the reason phrase has no meaning", {}, { line: "HTTP/1.1 101 Whatever" });
  accepts("4.1: the reason phrase may be empty", {}, { line: "HTTP/1.1 101 " });
  accepts("4.1: unknown headers are ignored", { Server: "x", Date: "today", "X-Unknown": "é" });

  for (const line of [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 301 Moved",
    "HTTP/1.1 401 Unauthorized",
    "HTTP/1.1 426 No",
    "HTTP/1.1 500 No",
  ]) {
    const body = { "Content-Length": "0", Upgrade: undefined, "Sec-WebSocket-Accept": undefined };
    fails(`4.1 response 1: ${line} opens nothing`, "websocket.upgrade_declined", body, { line });
    fails(
      `4.1 response 1: ${line} opens nothing, also with all headers of a handshake`,
      "websocket.upgrade_declined",
      { "Content-Length": "0" },
      { line },
    );
  }
  it("4.1 response 1: a 100 is not the response, which comes after it", async () => {
    const endpoint = await outcome((key) => concat(latin1("HTTP/1.1 100 Continue\r\n\r\n"), responseToKey(key)));
    assert.deepEqual([endpoint.error, endpoint.ws.isOpen], [undefined, true]);
  });
  fails(
    "4.2.2 step 5.1: HTTP/1.0 can't switch protocols",
    "websocket.bad_http_version",
    {},
    { line: "HTTP/1.0 101 Switching Protocols" },
  );

  fails("4.1 response 2: no Upgrade fails the connection", "websocket.no_upgrade", { Upgrade: undefined });
  for (const value of ["h2c", "", "websockets", "websocket, h2c", "websocket/13"]) {
    fails(
      `4.1 response 2: Upgrade: "${value}" is no match, and fails the connection`,
      "websocket.no_upgrade_websocket",
      { Upgrade: value },
    );
  }
  for (const value of ["WebSocket", "WEBSOCKET", "  websocket  "]) {
    accepts(`4.1 response 2: Upgrade: "${value}" is a match`, { Upgrade: value });
  }

  fails("4.1 response 3: no Connection fails the connection", "websocket.no_connection", { Connection: undefined });
  for (const value of ["close", "", "upgraded", "up grade"]) {
    fails(`4.1 response 3: Connection: "${value}" fails the connection`, "websocket.no_connection_upgrade", {
      Connection: value,
    });
  }
  for (const value of ["upgrade", "keep-alive, Upgrade", "UPGRADE,x"]) {
    accepts(`4.1 response 3: Connection: "${value}" has the token`, { Connection: value });
  }

  fails("4.1 response 4: no Sec-WebSocket-Accept fails the connection", "websocket.no_sec_accept", {
    "Sec-WebSocket-Accept": undefined,
  });
  for (const [what, value] of [
    ["of another key", () => answerTo("dGhlIHNhbXBsZSBub25jZQ==")],
    ["that is empty", () => ""],
    ["in another case", (key: string) => answerTo(key).toLowerCase()],
    ["without its padding", (key: string) => answerTo(key).slice(0, -1)],
    ["that is the key", (key: string) => key],
  ] as const) {
    fails(`4.1 response 4: a Sec-WebSocket-Accept ${what} fails the connection`, "websocket.bad_sec_accept", (key) => ({
      "Sec-WebSocket-Accept": value(key),
    }));
  }
  it("4.1 response 4: space around Sec-WebSocket-Accept is ignored", async () => {
    const endpoint = await outcome((key) => responseToKey(key, { "Sec-WebSocket-Accept": ` \t ${answerTo(key)} \t` }));
    assert.deepEqual([endpoint.error, endpoint.ws.isOpen], [undefined, true]);
  });
  fails("11.3.3: two Sec-WebSocket-Accepts fail the connection", "websocket.bad_sec_accept", (key) => ({
    "Sec-WebSocket-Accept": [answerTo(key), answerTo(key)],
  }));

  for (const value of ["foo", "permessage-deflate", "permessage-deflate; server_no_context_takeover", "foo, bar"]) {
    fails(
      `4.1 response 5: the extension ${value}, which was not offered, fails the connection`,
      "websocket.bad_sec_extensions",
      {
        "Sec-WebSocket-Extensions": value,
      },
    );
  }
  for (const value of ["foo;", "foo bar", "foo; bar=", 'foo; bar="', "="]) {
    fails(`9.1: ${value} breaks the grammar, and fails the connection`, "websocket.bad_sec_extensions", {
      "Sec-WebSocket-Extensions": value,
    });
  }

  const protocols = ["chat", "superchat"];
  accepts("4.1 response 6: a response to an offer may choose no subprotocol", {}, { protocols });
  it("4.1 response 6: the subprotocol in use is the server's choice", async () => {
    const endpoint = await outcome((key) => responseToKey(key, { "Sec-WebSocket-Protocol": "superchat" }), {
      protocols,
    });
    assert.deepEqual([endpoint.error, endpoint.ws.protocol], [undefined, "superchat"]);
  });
  for (const value of ["other", "CHAT", "", "chat, superchat", "chat superchat"]) {
    fails(
      `4.1 response 6: the subprotocol "${value}", which was not offered, fails the connection`,
      "websocket.bad_sec_protocol",
      {
        "Sec-WebSocket-Protocol": value,
      },
      { protocols },
    );
  }
  fails("4.1 response 6: a subprotocol without an offer fails the connection", "websocket.bad_sec_protocol", {
    "Sec-WebSocket-Protocol": "chat",
  });
  fails(
    "11.3.4: two Sec-WebSocket-Protocols fail the connection",
    "websocket.bad_sec_protocol",
    {
      "Sec-WebSocket-Protocol": ["chat", "superchat"],
    },
    { protocols },
  );

  for (const [what, bytes] of [
    ["no HTTP", latin1("SSH-2.0-OpenSSH_9.2\r\n")],
    ["frames", text("hello", { key: undefined })],
    ["a field without a colon", latin1("HTTP/1.1 101 x\r\nUpgrade websocket\r\n\r\n")],
    ["a status of four digits", latin1("HTTP/1.1 1010 x\r\n\r\n")],
  ] as const) {
    it(`4.1: ${what} is no response, and fails the connection`, async () => {
      const endpoint = await connecting(() => bytes);
      if (endpoint.completions === 0) await endpoint.end();
      assert.equal(endpoint.completions, 1);
      assert.notEqual(endpoint.error, undefined);
      await quiet();
      assert.deepEqual([endpoint.ws.isOpen, endpoint.next.closed], [false, true]);
      assert.deepEqual(endpoint.closed, { code: 1006, reason: "", clean: false });
    });
  }
});

describe("RFC 6455 section 7.2.1: a client that fails the handshake", () => {
  it("7.2.1: a transport that ends before the response fails the connection", async () => {
    const endpoint = await request("example.com", "/");
    assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
    assert.equal(endpoint.error?.code, "websocket.closed");
  });
  it("7.2.1: a transport that ends inside the response fails the connection", async () => {
    const endpoint = await connecting((key) => responseToKey(key).subarray(0, -1));
    assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
    assert.equal(endpoint.error?.code, "http.partial_message");
  });
  it("7.2.1: a transport that is lost fails the connection", async () => {
    const endpoint = await request("example.com", "/");
    endpoint.peer.stream.reset();
    await quiet();
    assert.deepEqual([endpoint.error?.code, endpoint.closed?.code], ["core.connection_reset", 1006]);
  });
  it("7.2.1: a server that does not answer is abandoned after timeouts.handshake", async () => {
    const endpoint = new Endpoint("client", { options: { timeouts: { handshake: 5000 } } });
    endpoint.ws.handshake("example.com", "/", endpoint.completed);
    await quiet();
    await endpoint.clock.advance(5000);
    await quiet();
    assert.deepEqual([endpoint.error?.code, endpoint.closed?.code, endpoint.next.closed], ["core.timeout", 1006, true]);
  });
});
