// RFC 6455 sections 1.3, 4.2, 4.3, 4.4, 9.1 and 11.3: the opening handshake in the server role. Each request arrives whole,
// byte by byte and in random pieces.
//
// What no test of an endpoint can show, or is the application's:
// - 4.2.2, step 1, TLS: `test/interop` has TLS in front of a Stream.
// - 4.2.2, /origin/, and 10.2, 10.5: whom to take is the hook's decision; that its refusal is sent is shown.
// - 4.2.2, /resource name/: likewise.
// - 9.1, "any extension-token used MUST be a registered token": the one that we use, permessage-deflate, is; see rfc7692.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Response } from "../../src/http/index.ts";
import type { StreamOptions } from "../../src/websocket/index.ts";
import { single, text, utf8 } from "../websocket/support/frames.ts";
import { quiet } from "../support/quiet.ts";
import { answerTo, latin1, requestBytes, type Changes } from "../websocket/support/requests.ts";
import { random, seed } from "../support/property.ts";
import { accepting, Endpoint } from "./support/endpoint.ts";
import { cut } from "./support/wire.ts";

/** What a request is answered with, however its bytes are cut. */
async function answer(request: Uint8Array, options: StreamOptions = {}): Promise<Endpoint> {
  const whole = await accepting(request, { options });
  for (const pieces of [single(request), cut(request, seed)]) {
    const endpoint = new Endpoint("server", { options });
    endpoint.ws.accept(endpoint.completed);
    await endpoint.hear(...pieces);
    assert.deepEqual(
      [endpoint.head, endpoint.error?.code, endpoint.completions],
      [whole.head, whole.error?.code, 1],
      `SEED=${seed}`,
    );
  }
  return whole;
}

/** A test that a request opens the connection. */
function accepts(requirement: string, changes: Changes, line?: string): void {
  it(requirement, async () => {
    const endpoint = await answer(requestBytes(changes, line));
    assert.deepEqual([endpoint.head?.line, endpoint.error], ["HTTP/1.1 101 Switching Protocols", undefined]);
    assert.equal(endpoint.ws.isOpen, true);
  });
}

/** A test that a request is refused with a status, by default 400, and that the transport is closed. */
function refuses(requirement: string, changes: Changes, { line = "GET /chat HTTP/1.1", status = 400 } = {}): void {
  it(requirement, async () => {
    const endpoint = await answer(requestBytes(changes, line));
    assert.match(endpoint.head?.line ?? "no response", new RegExp(`^HTTP/1.1 ${status} `));
    assert.equal(
      endpoint.error?.condition === "handshake_failed" || endpoint.error?.condition === "protocol_violation",
      true,
    );
    assert.equal(endpoint.ws.isOpen, false);
    assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
  });
}

describe("RFC 6455 section 4.2.1: reading the client's opening handshake", () => {
  accepts("4.2.1: a request as the RFC describes it opens the connection", {});
  accepts("4.2.1: the order of the headers is not important", {
    "Sec-WebSocket-Version": "13",
    Upgrade: "websocket",
    Host: "example.com",
  });
  accepts("4.2.1: names of headers are case-insensitive", {
    Host: undefined,
    Connection: undefined,
    Upgrade: undefined,
    "Sec-WebSocket-Version": undefined,
    hOST: "example.com",
    cONNECTION: "Upgrade",
    uPGRADE: "websocket",
    "sec-websocket-VERSION": "13",
  });

  accepts("4.2.1 item 1: an absolute http URI has the resource name too", {}, "GET http://example.com/chat HTTP/1.1");
  accepts("4.2.1 item 1: an absolute https URI has the resource name too", {}, "GET https://example.com/chat HTTP/1.1");
  accepts("4.2.1 item 1: a resource name may have a query", {}, "GET /chat?room=1&x=%23 HTTP/1.1");
  for (const method of ["POST", "HEAD", "PUT", "CONNECT", "get"]) {
    refuses(`4.2.1 item 1: the method ${method} is refused`, {}, { line: `${method} /chat HTTP/1.1`, status: 405 });
  }
  refuses("4.2.1 item 1: HTTP/1.0 is refused", {}, { line: "GET /chat HTTP/1.0" });

  refuses("4.2.1 item 2: no Host is refused", { Host: undefined });
  refuses("4.2.1 item 2: two Hosts are refused", { Host: ["example.com", "example.com"] });
  refuses("4.2.1 item 2: a Host that is no authority is refused", { Host: "example com" });
  accepts("4.2.1 item 2: a Host with a port", { Host: "example.com:8080" });
  accepts("4.2.1 item 2: a Host that is an IPv6 address", { Host: "[::1]:8080" });

  refuses("4.2.1 item 3: no Upgrade is refused", { Upgrade: undefined });
  refuses("4.2.1 item 3: an Upgrade to something else is refused", { Upgrade: "h2c" });
  refuses("4.2.1 item 3: an Upgrade that only contains the word is refused", { Upgrade: "xwebsocket" });
  refuses("4.2.1 item 3: an empty Upgrade is refused", { Upgrade: "" });
  for (const value of ["websocket", "WebSocket", "WEBSOCKET", "h2c, websocket"]) {
    accepts(`4.2.1 item 3: Upgrade: ${value}`, { Upgrade: value });
  }

  refuses("4.2.1 item 4: no Connection is refused", { Connection: undefined });
  refuses("4.2.1 item 4: a Connection without the token Upgrade is refused", { Connection: "keep-alive" });
  refuses("4.2.1 item 4: a Connection that only contains the word is refused", { Connection: "upgraded" });
  for (const value of ["Upgrade", "upgrade", "keep-alive, Upgrade", "UPGRADE , close"]) {
    accepts(`4.2.1 item 4: Connection: ${value}`, { Connection: value });
  }
  accepts("4.2.1 item 4: Connection in several fields", { Connection: ["keep-alive", "Upgrade"] });

  refuses("4.2.1 item 5: no Sec-WebSocket-Key is refused", { "Sec-WebSocket-Key": undefined });
  for (const [what, key] of [
    ["is empty", ""],
    ["has 15 bytes", Buffer.alloc(15).toString("base64")],
    ["has 17 bytes", Buffer.alloc(17).toString("base64")],
    ["has 13 bytes", Buffer.alloc(13).toString("base64")],
    ["has 19 bytes", Buffer.alloc(19).toString("base64")],
    ["is not base64", "dGhlIHNhbXBsZSBub25j*Q=="],
    ["lacks its padding", "dGhlIHNhbXBsZSBub25jZQ"],
    ["is of base64url", "__________________-_-A=="],
    ["has a character after it", "dGhlIHNhbXBsZSBub25jZQ==x"],
  ] as const) {
    refuses(`4.2.1 item 5: a Sec-WebSocket-Key that ${what} is refused`, { "Sec-WebSocket-Key": key });
  }
  accepts("4.2.1 item 5: a key of all digits of base64", { "Sec-WebSocket-Key": "+/AZaz09+/AZaz09+/AZaw==" });
  accepts("4.1: the key of the example, whose unused bits are set", {
    "Sec-WebSocket-Key": "AQIDBAUGBwgJCgsMDQ4PEC==",
  });
  refuses("11.3.1: two Sec-WebSocket-Keys are refused", {
    "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="],
  });

  refuses("4.2.1 item 6: no Sec-WebSocket-Version is refused", { "Sec-WebSocket-Version": undefined });
  refuses("11.3.5: two Sec-WebSocket-Versions are refused", { "Sec-WebSocket-Version": ["13", "13"] });

  accepts("4.2.1 item 7: an Origin", { Origin: "https://example.com" });
  accepts("4.2.1 item 8: Sec-WebSocket-Protocol", { "Sec-WebSocket-Protocol": "chat, superchat" });
  accepts("11.3.4: Sec-WebSocket-Protocol in several fields", { "Sec-WebSocket-Protocol": ["chat", "superchat"] });
  refuses("4.3: a subprotocol that is no token is refused", { "Sec-WebSocket-Protocol": "chat, super chat" });
  accepts("4.2.1 item 9: unknown extensions", {
    "Sec-WebSocket-Extensions": 'foo, bar; baz=2, mux; max-channels="4"; flow-control, deflate-stream',
  });
  accepts("11.3.2: Sec-WebSocket-Extensions in several fields", { "Sec-WebSocket-Extensions": ["foo", "bar; baz=2"] });
  accepts("4.2.1 item 10: unknown headers are ignored", {
    Cookie: "a=b",
    "X-Unknown": "é",
    Authorization: "x",
  });

  for (const [what, bytes] of [
    ["a binary", Uint8Array.from({ length: 100 }, (_, i) => 255 - i)],
    ["a line that is no request", latin1("HELLO\r\n\r\n")],
    ["a field without a colon", latin1("GET / HTTP/1.1\r\nHost example.com\r\n\r\n")],
    ["a folded field", latin1("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n")],
    ["a space before the colon", latin1("GET / HTTP/1.1\r\nHost : a\r\n\r\n")],
    ["frames without a handshake", text("hello")],
  ] as const) {
    it(`4.2.1: ${what} is no handshake, and gets an error code`, async () => {
      const endpoint = await accepting(bytes);
      assert.match(endpoint.head?.line ?? "no response", /^HTTP\/1\.1 4\d\d /);
      assert.equal(endpoint.ws.isOpen, false);
      await endpoint.end();
    });
  }
  it("8.1: invalid UTF-8 in the handshake does not pass for the characters that replace it", async () => {
    const endpoint = await accepting(requestBytes({ Upgrade: "web\xffsocket" }));
    assert.match(endpoint.head?.line ?? "", /^HTTP\/1\.1 400 /);
  });
});

describe("RFC 6455 section 4.2.2: sending the server's opening handshake", () => {
  it("4.2.2 step 5: the response is 101, with Upgrade, Connection and Sec-WebSocket-Accept, each of them once", async () => {
    const endpoint = await answer(requestBytes({}));
    assert.equal(endpoint.head?.line, "HTTP/1.1 101 Switching Protocols");
    const named = endpoint.head.headers.filter(([name]) => /^(upgrade|connection|sec-.*)$/.test(name));
    assert.deepEqual(named.toSorted(), [
      ["connection", "Upgrade"],
      ["sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
      ["upgrade", "websocket"],
    ]);
  });
  it("1.3: the answer to the key is that of the example", () => {
    assert.equal(answerTo("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
  it("4.2.2 step 5.4: Sec-WebSocket-Accept is made of the key's characters, not of its decoded bytes", async () => {
    for (let i = 0; i < 20; i++) {
      const key = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString("base64");
      const endpoint = await accepting(requestBytes({ "Sec-WebSocket-Key": key }));
      assert.equal(endpoint.field("Sec-WebSocket-Accept"), answerTo(key), key);
    }
    const unused = "AQIDBAUGBwgJCgsMDQ4PEC==";
    const endpoint = await accepting(requestBytes({ "Sec-WebSocket-Key": unused }));
    assert.equal(endpoint.field("Sec-WebSocket-Accept"), answerTo(unused));
  });

  const offered = { "Sec-WebSocket-Protocol": "chat, superchat" };
  it("4.2.2 /subprotocol/: the chosen one is in the response, once", async () => {
    const endpoint = await answer(requestBytes(offered), { upgrade: () => ({ protocol: "superchat" }) });
    assert.deepEqual([endpoint.field("Sec-WebSocket-Protocol"), endpoint.ws.protocol], ["superchat", "superchat"]);
  });
  it("4.2.2 /subprotocol/: without a choice the response has no such header", async () => {
    const endpoint = await answer(requestBytes(offered));
    assert.deepEqual([endpoint.field("Sec-WebSocket-Protocol"), endpoint.ws.protocol], [undefined, ""]);
  });
  for (const protocol of ["other", "CHAT", "", "chat, superchat"]) {
    it(`4.2.2 /subprotocol/: "${protocol}", which was not offered, can't be chosen`, async () => {
      const endpoint = await answer(requestBytes(offered), { upgrade: () => ({ protocol }) });
      assert.match(endpoint.head?.line ?? "", /^HTTP\/1\.1 500 /);
      assert.equal(endpoint.error?.code, "websocket.bad_upgrade_result");
      assert.equal(endpoint.field("Sec-WebSocket-Protocol"), undefined);
    });
  }
  it("4.2.2 /subprotocol/: nothing can be chosen if nothing was offered", async () => {
    const endpoint = await answer(requestBytes(), { upgrade: () => ({ protocol: "chat" }) });
    assert.match(endpoint.head?.line ?? "", /^HTTP\/1\.1 500 /);
  });
  it("4.2.2 /extensions/: unknown extensions are not agreed to", async () => {
    const endpoint = await answer(requestBytes({ "Sec-WebSocket-Extensions": "foo, deflate-stream" }));
    assert.equal(endpoint.field("Sec-WebSocket-Extensions"), undefined);
  });
  it("9: the response has no extension that the client has not offered", async () => {
    const endpoint = await answer(requestBytes(), { deflate: true });
    assert.equal(endpoint.field("Sec-WebSocket-Extensions"), undefined);
    assert.equal(endpoint.ws.isOpen, true);
  });

  for (const [step, response] of [
    ["2, authentication", { status: 401, headers: { "WWW-Authenticate": "Basic" } }],
    ["3, a redirect", { status: 307, headers: { Location: "https://example.org/" } }],
    ["4, an origin that is not wanted", { status: 403 }],
    ["4, a resource that is not there", { status: 404 }],
  ] as const) {
    it(`4.2.2 step ${step}: a status of ${response.status} is sent, and ends the handshake`, async () => {
      const endpoint = await answer(requestBytes({ Origin: "https://evil.example" }), {
        upgrade: () => new Response(response),
      });
      assert.match(endpoint.head?.line ?? "", new RegExp(`^HTTP/1.1 ${response.status} `));
      const [[name, value]] = Object.entries("headers" in response ? response.headers : { Upgrade: undefined }) as [
        [string, string],
      ];
      assert.equal(endpoint.field(name), value);
      assert.equal(endpoint.error?.code, "websocket.upgrade_declined");
      assert.deepEqual(await endpoint.end(), { code: 1006, reason: "", clean: false });
    });
  }
  it("4.2.2: the hook sees the origin, the resource name, the host and the client's other headers", async () => {
    let seen: unknown;
    await accepting(requestBytes({ Origin: "https://example.com", Cookie: "a=b" }, "GET /chat?x=1 HTTP/1.1"), {
      options: {
        upgrade: ({ target, headers }) => {
          seen = [target, headers.get("Host"), headers.get("Origin"), headers.get("Cookie")];
        },
      },
    });
    assert.deepEqual(seen, ["/chat?x=1", "example.com", "https://example.com", "a=b"]);
  });

  it("4.2.2: after the handshake the server may send, and receive", async () => {
    const endpoint = await accepting(requestBytes(), { options: { open: (ws) => void ws.send("welcome") } });
    await endpoint.hear(text("thanks"));
    assert.deepEqual([endpoint.frames, endpoint.messages], [["text welcome"], ["thanks"]]);
  });
});

describe("RFC 6455 section 4.4: versions", () => {
  for (const version of ["0", "7", "8", "12", "14", "25", "255"]) {
    it(`4.4: version ${version} is answered with 426 and the version that we speak`, async () => {
      const endpoint = await answer(requestBytes({ "Sec-WebSocket-Version": version }));
      assert.match(endpoint.head?.line ?? "", /^HTTP\/1\.1 426 /);
      assert.equal(endpoint.field("Sec-WebSocket-Version"), "13");
      assert.equal(endpoint.ws.isOpen, false);
    });
  }
  for (const version of ["", "13, 8", "013", "13.0", "256", "x", "-13"]) {
    it(`4.3: "${version}" is no version, and refused`, async () => {
      const endpoint = await answer(requestBytes({ "Sec-WebSocket-Version": version }));
      assert.match(endpoint.head?.line ?? "", /^HTTP\/1\.1 4(00|26) /);
      assert.equal(endpoint.ws.isOpen, false);
    });
  }
});

describe("RFC 6455 section 9.1: the grammar of Sec-WebSocket-Extensions", () => {
  for (const value of [
    "foo",
    "foo;bar",
    "foo; bar=baz",
    'foo; bar="baz"',
    'foo; bar="b\\a\\z"',
    "foo , bar;a;b=1 , baz",
    "foo ;a = 1\t; b",
    "foo,,bar",
  ]) {
    accepts(`9.1: ${value}`, { "Sec-WebSocket-Extensions": value });
  }
  for (const value of [
    ";",
    "foo;",
    "foo; =1",
    "foo; bar=",
    'foo; bar="',
    'foo; bar=""',
    'foo; bar="a b"',
    'foo; bar="a,b"',
    "foo bar",
    "foo; bar baz",
    "foo=1",
    "f(o)o",
    'foo; bar="baz"x',
  ]) {
    refuses(`9.1: ${value} breaks the grammar, and fails the connection`, { "Sec-WebSocket-Extensions": value });
  }
});

describe("RFC 6455 section 7.2.2: a server that aborts the handshake", () => {
  it("7.2.2: closes the connection, with no close frame", async () => {
    const endpoint = await accepting(requestBytes({ Upgrade: undefined }));
    const { headers } = endpoint.head!;
    const length = Number(headers.find(([name]) => name === "content-length")![1]);
    assert.equal(endpoint.sentBytes.length, length);
    assert.equal(endpoint.peer.ended, true);
  });
  it("4.2.1: a client that sends nothing is abandoned after timeouts.handshake", async () => {
    const endpoint = await accepting(utf8("GET /chat HT"), { options: { timeouts: { handshake: 5000 } } });
    await endpoint.clock.advance(5000);
    await quiet();
    assert.equal(endpoint.error?.code, "core.timeout");
    assert.deepEqual(endpoint.closed, { code: 1006, reason: "", clean: false });
  });
});
