import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { readOptions, UsageError } from "../../../src/cli/shared/options.ts";
import { readServer, serverOptions, sizeOptions } from "../../../src/cli/serve/server-options.ts";
import { localhost } from "../../support/localhost.ts";

describe("readServer", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
  after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
  writeFileSync(cert, localhost.cert);
  writeFileSync(key, localhost.key);

  const read = (...args: string[]) => readServer(readOptions(args, { ...serverOptions, ...sizeOptions }));

  it("listens for this machine only by default", () => {
    assert.deepEqual(read(), { where: { port: 8080, host: "127.0.0.1" }, echo: { deflate: false } });
  });

  it("takes a Unix socket instead of a port", () => {
    assert.deepEqual(read("--unix", "/tmp/a").where, { unix: "/tmp/a" });
  });

  it("takes a certificate and its key, and accepts plain connections too if asked to", () => {
    const where = { port: 8080, host: "127.0.0.1", tls: localhost };
    assert.deepEqual(read("--cert", cert, "--key", key).where, { ...where, plain: false });
    assert.deepEqual(read("--cert", cert, "--key", key, "--plain").where, { ...where, plain: true });
    assert.deepEqual(read("--unix", "/tmp/a", "--cert", cert, "--key", key).where, {
      unix: "/tmp/a",
      tls: localhost,
      plain: false,
    });
  });

  for (const [args, message] of [
    [["--cert", cert], "TLS needs both --cert and --key, with or without --plain"],
    [["--key", key], "TLS needs both --cert and --key, with or without --plain"],
    [["--plain"], "TLS needs both --cert and --key, with or without --plain"],
    [["--unix", "a", "--port", "1"], "a Unix socket has no port and host; leave out --unix or --port"],
    [["--unix", "a", "--host", "b"], "a Unix socket has no port and host; leave out --unix or --host"],
    [["--unix", "a", "--plain"], "TLS needs both --cert and --key, with or without --plain"],
    [
      ["--cert", key, "--key", cert],
      `${JSON.stringify(key)} holds no certificate; --cert takes a file with one in PEM`,
    ],
  ] as const) {
    it(`says what is wrong with ${args.map((arg) => path.basename(arg)).join(" ")}`, () => {
      assert.throws(() => read(...args), { constructor: UsageError, message });
    });
  }
});
