import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { serializeHead, type Response } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";
import { websocketError, type WebsocketCode } from "../../../src/websocket/frames/errors.ts";
import {
  agree,
  checkUpgrade,
  refusal,
  switchingHead,
  switchingProtocols,
  type UpgradeRequest,
} from "../../../src/websocket/handshake/server-rules.ts";
import { deflateSettings } from "../../../src/websocket/handshake/permessage-deflate.ts";
import { answer, key, requestOf, type Changes } from "../support/requests.ts";

function codeOf(changes: Changes, line?: string): string | undefined {
  const result = checkUpgrade(requestOf(changes, line));
  return result instanceof ServalError ? result.code : undefined;
}

/** The rules in their order, and what breaks each: fields, or the request line. */
const rules: [code: string, breaks: Changes, line?: string][] = [
  ["http.unexpected_body", { "Content-Length": "1" }],
  ["websocket.bad_http_version", {}, "GET /chat HTTP/1.0"],
  ["websocket.bad_method", {}, "POST /chat HTTP/1.1"],
  ["websocket.bad_target", {}, "GET * HTTP/1.1"],
  ["websocket.no_host", { Host: undefined }],
  ["websocket.no_connection", { Connection: undefined }],
  ["websocket.no_upgrade", { Upgrade: undefined }],
  ["websocket.no_sec_key", { "Sec-WebSocket-Key": undefined }],
  ["websocket.no_sec_version", { "Sec-WebSocket-Version": undefined }],
  ["websocket.bad_sec_protocol", { "Sec-WebSocket-Protocol": "not a token" }],
  ["websocket.bad_sec_extensions", { "Sec-WebSocket-Extensions": "not a list" }],
];
/** The rules for what is there but wrong; each takes the place of the one above with the same field. */
const wrong: [code: string, breaks: Changes][] = [
  ["websocket.bad_host", { Host: "a b" }],
  ["websocket.no_connection_upgrade", { Connection: "keep-alive" }],
  ["websocket.no_upgrade_websocket", { Upgrade: "h2c" }],
  ["websocket.bad_sec_key", { "Sec-WebSocket-Key": "short" }],
  ["websocket.bad_sec_version", { "Sec-WebSocket-Version": "8" }],
];

describe("RFC 6455 4.2.1: the first rule that is broken decides", () => {
  const lineOf = (broken: typeof rules): string => {
    const has = (part: string): boolean => broken.some(([, , line]) => line?.split(" ").includes(part));
    return `${has("POST") ? "POST" : "GET"} ${has("*") ? "*" : "/chat"} ${has("HTTP/1.0") ? "HTTP/1.0" : "HTTP/1.1"}`;
  };
  const breaking = (broken: typeof rules): Changes => Object.assign({}, ...broken.map(([, changes]) => changes));

  for (const [i, [code]] of rules.entries()) {
    it(`${code}: alone, with each later rule, and with all of them`, () => {
      assert.equal(codeOf(breaking([rules[i]]), lineOf([rules[i]])), code);
      for (const later of rules.slice(i + 1)) {
        assert.equal(codeOf(breaking([rules[i], later]), lineOf([rules[i], later])), code, `with ${later[0]}`);
      }
      const all = rules.slice(i);
      assert.equal(codeOf(breaking(all), lineOf(all)), code);
    });
  }
  for (const [code, breaks] of wrong) {
    it(`${code}: has the same place as the missing header's rule`, () => {
      const field = Object.keys(breaks)[0];
      const at = rules.findIndex(([, changes]) => field in changes);
      assert.ok(at > 0);
      assert.equal(codeOf(breaks), code);
      const later = rules.slice(at + 1);
      assert.equal(codeOf({ ...breaking(later), ...breaks }), code);
      for (const [earlier, changes, line] of rules.slice(0, at)) {
        assert.equal(codeOf({ ...changes, ...breaks }, line), earlier);
      }
    });
  }
});

it("RFC 6455 4.2.1: the target is a path or a URL that has one", () => {
  const lines = (target: string): string | undefined => codeOf({}, `GET ${target} HTTP/1.1`);
  for (const target of ["/", "/chat?room=1", "//", "http://example.com", "HTTPS://example.com/chat", "ws://a/?b"]) {
    assert.equal(lines(target), undefined, target);
  }
  for (const target of ["*", "x", "chat", "?room=1", "example.com:80", "http:/chat", "http:///chat", "mailto:a@b"]) {
    assert.equal(lines(target), "websocket.bad_target", target);
  }
});

describe("RFC 6455 4.2.1: the values of headers", () => {
  const values: [
    code: WebsocketCode | "http.unexpected_body" | undefined,
    field: string,
    values: (string | string[])[],
  ][] = [
    [
      undefined,
      "Host",
      [
        "a",
        "example.com:80",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:80",
        "a_b-c.~",
        "xn--4ca",
        "a:",
        "%41",
        "a!$&'()*+,;=b",
      ],
    ],
    [
      "websocket.bad_host",
      "Host",
      ["", "a b", "a/b", "user@a", "a:b", "::1", "[", "[]", "a:80:80", "é", ["a", "b"], ["a", "a"]],
    ],
    [
      undefined,
      "Connection",
      ["upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive", " ,upgrade,", ["keep-alive", "Upgrade"]],
    ],
    [
      "websocket.no_connection_upgrade",
      "Connection",
      ["", "close", "upgrades", "up grade", "a;upgrade", ["up", "grade"]],
    ],
    [undefined, "Upgrade", ["websocket", "WebSocket", "h2c, websocket", "TLS/1.0,WEBSOCKET", ["h2c", "websocket"]]],
    ["websocket.no_upgrade_websocket", "Upgrade", ["", "web", "websocket/13", "websockets", ["web", "socket"]]],
    [undefined, "Sec-WebSocket-Key", [key, "AAAAAAAAAAAAAAAAAAAAAA==", "/+9z/+9z/+9z/+9z/+9z/w=="]],
    // The same bytes as another key: unused bits are set.
    [
      undefined,
      "Sec-WebSocket-Key",
      [`${key.slice(0, -3)}R==`, "AQIDBAUGBwgJCgsMDQ4PEC==", "//////////////////////=="],
    ],
    [
      "websocket.bad_sec_key",
      "Sec-WebSocket-Key",
      [
        "",
        key.slice(1),
        `${key}=`,
        key.slice(0, -1),
        key.slice(0, -2),
        "dGhlIHNhbXBsZSBub25jZQ AA",
        "!GhlIHNhbXBsZSBub25jZQ==",
        "-GhlIHNhbXBsZSBub25jZQ==",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        [key, key],
      ],
    ],
    [
      "websocket.bad_sec_version",
      "Sec-WebSocket-Version",
      ["", "0", "8", "12", "14", "013", "13.0", "13 ,", ["13", "13"], ["8", "13"]],
    ],
    [undefined, "Sec-WebSocket-Protocol", ["", "a", "a, b", ",a,", ["a", "b"]]],
    ["websocket.bad_sec_protocol", "Sec-WebSocket-Protocol", ["a b", "a/1", '"a"', ["a", "b c"], "é"]],
    [undefined, "Content-Length", ["0", "00"]],
    ["http.unexpected_body", "Content-Length", ["1", "10", "", "-0", "x", ["0", "0"]]],
    ["http.unexpected_body", "Transfer-Encoding", ["", "chunked", "identity", "gzip, chunked"]],
    [undefined, "Expect", ["100-continue", "what is that"]],
    [undefined, "Sec-WebSocket-Extensions", ["", "permessage-deflate", "a; b=1, c", ["a", "b"]]],
    ["websocket.bad_sec_extensions", "Sec-WebSocket-Extensions", ["not ; a = = list", "a b", ["a", "b;"]]],
    [undefined, "Origin", ["null", "http://anywhere.example"]],
  ];
  for (const [code, field, all] of values) {
    for (const value of all) {
      it(`${field}: ${JSON.stringify(value)} is ${code ?? "good"}`, () =>
        assert.equal(codeOf({ [field]: value }), code));
    }
  }

  it("returns the key and the offered protocols and extensions, in order, from all header lines", () => {
    const request = requestOf({
      "Sec-WebSocket-Protocol": ["b, a", "c"],
      "Sec-WebSocket-Extensions": ["d; e=1, f", "d"],
    });
    const extensions = [
      { name: "d", parameters: [["e", "1"]] },
      { name: "f", parameters: [] },
      { name: "d", parameters: [] },
    ];
    assert.deepEqual(checkUpgrade(request), { key, protocols: ["b", "a", "c"], extensions });
    assert.deepEqual(checkUpgrade(requestOf()), { key, protocols: [], extensions: [] });
  });
});

describe("agree", () => {
  const upgrade: UpgradeRequest = {
    key,
    protocols: ["a", "b"],
    extensions: [{ name: "permessage-deflate", parameters: [] }],
  };
  const settings = deflateSettings(true, () => true);

  it("agrees to the application's subprotocol, and to compression if enabled", () => {
    assert.deepEqual(agree(upgrade, undefined, undefined), {
      key,
      protocol: undefined,
      deflate: undefined,
      extensions: undefined,
    });
    const agreed = agree(upgrade, "b", settings);
    assert.deepEqual([agreed.protocol, agreed.deflate?.serverMaxWindowBits], ["b", 15]);
    assert.match(agreed.extensions!, /^permessage-deflate; /);
  });

  it("refuses a subprotocol that was not offered", () => {
    assert.throws(() => agree(upgrade, "c", settings), { code: "websocket.bad_upgrade_result" });
  });
});

describe("the responses", () => {
  const head = (response: Response): string => Buffer.from(serializeHead(response)).toString("latin1");

  it("RFC 6455 4.2.2: 101", () => {
    const lines = [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${answer}`,
    ];
    assert.equal(
      head(switchingProtocols({ key, protocol: undefined, extensions: undefined })),
      [...lines, "\r\n"].join("\r\n"),
    );
    assert.equal(
      head(switchingProtocols({ key, protocol: "chat", extensions: "a; b=1" })),
      [...lines, "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: a; b=1", "\r\n"].join("\r\n"),
    );
  });
  it("is the same as ready text", () => {
    for (const protocol of [undefined, "chat"]) {
      for (const extensions of [undefined, "a; b=1"]) {
        const agreed = { key, protocol, extensions };
        assert.equal(switchingHead(agreed), head(switchingProtocols(agreed)));
      }
    }
  });

  const refusals: [error: ServalError, status: number, headers: [string, string][]][] = [
    [websocketError("websocket.bad_method"), 405, [["Allow", "GET"]]],
    [
      websocketError("websocket.bad_sec_version"),
      426,
      [
        ["Upgrade", "websocket"],
        ["Sec-WebSocket-Version", "13"],
      ],
    ],
    [websocketError("websocket.buffer_overflow"), 431, []],
    [httpError("http.bad_version"), 505, []],
    [httpError("http.field_limit"), 431, []],
    [httpError("http.target_limit"), 414, []],
    [httpError("http.method_limit"), 501, []],
    [httpError("http.unknown_transfer_coding"), 501, []],
    [httpError("http.bad_start_line"), 400, []],
    [websocketError("websocket.bad_http_version"), 400, []],
    [websocketError("websocket.no_host"), 400, []],
    [httpError("http.bad_method"), 400, []],
    [httpError("http.unexpected_body"), 400, []],
  ];
  for (const [error, status, headers] of refusals) {
    it(`RFC 9110 15: ${error.code} is ${status}, and says why`, () => {
      const response = refusal(error);
      assert.equal(response.status, status);
      assert.deepEqual([...response.headers], [["Content-Type", "text/plain; charset=utf-8"], ...headers]);
      assert.equal(Buffer.from(response.body).toString(), `${error.message}\n`);
    });
  }

  it("RFC 6455 4.4: another version is answered with ours; a repeated one is a bad request", () => {
    const error = websocketError("websocket.bad_sec_version");
    const respond = (version: string | string[]): Response =>
      refusal(error, requestOf({ "Sec-WebSocket-Version": version }));
    assert.deepEqual([respond("8").status, respond("8").headers.get("Sec-WebSocket-Version")], [426, "13"]);
    for (const repeated of [
      ["13", "13"],
      ["8", "13"],
    ]) {
      assert.deepEqual([respond(repeated).status, respond(repeated).headers.has("Upgrade")], [400, false]);
    }
  });
});
