import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { clientOptions, clientOptionTable } from "../../src/cli/client-options.ts";
import { readOptions, UsageError } from "../../src/cli/options.ts";
import { localhost } from "../certificates/localhost.ts";

const from = (...args: string[]) => clientOptions(readOptions(args, clientOptionTable));

describe("clientOptions", () => {
  it("adds nothing to a request by default, and does not wait for ever", () => {
    const { fields, ...others } = from();
    assert.deepEqual([...fields], []);
    assert.deepEqual(others, { protocols: [], tls: {}, deflate: false, timeouts: { handshake: 10_000 } });
  });

  it("reads headers, subprotocols, a proxy and times", () => {
    const { fields, protocols, proxy, deflate, timeouts } = from(
      "-H",
      "X-A: b: c ",
      "--header",
      "X-A:",
      "--origin",
      "https://a.example",
      "-p",
      "chat, old",
      "-p",
      "new",
      "--proxy",
      "http://127.0.0.1:3128",
      "--deflate",
      "--timeout",
      "0.5",
    );
    assert.deepEqual(
      [...fields],
      [
        ["X-A", "b: c"],
        ["X-A", ""],
        ["Origin", "https://a.example"],
      ],
    );
    assert.deepEqual(protocols, ["chat", "old", "new"]);
    assert.deepEqual([proxy, deflate, timeouts], ["http://127.0.0.1:3128", true, { handshake: 500 }]);
  });

  it("reads certificates, or takes any", (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, "ca.pem");
    writeFileSync(file, localhost.cert);
    assert.deepEqual(from("--ca", file).tls, { ca: Buffer.from(localhost.cert) });
    assert.deepEqual(from("--insecure").tls, { rejectUnauthorized: false });
  });

  for (const [args, message] of [
    [["-H", "nothing"], /^"nothing" is no header; write it like -H 'Name: value'$/],
    [["-H", ": x"], /^": x" is no header; /],
    [["-H", "a b: x"], /^the header "a b" can't be sent: /],
    [["-H", "a: x\r\ny"], /^the header "a" can't be sent: /],
    [["--ca", "/nowhere/ca.pem"], /^"\/nowhere\/ca.pem" can't be read \(ENOENT\); --ca takes the path/],
    [["--timeout", "0"], /^--timeout takes a number of seconds above 0$/],
    [["--timeout", "soon"], /^"soon" is no such number; --timeout takes one such as 10 or 0\.5$/],
  ] as const) {
    it(`says what is wrong with ${args.join(" ")}`, () => {
      assert.throws(
        () => from(...args),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});
