import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { Fields, serializeHead, type FieldsInit, type Request } from "../../../src/http/index.ts";
import {
  checkUpgradeResponse,
  declined,
  ownValues,
  upgradeHead,
  upgradeRequest,
  type UpgradeWish,
} from "../../../src/websocket/handshake/client-rules.ts";
import { checkUpgrade } from "../../../src/websocket/handshake/server-rules.ts";
import { deflateSettings } from "../../../src/websocket/handshake/permessage-deflate.ts";
import { key, type Changes } from "../support/requests.ts";
import { responseOf, switching } from "../support/responses.ts";

const deflate = deflateSettings(true, () => true);
const wish: UpgradeWish = { host: "example.com", target: "/chat", key, protocols: [], deflate: undefined };

/** The request, which is the same as text; or what both throw. */
function asked(changes: Partial<UpgradeWish> = {}): Request {
  const all = { ...wish, ...changes };
  let request: Request;
  try {
    request = upgradeRequest(all);
  } catch (error) {
    assert.ok(error instanceof ServalError);
    assert.throws(() => upgradeHead(all, all.key), { code: error.code, message: error.message });
    throw error;
  }
  assert.equal(upgradeHead(all, all.key), Buffer.from(serializeHead(request)).toString("latin1"));
  return request;
}

describe("the upgrade request (RFC 6455 section 4.1)", () => {
  const head = (request: Request): string[] =>
    Buffer.from(serializeHead(request)).toString("latin1").trimEnd().split("\r\n");
  const lines = [
    "GET /chat HTTP/1.1",
    "Host: example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
  ];

  it("has what the RFC requires, and no more", () => {
    assert.deepEqual(head(asked()), lines);
  });

  it("offers subprotocols and permessage-deflate, then has the user's headers in order", () => {
    const headers = {
      Origin: "http://a.example",
      Cookie: ["a=1", "b=2"],
      Authorization: "Basic eA==",
      "User-Agent": "me",
    };
    assert.deepEqual(head(asked({ protocols: ["b", "a"], deflate, headers })), [
      ...lines,
      "Sec-WebSocket-Protocol: b, a",
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate",
      "Origin: http://a.example",
      "Cookie: a=1; b=2",
      "Authorization: Basic eA==",
      "User-Agent: me",
    ]);
  });

  it("is what a server accepts", () => {
    assert.deepEqual(checkUpgrade(asked({ protocols: ["b", "a"] })), { key, protocols: ["b", "a"], extensions: [] });
  });

  for (const host of ["a", "example.com:8080", "127.0.0.1", "[::1]:80", "a_b"]) {
    it(`accepts the host ${host}`, () => assert.equal(asked({ host }).headers.get("Host"), host));
  }
  for (const host of ["", "a b", "a/b", "user@a", "::1", "é", "a\r\nB: c", undefined, 1]) {
    it(`refuses the host ${JSON.stringify(host)}`, () =>
      assert.throws(() => asked({ host: host as string }), { code: "core.invalid_argument", message: /host/ }));
  }

  for (const target of [
    "/",
    "/chat?room=1",
    "//a",
    "/%C3%A9",
    '/"<>[]{}|\\^`',
    "http://example.com/chat",
    "https://a",
  ]) {
    it(`accepts the target ${target}`, () => assert.equal(asked({ target }).target, target));
  }
  for (const target of ["", "chat", "*", "?a", "/a b", "/a#b", "/é", "/a\r\nB: c", "/\0", "ws://a/", " /", undefined]) {
    it(`refuses the target ${JSON.stringify(target)}`, () =>
      assert.throws(() => asked({ target: target as string }), { code: "core.invalid_argument", message: /target/ }));
  }

  for (const protocols of [[""], ["a b"], ["a,b"], ["a/1"], ["é"], ["a", "b", "a"], ["a\r\nB: c"], [1]]) {
    it(`refuses the subprotocols ${JSON.stringify(protocols)}`, () =>
      assert.throws(() => asked({ protocols: protocols as string[] }), {
        code: "core.invalid_argument",
        message: /subprotocol/,
      }));
  }
  it("accepts subprotocols that differ in case", () =>
    assert.equal(asked({ protocols: ["a", "A"] }).headers.get("Sec-WebSocket-Protocol"), "a, A"));

  for (const name of [
    "Host",
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
    "Content-Length",
    "Transfer-Encoding",
  ]) {
    it(`refuses the header ${name}`, () => {
      const given: FieldsInit[] = [
        { [name.toLowerCase()]: "x" },
        [
          ["A", "b"],
          [name, ""],
        ],
        new Fields({ [name]: "x" }),
      ];
      for (const headers of given) {
        assert.throws(() => asked({ headers }), { code: "core.invalid_argument", message: new RegExp(name) });
      }
    });
  }
  it("checks the user's headers, however they were made", () => {
    assert.throws(() => asked({ headers: { "a b": "c" } }), { code: "http.bad_field" });
    assert.throws(() => asked({ headers: { a: "b\r\nc: d" } }), { code: "http.bad_value" });
    assert.throws(() => asked({ headers: Fields.fromRaw(["a", "b\r\nc: d"]) }), { code: "http.bad_value" });
  });
  it("does not change the user's headers", () => {
    const headers = new Fields({ A: "b" });
    asked({ headers }).headers.append("C", "d");
    assert.deepEqual(headers.raw, ["A", "b"]);
  });

  it("detects changes of the handshake's own headers", () => {
    const request = asked({ protocols: ["a"] });
    const before = ownValues(request);
    request.headers.append("Origin", "a");
    assert.deepEqual(ownValues(request), before);
    for (const touch of [
      (headers: Fields): void => headers.append("host", "b"),
      (headers: Fields): unknown => headers.delete("Upgrade"),
      (headers: Fields): void => headers.set("Sec-WebSocket-Protocol", "b"),
      (headers: Fields): void => headers.append("Content-Length", "0"),
    ]) {
      const other = asked({ protocols: ["a"] });
      touch(other.headers);
      assert.notDeepEqual(ownValues(other), before);
    }
    for (const change of [{ method: "POST" }, { target: "/other" }, { version: 10 }, { body: Uint8Array.of(1) }]) {
      const other = Object.assign(asked({ protocols: ["a"] }), change);
      assert.ok(ownValues(other).some((value, i) => value !== before[i]));
    }
  });
});

const offers = { key, protocols: ["chat", "superchat"], deflate: undefined };
type Offers = Parameters<typeof checkUpgradeResponse>[1];

function codeOf(changes: Changes, line?: string, offered: Offers = offers): string | undefined {
  const response = responseOf(changes, line);
  const result = checkUpgradeResponse(response, offered);
  if (!(result instanceof ServalError)) return undefined;
  assert.equal(result.condition, "handshake_failed");
  assert.equal(result.response, response);
  return result.code;
}

/** The rules in their order, and what breaks each: fields, or the status line. */
const rules: [code: string, breaks: Changes, line?: string][] = [
  ["websocket.upgrade_declined", {}, "HTTP/1.1 200 OK"],
  ["websocket.bad_http_version", {}, "HTTP/1.0 101 Switching Protocols"],
  ["websocket.no_upgrade", { Upgrade: undefined }],
  ["websocket.no_connection", { Connection: undefined }],
  ["websocket.no_sec_accept", { "Sec-WebSocket-Accept": undefined }],
  ["websocket.bad_sec_extensions", { "Sec-WebSocket-Extensions": "permessage-deflate" }],
  ["websocket.bad_sec_protocol", { "Sec-WebSocket-Protocol": "other" }],
];
/** The rules for what is there but wrong; each takes the place of the one above with the same field. */
const wrong: [code: string, breaks: Changes][] = [
  ["websocket.no_upgrade_websocket", { Upgrade: "h2c" }],
  ["websocket.no_connection_upgrade", { Connection: "keep-alive" }],
  ["websocket.bad_sec_accept", { "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOx=" }],
];

describe("the response (RFC 6455 section 4.1): the first rule that is broken decides", () => {
  const lineOf = (broken: typeof rules): string | undefined => broken.find(([, , line]) => line !== undefined)?.[2];
  const breaking = (broken: typeof rules): Changes =>
    Object.assign({}, ...broken.map(([, changes]) => changes)) as Changes;

  for (const [i, [code]] of rules.entries()) {
    it(`${code}: alone, with each later rule, and with all of them`, () => {
      assert.equal(codeOf(breaking([rules[i]]), lineOf([rules[i]])), code);
      for (const later of rules.slice(i + 1)) {
        assert.equal(codeOf(breaking([rules[i], later]), lineOf([rules[i], later])), code, `with ${later[0]}`);
      }
      assert.equal(codeOf(breaking(rules.slice(i)), lineOf(rules.slice(i))), code);
    });
  }
  for (const [code, breaks] of wrong) {
    it(`${code}: has the same place as the missing header's rule`, () => {
      const at = rules.findIndex(([, changes]) => Object.keys(breaks)[0] in changes);
      assert.ok(at > 0);
      assert.equal(codeOf(breaks), code);
      assert.equal(codeOf({ ...breaking(rules.slice(at + 1)), ...breaks }), code);
      for (const [earlier, changes, line] of rules.slice(0, at)) {
        assert.equal(codeOf({ ...changes, ...breaks }, line), earlier);
      }
    });
  }
});

describe("the response (RFC 6455 section 4.1): the values of headers", () => {
  const right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  const values: [code: string | undefined, field: string, values: (string | string[])[]][] = [
    [undefined, "Upgrade", ["websocket", "WebSocket", "WEBSOCKET", " websocket "]],
    [
      "websocket.no_upgrade_websocket",
      "Upgrade",
      ["", "web", "h2c, websocket", "websocket/13", ["websocket", "websocket"]],
    ],
    [undefined, "Connection", ["upgrade", "UPGRADE", "keep-alive, Upgrade", ["keep-alive", "Upgrade"], ",upgrade,"]],
    ["websocket.no_connection_upgrade", "Connection", ["", "close", "upgrades", ["up", "grade"]]],
    [undefined, "Sec-WebSocket-Accept", [right, ` ${right}\t`]],
    [
      "websocket.bad_sec_accept",
      "Sec-WebSocket-Accept",
      ["", key, right.toLowerCase(), right.slice(0, -1), `${right}=`, `"${right}"`, [right, right], [right, ""]],
    ],
    [undefined, "Sec-WebSocket-Protocol", ["chat", "superchat"]],
    [
      "websocket.bad_sec_protocol",
      "Sec-WebSocket-Protocol",
      ["", "Chat", "other", "chat, superchat", ["chat", "superchat"], ["chat", "chat"], "chat,"],
    ],
    ["websocket.bad_sec_extensions", "Sec-WebSocket-Extensions", ["permessage-deflate", "x", "not ; a = = list"]],
    // What a 101 says of a body means nothing: it has none.
    [undefined, "Content-Length", ["0", "5"]],
    [undefined, "Set-Cookie", [["a=1", "b=2"]]],
  ];
  for (const [code, field, all] of values) {
    for (const value of all) {
      it(`${field}: ${JSON.stringify(value)} is ${code ?? "good"}`, () =>
        assert.equal(codeOf({ [field]: value }), code));
    }
  }

  for (const line of [
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 102 x",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 301 x",
    "HTTP/1.0 403 No",
  ]) {
    it(`${line} declines`, () => assert.equal(codeOf({}, line), "websocket.upgrade_declined"));
  }

  it("agrees to one of the subprotocols, or to none", () => {
    assert.deepEqual(checkUpgradeResponse(responseOf(), offers), { protocol: "", deflate: undefined });
    const chosen = responseOf({ "Sec-WebSocket-Protocol": "superchat" });
    assert.deepEqual(checkUpgradeResponse(chosen, offers), { protocol: "superchat", deflate: undefined });
    assert.equal(
      codeOf({ "Sec-WebSocket-Protocol": "chat" }, undefined, { ...offers, protocols: [] }),
      "websocket.bad_sec_protocol",
    );
  });

  it("agrees to permessage-deflate as it was offered, or to none", () => {
    const offered = { ...offers, deflate };
    assert.deepEqual(checkUpgradeResponse(responseOf(), offered), { protocol: "", deflate: undefined });
    const extensions = "permessage-deflate; server_no_context_takeover; client_max_window_bits=10";
    assert.deepEqual(checkUpgradeResponse(responseOf({ "Sec-WebSocket-Extensions": extensions }), offered), {
      protocol: "",
      deflate: {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 10,
      },
    });
    for (const value of ["x", "permessage-deflate; unknown", "permessage-deflate, permessage-deflate"]) {
      assert.equal(codeOf({ "Sec-WebSocket-Extensions": value }, undefined, offered), "websocket.bad_sec_extensions");
    }
  });

  it("says in its error what was wrong", () => {
    const said = (changes: Changes, line = switching): string => {
      const result = checkUpgradeResponse(responseOf(changes, line), offers);
      return result instanceof ServalError ? result.message : assert.fail();
    };
    assert.match(said({}, "HTTP/1.1 403 Forbidden"), /403 Forbidden$/);
    assert.match(said({}, "HTTP/1.1 403 "), /403$/);
    assert.match(said({ "Sec-WebSocket-Protocol": "other" }), /"other"/);
    assert.match(said({ "Sec-WebSocket-Extensions": "x-y" }), /x-y/);
    assert.match(said({ "Sec-WebSocket-Accept": "x" }), /Sec-WebSocket-Accept/);
  });
});

it("an error of a server that declined has its response", () => {
  const response = responseOf({}, "HTTP/1.1 401 Unauthorized");
  const { code, condition, message, response: carried } = declined(response);
  assert.deepEqual([code, condition], ["websocket.upgrade_declined", "handshake_failed"]);
  assert.equal(message, "The server declined the WebSocket handshake: 401 Unauthorized");
  assert.equal(carried, response);
});
