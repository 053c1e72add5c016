import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { outputTo } from "../../../src/cli/shared/output.ts";

describe("outputTo", () => {
  it("writes to stdout and stderr", () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const { out, err } = outputTo(stdout, stderr);
    out("asked for\n");
    err("wrong\n");
    assert.equal(String(stdout.read()), "asked for\n");
    assert.equal(String(stderr.read()), "wrong\n");
  });

  it("has the width of stderr's terminal", () => {
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
    const output = outputTo(new PassThrough(), stderr);
    assert.equal(output.columns, 100);
    stderr.columns = 60;
    assert.equal(output.columns, 60);
    assert.equal(outputTo(stderr, new PassThrough()).columns, undefined);
  });

  it("goes on if a stream fails", () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const { err } = outputTo(stdout, stderr);
    assert.ok(stdout.emit("error", new Error("EPIPE")));
    assert.ok(stderr.emit("error", new Error("EPIPE")));
    err("still");
    assert.equal(String(stderr.read()), "still");
  });
});
