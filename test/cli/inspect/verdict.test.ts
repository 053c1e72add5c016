import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Failure, Inspection } from "../../../src/cli/inspect/inspection.ts";
import { verdictOf } from "../../../src/cli/inspect/verdict.ts";

const url = "ws://a/";
const tls = {
  ms: 1,
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  alpn: undefined,
  trusted: false,
  reason: "CERT_HAS_EXPIRED",
  certificate: undefined,
};
const ping = { times: [1], min: 1, median: 1, max: 1 };
const handshake = { ms: 1, request: "", response: "", protocol: "", extensions: "" };

/** What is said of an opening whose step failed so. */
function failed(
  step: Failure["step"],
  code: string,
  more: Partial<Failure> = {},
  found: Partial<Inspection> = {},
): string {
  const failure: Failure = { step, ms: 1, code, message: "its message", ...more };
  return verdictOf({ url, opened: false, verdict: "", ...found, failure });
}

function answered(status: number, headers: Record<string, string> = {}, more: Partial<Failure> = {}): string {
  const response = { status, reason: "", headers, body: "" };
  return failed("handshake", "websocket.upgrade_declined", { response, ...more });
}

describe("verdictOf", () => {
  it("says that all is well, and what was negotiated", () => {
    const opened = { url, opened: true, verdict: "", ping };
    const plain = verdictOf({ ...opened, handshake });
    assert.match(plain, /^All is well: the WebSocket opens, answers pings \(1\.0 ms\) and closes cleanly\.$/);
    const agreed = verdictOf({ ...opened, handshake: { ...handshake, protocol: "chat", extensions: "x" }, tls });
    assert.match(agreed, /opens with the subprotocol chat and with an extension,.*can't be trusted.*--insecure/);
  });

  const cases: [what: string, verdict: string, words: RegExp][] = [
    ["a name that is not found", failed("dns", "net.host_not_found"), /no address: check its spelling/],
    ["a name server that is silent", failed("dns", "core.timeout"), /name server did not answer/],
    ["a port that refuses", failed("tcp", "net.connection_refused"), /^Nothing listens there: is the server running/],
    [
      "several addresses that refuse",
      failed("tcp", "net.connection_refused", {}, { dns: { ms: 1, host: "a", addresses: ["1", "2"] } }),
      /at any of the addresses/,
    ],
    ["an address that is silent", failed("tcp", "core.timeout"), /firewall/],
    [
      "no route",
      failed("tcp", "core.transport", { message: "no\nroute" }),
      /^No connection could be made: no route\.$/,
    ],
    [
      "a proxy that wants a password",
      failed("proxy", "client.proxy_refused", { response: { status: 407, reason: "", headers: {}, body: "" } }),
      /user and password/,
    ],
    [
      "a proxy that refuses",
      failed("proxy", "client.proxy_refused", { response: { status: 403, reason: "No", headers: {}, body: "" } }),
      /refused to connect \(403 No\)/,
    ],
    ["a proxy that is silent", failed("proxy", "core.timeout"), /is it an HTTP proxy/],
    ["a proxy that is none", failed("proxy", "http.bad_start_line"), /does not work as an HTTP proxy: its message\./],
    [
      "plain HTTP where TLS is wanted",
      failed("tls", "net.tls_failed", { message: "a does not speak TLS on this port" }),
      /try the same URL with ws:/,
    ],
    ["TLS that is silent", failed("tls", "core.timeout"), /TLS handshake in time/],
    ["TLS that fails", failed("tls", "net.tls_failed"), /^TLS failed: its message\./],
    ...(
      [
        ["CERT_HAS_EXPIRED", /has expired/],
        ["CERT_NOT_YET_VALID", /clocks/],
        ["ERR_TLS_CERT_ALTNAME_INVALID", /for another host/],
        ["DEPTH_ZERO_SELF_SIGNED_CERT", /self-signed.*--ca/],
        ["SELF_SIGNED_CERT_IN_CHAIN", /unknown authority.*--ca/],
        ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /intermediate certificates/],
        ["SOME_OTHER", /is not accepted \(SOME_OTHER\)/],
      ] as const
    ).map(([reason, words]): [string, string, RegExp] => [
      reason,
      failed("tls", "net.bad_certificate", {}, { tls: { ...tls, reason } }),
      words,
    ]),
    ["TLS where plain HTTP is wanted", failed("handshake", "websocket.closed", { speaksTls: true }), /use wss:/],
    ["TLS that says so", answered(400, {}, { speaksTls: true }), /use wss:/],
    ["no answer to the handshake", failed("handshake", "core.timeout"), /sent nothing/],
    [
      "half an answer",
      failed("handshake", "core.timeout", {}, { handshake: { ...handshake, response: "HTTP/1.1 1" } }),
      /did not complete the response in time/,
    ],
    ["an end without an answer", failed("handshake", "websocket.closed"), /without a response.*try wss:/],
    [
      "another protocol",
      failed("handshake", "http.bad_start_line", {}, { handshake: { ...handshake, response: "SSH-2.0" } }),
      /no WebSocket server: its message/,
    ],
    [
      "HTTP/2",
      failed("handshake", "http.bad_start_line", {}, { handshake: { ...handshake, response: "\0\0\u0006" } }),
      /only HTTP\/2/,
    ],
    ["a redirect", answered(302, { location: "https://b/c" }), /elsewhere; try wss:\/\/b\/c\./],
    ["a redirect to a path", answered(301, { location: "/c\u001bd" }), /elsewhere; try ws:\/\/a\/c%1Bd\./],
    ["a page", answered(200), /an ordinary page.*Upgrade/],
    ["400", answered(400), /answered 400: .*does not accept it as a handshake/],
    ["401", answered(401), /credentials.*-H/],
    ["403", answered(403), /--origin/],
    ["404", answered(404), /nothing at this path/],
    ["407", answered(407), /--proxy/],
    ["426", answered(426), /does not pass Upgrade on/],
    ["426 with other versions", answered(426, { "sec-websocket-version": "8" }), /versions of WebSocket \(8\)/],
    ["429", answered(429), /too many/],
    ["500", answered(500), /its log/],
    ["502", answered(502), /can't reach its server.*Upgrade/],
    ["503", answered(503), /try again later/],
    ["418", answered(418), /the path may be wrong/],
    [
      "a wrong Sec-WebSocket-Accept",
      failed("handshake", "websocket.bad_sec_accept", { response: { status: 101, reason: "", headers: {}, body: "" } }),
      /wrong Sec-WebSocket-Accept/,
    ],
    [
      "a subprotocol that was not offered",
      failed("handshake", "websocket.bad_sec_protocol", {
        response: { status: 101, reason: "", headers: {}, body: "" },
      }),
      /not offered.*-p/,
    ],
    [
      "another 101",
      failed("handshake", "websocket.no_upgrade", { response: { status: 101, reason: "", headers: {}, body: "" } }),
      /Upgrade or Connection is missing/,
    ],
    ["no pong", failed("ping", "core.timeout", {}, { opened: true }), /no pong came/],
    ["an end right after", failed("ping", "websocket.closed", {}, { opened: true }), /ended at once: its message\./],
    ["no close frame", failed("close", "websocket.closed", {}, { opened: true }), /did not answer the close frame/],
  ];
  for (const [what, verdict, words] of cases) {
    it(`explains ${what}`, () => {
      assert.match(verdict, words);
      assert.match(verdict, /[.?]$/);
      // eslint-disable-next-line no-control-regex -- that there are none
      assert.doesNotMatch(verdict, /[\u0000-\u001f]/);
    });
  }
});
