import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { completeUrl, readClientOptions } from "../../src/cli/client-options.ts";
import { Given, UsageError } from "../../src/cli/given.ts";
import { localhost } from "../certificates/localhost.ts";

function given(...options: [name: string, value: string][]): Given {
  const all = new Given();
  for (const [name, value] of options) all.add(name, value);
  return all;
}

describe("readClientOptions", () => {
  it("leaves the defaults to the library, and certificates checked", () => {
    assert.deepEqual(readClientOptions(given()), {
      fields: [],
      protocols: [],
      deflate: false,
      tls: { rejectUnauthorized: true },
    });
  });

  it("turns each option into one of connect's", (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const ca = path.join(folder, "ca.pem");
    writeFileSync(ca, localhost.cert);
    const options = readClientOptions(
      given(
        ["header", "Cookie: a=b: c"],
        ["header", "x:"],
        ["protocol", "chat"],
        ["protocol", "talk"],
        ["origin", "https://example.com"],
        ["deflate", ""],
        ["insecure", ""],
        ["ca", ca],
        ["proxy", "http://127.0.0.1:1"],
        ["timeout", "50"],
      ),
    );
    assert.deepEqual(options, {
      fields: [
        ["Cookie", "a=b: c"],
        ["x", ""],
        ["Origin", "https://example.com"],
      ],
      protocols: ["chat", "talk"],
      deflate: true,
      tls: { rejectUnauthorized: false, ca: localhost.cert },
      proxy: "http://127.0.0.1:1",
      timeouts: { handshake: 50 },
    });
  });

  for (const [name, value, message] of [
    ["header", "no colon", /^"no colon" is no field; --header takes one such as "Name: value"$/],
    ["header", ": value", /^": value" is no field;/],
    ["header", "a b: c", /^"a b: c" is no field;/],
    ["header", "a: b\r\nc: d", /^"a: b\\r\\nc: d" is no field;/],
    ["origin", "a\nb", /is no field/],
    ["timeout", "1s", /^"1s" is no time; --timeout takes a number of milliseconds$/],
    ["ca", "/no/such/file", /^--ca can't be read: ENOENT/],
    ["ca", import.meta.filename, /holds no certificate; --ca takes a file in PEM$/],
  ] as const) {
    it(`says what is wrong with --${name} ${JSON.stringify(value).slice(0, 20)}`, () => {
      assert.throws(() => readClientOptions(given([name, value])), { constructor: UsageError, message });
    });
  }
});

describe("completeUrl", () => {
  it("takes a host for a WebSocket's, and leaves URLs alone", () => {
    assert.equal(completeUrl("localhost:8080/a"), "ws://localhost:8080/a");
    assert.equal(completeUrl("example.com"), "ws://example.com");
    for (const url of ["wss://a", "HTTP://a", "ws+unix:/a:/b", "gopher://a"]) assert.equal(completeUrl(url), url);
  });
});
