import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { clientOptions, readClient } from "../../../src/cli/shared/client-options.ts";
import { readOptions, UsageError } from "../../../src/cli/shared/options.ts";
import { localhost } from "../../support/localhost.ts";

const read = (...args: string[]) => readClient(readOptions(args, clientOptions), "ws://a/").options;

describe("readClient", () => {
  it("adds nothing to a request by default, checks certificates, and has a timeout", () => {
    assert.deepEqual(read(), {
      headers: [],
      protocols: [],
      deflate: false,
      tls: { rejectUnauthorized: true },
      timeouts: { handshake: 10_000 },
    });
  });

  it("turns each option into one of connect's", (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const ca = path.join(folder, "ca.pem");
    writeFileSync(ca, localhost.cert);
    const names = "-H|Cookie: a=b: c |--header|x:|-H|x: 2|--origin|https://example.com|-p|chat, old|--protocol|new";
    const others = `--deflate|--insecure|--ca|${ca}|--proxy|http://127.0.0.1:1|--timeout|0.5`;
    assert.deepEqual(read(...names.split("|"), ...others.split("|")), {
      headers: [
        ["Cookie", "a=b: c"],
        ["x", ""],
        ["x", "2"],
        ["Origin", "https://example.com"],
      ],
      protocols: ["chat", "old", "new"],
      deflate: true,
      tls: { rejectUnauthorized: false, ca: localhost.cert },
      proxy: "http://127.0.0.1:1",
      timeouts: { handshake: 500 },
    });
  });

  for (const [name, value, message] of [
    ["header", "no colon", /^"no colon" is not a valid header; --header takes one such as "Name: value"$/],
    ["header", ": value", /^": value" is not a valid header;/],
    ["header", "a b: c", /^"a b: c" is not a valid header;/],
    ["header", "a: b\r\nc: d", /^"a: b\\r\\nc: d" is not a valid header;/],
    ["origin", "a\nb", /^"a\\nb" is not a valid origin; --origin takes one such as https:\/\/example\.com$/],
    ["timeout", "0", /^--timeout takes a number of seconds above 0$/],
    ["timeout", "1s", /^--timeout takes a number such as 10 or 0\.5, not "1s"$/],
    ["ca", "/no/such/file", /^"\/no\/such\/file" can't be read \(ENOENT\); --ca takes /],
  ] as const) {
    it(`says what is wrong with --${name} ${JSON.stringify(value).slice(0, 20)}`, () => {
      assert.throws(() => read(`--${name}`, value), { constructor: UsageError, message });
    });
  }

  it("takes the header Host for the option host of connect", () => {
    const options = read("-H", "host: app.example:8080", "-H", "A: b");
    assert.deepEqual([options.host, options.headers], ["app.example:8080", [["A", "b"]]]);
    assert.equal("host" in read("-H", "A: b"), false);
  });

  it("completes a host to a URL, and leaves URLs alone", () => {
    const urlOf = (given: string): string => readClient(readOptions([], clientOptions), given).url;
    assert.equal(urlOf("localhost:8080/a"), "ws://localhost:8080/a");
    assert.equal(urlOf("example.com"), "ws://example.com");
    for (const url of ["wss://a", "HTTP://a", "ws+unix:/a:/b", "wss+unix:a.sock", "gopher://a", "ws:/a"])
      assert.equal(urlOf(url), url);
  });
});
