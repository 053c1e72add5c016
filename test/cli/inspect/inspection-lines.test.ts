import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Inspection } from "../../../src/cli/inspect/inspection.ts";
import { inspectionText } from "../../../src/cli/inspect/inspection-lines.ts";

const plain = (_colour: string, text: string): string => text;

describe("inspectionText", () => {
  const found: Inspection = {
    url: "wss://a/",
    opened: true,
    verdict: "All is well.",
    dns: { ms: 1.26, host: "a", addresses: ["::1", "127.0.0.1"] },
    tcp: {
      ms: 2,
      address: "127.0.0.1:443",
      failed: [{ address: "[::1]:443", ms: 3, message: "refused" }],
    },
    tls: {
      ms: 4,
      version: "TLSv1.3",
      cipher: "TLS_AES_128_GCM_SHA256",
      alpn: "http/1.1",
      trusted: true,
      reason: undefined,
      certificate: { subject: "CN=a\u001b", issuer: "CN=b", names: "DNS:a", validFrom: "then", validTo: "later" },
    },
    handshake: {
      ms: 5,
      request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      response: "HTTP/1.1 101 Switching Protocols\r\nX: \u001b[31m\r\n\r\n",
      protocol: "chat",
      extensions: "",
    },
    ping: { times: [1, 2, 3], min: 1, median: 2, max: 3 },
    close: { ms: 6, code: 1000, reason: "", clean: true },
    messages: 2,
  };

  it("has each step", () => {
    assert.equal(
      inspectionText(found, plain),
      `wss://a/
✓ dns           1.3 ms  a is ::1, 127.0.0.1
✓ tcp           2.0 ms  connected to 127.0.0.1:443
                        not to [::1]:443, after 3.0 ms: refused
✓ tls           4.0 ms  TLSv1.3, TLS_AES_128_GCM_SHA256, ALPN http/1.1
                        certificate of CN=a\\u001b, issued by CN=b
                        for DNS:a, valid to later
                        trusted
✓ handshake     5.0 ms  switched to WebSocket
  > GET / HTTP/1.1
  > Host: a
  < HTTP/1.1 101 Switching Protocols
  < X: \\u001b[31m
                        subprotocol: chat; extensions: none
✓ ping                  3 times: min 1.0, median 2.0, max 3.0 ms
✓ close         6.0 ms  closed with 1000
                        the server sent 2 messages meanwhile

All is well.
`,
    );
  });

  it("has the step that failed, once", () => {
    for (const step of ["dns", "tcp", "tls", "ping"] as const) {
      const failure = { step, ms: 7, code: "a", message: "its\nmessage\u001b" };
      const text = inspectionText({ url: "ws://a/", opened: false, verdict: "No.", failure }, plain);
      assert.equal(text, `ws://a/\n✗ ${step.padEnd(10)}    7.0 ms  its message\\u001b\n\nNo.\n`);
    }
    const failure = { step: "handshake", ms: 7, code: "a", message: "no" } as const;
    const text = inspectionText({ ...found, opened: false, failure }, plain);
    assert.equal(text.match(/handshake/g)?.length, 1);
    assert.match(text, /✗ handshake +5\.0 ms {2}no\n/);
  });

  it("shows bytes that are not HTTP, and the beginning of a body", () => {
    const { tls: _tls, ...rest } = found;
    const show = (response: string): string =>
      inspectionText({ ...rest, opened: false, handshake: { ...found.handshake!, response } }, plain);
    assert.match(show("SSH-2.0-a\u001b\r\n"), /\n {2}< {2}SSH-2\.0-a\\u001b\n/);
    const body = `${"line\n".repeat(9)}\r\n`;
    assert.match(
      show(`HTTP/1.1 200 OK\r\n\r\n${body}`),
      /\n {2}< HTTP\/1\.1 200 OK\n(?: {2}< {2}line\n){5} {2}< {2}…\n/,
    );
  });

  it("is green for success and red for failure", () => {
    const painted = inspectionText(found, (colour, text) => `<${colour}>${text}`);
    assert.match(painted, /\n<green>✓ dns/);
    assert.match(painted, /<green>All is well/);
  });
});
