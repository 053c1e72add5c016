import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { requires, runProgram, type Cleanup, type Finished } from "../support/programs.ts";
import { content, startServer } from "./support/http-server.ts";

scrubReads(true);

/** Runs curl with its words about the connection, on paths of one server. */
async function curl(
  port: number,
  args: readonly string[],
  paths: readonly string[],
  input?: Buffer,
): Promise<Finished> {
  const urls = paths.map((path) => `http://127.0.0.1:${port}${path}`);
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < input!.length; at += 30_000) yield input!.subarray(at, at + 30_000);
  }
  return runProgram("curl", ["-sSv", "--max-time", "20", ...args, ...urls], input && parts());
}

describe("curl", { skip: requires("curl") }, () => {
  const run = async (
    test: Cleanup,
    args: readonly string[],
    paths: readonly string[],
    input?: Buffer,
  ): Promise<Finished & { connections: number }> => {
    const { port, connections } = await startServer(test);
    const finished = await curl(port, args, paths, input);
    assert.equal(finished.code, 0, finished.stderr);
    return { ...finished, connections: connections() };
  };

  it("keeps a connection for all its requests", async (t) => {
    const { stdout, connections } = await run(t, [], ["/", "/file", "/parts", "/ignore", "/"]);
    const text = (body: string): Buffer => Buffer.from(body);
    assert.ok(stdout.equals(Buffer.concat([text("hello\n"), content, text("one two three\nNo\nhello\n")])));
    assert.equal(connections, 1);
  });

  it("gets ranges", async (t) => {
    const { stdout, stderr } = await run(t, ["-r", "1000-150000"], ["/file"]);
    assert.ok(stdout.equals(content.subarray(1000, 150_001)));
    assert.match(stderr, /^< HTTP\/1.1 206 Partial Content\r$/m);
  });

  it("uploads in chunks", async (t) => {
    const { stdout } = await run(t, ["-T", "-"], ["/size"], Buffer.alloc(1_234_567));
    assert.equal(String(stdout), "1234567");
  });

  it("gets back what it uploads, while it does", async (t) => {
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 241));
    const { stdout } = await run(t, ["-X", "POST", "-T", "-"], ["/echo"], body);
    assert.ok(stdout.equals(body));
  });

  it("waits for 100 (Continue), and gets it if the body is wanted", async (t) => {
    const args = ["-H", "Expect: 100-continue", "--expect100-timeout", "15", "--data-binary", "@-"];
    const { stdout, stderr } = await run(t, args, ["/size"], Buffer.alloc(2_000_000));
    assert.equal(String(stdout), "2000000");
    assert.match(stderr, /^< HTTP\/1.1 100 Continue\r$/m);
  });

  it("waits for 100 (Continue), and sends nothing if it is refused", async (t) => {
    const args = ["-H", "Expect: 100-continue", "--expect100-timeout", "15", "--data-binary", "@-"];
    const { stdout, stderr } = await run(t, args, ["/ignore"], Buffer.alloc(2_000_000));
    assert.equal(String(stdout), "No\n");
    assert.doesNotMatch(stderr, /100 Continue/);
    assert.match(stderr, /^< Connection: close\r$/m);
  });

  it("speaks HTTP/1.0, with and without keep-alive", async (t) => {
    const once = await run(t, ["-0"], ["/parts", "/"]);
    assert.equal(String(once.stdout), "one two three\nhello\n");
    assert.doesNotMatch(once.stderr, /^< Transfer-Encoding/im);
    assert.equal(once.connections, 2);
    const kept = await run(t, ["-0", "-H", "Connection: keep-alive"], ["/", "/file"]);
    assert.ok(kept.stdout.equals(Buffer.concat([Buffer.from("hello\n"), content])));
    assert.equal(kept.connections, 1);
  });

  it("asks for heads", async (t) => {
    const { stdout, stderr, connections } = await run(t, ["-I"], ["/file", "/parts", "/"]);
    assert.match(stderr, /^< Content-Length: 200000\r$/m);
    assert.match(String(stdout), /Transfer-Encoding: chunked/);
    assert.equal(connections, 1);
  });

  it("is refused a too large body before it is sent", async (t) => {
    const { stderr } = await run(t, ["--data-binary", "@-"], ["/size"], Buffer.alloc(9_000_000));
    assert.match(stderr, /^< HTTP\/1.1 413 /m);
  });
});

describe("wrk", { skip: requires("wrk") }, () => {
  it("puts a load on the server, and every request is answered", async (t) => {
    const { port, connections } = await startServer(t);
    const { stdout, code } = await runProgram("wrk", ["-t1", "-c64", "-d2s", `http://127.0.0.1:${port}/`]);
    const output = String(stdout);
    assert.equal(code, 0, output);
    assert.ok(Number(/(\d+) requests in/.exec(output)![1]) > 100, output);
    assert.doesNotMatch(output, /Socket errors|Non-2xx/);
    // One of them is for a look beforehand.
    assert.ok(connections() <= 65);
  });
});
