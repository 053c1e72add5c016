import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { readOptions, UsageError } from "../../../src/cli/shared/options.ts";
import { readPem } from "../../../src/cli/shared/pem.ts";
import { localhost } from "../../support/localhost.ts";

const table = { cert: { value: "FILE", example: "cert.pem", help: "" } };

describe("readPem", () => {
  const read = (args: string[], kind: "certificate" | "private key") => readPem(readOptions(args, table), "cert", kind);

  it("returns the file's content if it is of the kind", (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), "serval-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, "a.pem");
    writeFileSync(file, localhost.cert);
    assert.equal(read(["--cert", file], "certificate"), localhost.cert);
    assert.throws(() => read(["--cert", file], "private key"), {
      constructor: UsageError,
      message: `${JSON.stringify(file)} holds no private key; --cert takes a file with one in PEM`,
    });
    for (const kind of ["PRIVATE KEY", "EC PRIVATE KEY"]) {
      writeFileSync(file, `-----BEGIN ${kind}-----\n`);
      assert.equal(read(["--cert", file], "private key"), `-----BEGIN ${kind}-----\n`);
    }
  });

  it("returns undefined without a file, and reports one that can't be read", () => {
    assert.equal(read([], "certificate"), undefined);
    assert.throws(() => read(["--cert", "/no/such/file"], "certificate"), {
      constructor: UsageError,
      message: `"/no/such/file" can't be read (ENOENT); --cert takes a file with a certificate in PEM`,
    });
  });
});
