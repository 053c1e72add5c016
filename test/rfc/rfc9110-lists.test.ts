import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { hasToken, parseTokenList, Request, RequestParser, Response, ResponseParser } from "../../src/http/index.ts";
import { parseRange } from "../../src/http/messages/range.ts";
import { checkRequest } from "../../src/http/server/refusal.ts";
import { clientOf } from "../../src/server/proxies.ts";
import { checkUpgradeResponse } from "../../src/websocket/handshake/client-rules.ts";
import { acceptKey } from "../../src/websocket/handshake/accept-key.ts";
import { isUpgrade } from "../../src/websocket/handshake/is-upgrade.ts";
import { checkUpgrade } from "../../src/websocket/handshake/server-rules.ts";
import { bytesOf } from "../http/support/samples.ts";

/** A list with empty elements before, between and after its own. */
const spread = (list: string): string => `, ,\t,${list.replaceAll(",", " ,, ,")},\t, `;

describe("RFC 9110 5.6.1.2: empty elements in lists are passed over", () => {
  it("in any list of tokens", () => {
    assert.deepEqual(parseTokenList(spread("a, b")), ["a", "b"]);
    assert.equal(hasToken(spread("a, b"), "b"), true);
  });

  it("in Connection", () => {
    const keeps = (version: number, Connection: string): boolean =>
      new Request({ version, headers: { Connection } }).keepAlive;
    assert.equal(keeps(11, spread("close")), false);
    assert.equal(keeps(11, spread("x")), true);
    assert.equal(keeps(10, spread("keep-alive")), true);
    assert.equal(keeps(10, ","), false);
  });

  it("in Expect", () => {
    const check = (Expect: string): [waits: boolean, code: string | undefined] => {
      const request = new Request({ headers: { Host: "a", Expect } });
      return [request.expectsContinue, checkRequest(request)?.code];
    };
    assert.deepEqual(check(spread("100-Continue")), [true, undefined]);
    assert.deepEqual(check(""), [false, undefined]);
    assert.deepEqual(check(","), [false, undefined]);
    assert.deepEqual(check(spread("100-continue, more"))[1], "http.expectation_failed");
    assert.deepEqual(check("100-continue=1"), [false, "http.expectation_failed"]);
    assert.deepEqual(check("100-continue more"), [false, "http.expectation_failed"]);
  });

  it("in Range", () => {
    assert.deepEqual(parseRange(`bytes=${spread("0-1,3-4")}`, 10), [
      { start: 0, end: 1 },
      { start: 3, end: 4 },
    ]);
  });

  it("in the lists of a WebSocket's handshake, by both roles", () => {
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    const request = new Request({
      headers: {
        Host: "a",
        Upgrade: spread("websocket, other"),
        Connection: spread("keep-alive, Upgrade"),
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": spread("chat, more"),
        "Sec-WebSocket-Extensions": spread("a; b=1, c"),
      },
    });
    assert.equal(isUpgrade(request), true);
    const checked = checkUpgrade(request);
    if (checked instanceof ServalError) throw checked;
    assert.deepEqual(checked.protocols, ["chat", "more"]);
    assert.deepEqual(
      checked.extensions.map(({ name }) => name),
      ["a", "c"],
    );
    const answer = (Upgrade: string): unknown => {
      const headers = {
        Upgrade,
        Connection: spread("Upgrade"),
        "Sec-WebSocket-Accept": acceptKey(key),
        "Sec-WebSocket-Extensions": ", ,",
      };
      const response = new Response({ status: 101, headers });
      const agreed = checkUpgradeResponse(response, { key, protocols: [], deflate: undefined });
      return agreed instanceof ServalError ? agreed.code : "agreed";
    };
    assert.equal(answer(spread("WebSocket")), "agreed");
    for (const other of ["", ",", spread("websocket, other"), "websocket/13", "web socket"]) {
      assert.equal(answer(other), "websocket.no_upgrade_websocket", other);
    }
  });

  it("in X-Forwarded-For and Forwarded", () => {
    const peer = { address: "10.0.0.1", port: 1, family: "IPv4" } as const;
    const from = (header: "X-Forwarded-For" | "Forwarded", value: string): string | undefined =>
      clientOf({ trusted: ["10.0.0.0/8"], header })(new Request({ headers: { [header]: value } }), peer)?.address;
    assert.equal(from("X-Forwarded-For", spread("192.0.2.1, 10.0.0.2")), "192.0.2.1");
    assert.equal(from("Forwarded", spread("for=192.0.2.1, for=10.0.0.2")), "192.0.2.1");
    // An element that is there but names nobody ends the chain, as before.
    assert.equal(from("X-Forwarded-For", "192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2");
    assert.equal(from("Forwarded", "for=192.0.2.1, by=10.0.0.9, for=10.0.0.2"), "10.0.0.2");
    assert.equal(from("Forwarded", "for=192.0.2.1, ;, for=10.0.0.2"), "10.0.0.2");
  });

  it("but not where a body ends: other parsers see another coding or length there", () => {
    const refused = (line: string): void => {
      for (const [parser, start] of [
        [new RequestParser(), "POST / HTTP/1.1"],
        [new ResponseParser(), "HTTP/1.1 200 OK"],
      ] as const) {
        const code = /^http\.bad_(transfer_encoding|content_length)$/;
        assert.throws(() => parser.put(bytesOf(`${start}\r\n${line}\r\n\r\n`)), { code }, line);
      }
    };
    for (const value of ["", ",", ",chunked", "chunked,", ", chunked ,"]) refused(`Transfer-Encoding: ${value}`);
    for (const value of ["", ",", ",5", "5,", "5, 5"]) refused(`Content-Length: ${value}`);
  });
});
