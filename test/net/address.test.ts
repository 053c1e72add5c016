import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkNames, listenedOn, nameOf } from "../../src/net/address.ts";
import { connect, connectTls, listen } from "../../src/net/index.ts";
import { serve } from "../../src/server/index.ts";

test("addresses as text", () => {
  assert.equal(nameOf({ port: 80 }), "*:80");
  assert.equal(nameOf({ host: "example.com", port: 80 }), "example.com:80");
  assert.equal(nameOf({ host: "::1", port: 80 }), "[::1]:80");
  assert.equal(nameOf({ unix: "/tmp/x" }), "/tmp/x");
});

/** The longest path on this system, and one byte more. */
const most = process.platform === "linux" ? 107 : 103;

test("a Unix path that the system would cut off is refused, by bytes", { skip: process.platform === "win32" }, () => {
  const path = `/tmp/${"ü".repeat(40)}`;
  assert.equal(Buffer.byteLength(path), 85);
  for (const fits of [path + "x".repeat(most - 85), "x".repeat(most), `\0${"x".repeat(most)}`])
    checkNames({ unix: fits });
  for (const long of [
    path + "x".repeat(most - 84),
    "x".repeat(most + 1),
    "ü".repeat(54),
    `\0${"x".repeat(most + 1)}`,
  ]) {
    assert.throws(() => checkNames({ unix: long }), {
      code: "net.path_too_long",
      condition: "misuse",
      message: new RegExp(
        `at most ${long.startsWith("\0") ? most + 1 : most} bytes on this system, but this one has ${Buffer.byteLength(long)}: `,
      ),
    });
  }
});

test(
  "listen, connect, connectTls and serve refuse it before anything is bound",
  { skip: process.platform === "win32" },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "serval-"));
    t.after(() => rm(folder, { recursive: true }));
    const unix = join(folder, "x".repeat(most - folder.length));
    assert.equal(unix.length, most + 1);
    const refused = { code: "net.path_too_long" };
    await refusedEverywhere(unix, refused);
    assert.deepEqual(await readdir(folder), []);
    const fits = unix.slice(0, -1);
    const listener = await listen({ unix: fits }, (stream) => stream.close());
    assert.deepEqual(await readdir(folder), [fits.slice(folder.length + 1)]);
    (await connect({ unix: fits })).close();
    await listener.close();
  },
);

test("a name that the system would read only up to a 0, or that is no Unicode, is refused before anything is bound", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "serval-"));
  t.after(() => rm(folder, { recursive: true }));
  const refused = { code: "core.invalid_argument", message: /must be text without a 0 or half a character in it/ };
  for (const unix of [
    join(folder, "x\0y"),
    `${join(folder, "x")}\0`,
    join(folder, "\ud800"),
    join(folder, "\udc00x"),
  ]) {
    await refusedEverywhere(unix, refused);
  }
  assert.deepEqual(await readdir(folder), []);
  for (const host of ["localhost\0.example", "\0localhost", "\ud800"]) {
    await assert.rejects(connect({ host, port: 1 }), refused);
    await assert.rejects(serve({ host, port: 0 }), refused);
  }
  // An abstract name begins with a 0, and may have others.
  for (const unix of ["\0x", "\0x\0y", "/tmp/😀"]) checkNames({ unix });
});

test("the address of a server, and nothing before it listens", async () => {
  const server = createServer();
  assert.deepEqual(listenedOn(server), {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port, family } = listenedOn(server);
  assert.deepEqual([address, family], ["127.0.0.1", "IPv4"]);
  assert.ok(port! > 0);
  server.close();
});

/** All that take a path refuse this one. */
async function refusedEverywhere(unix: string, error: object): Promise<void> {
  await assert.rejects(
    listen({ unix }, () => {}),
    error,
  );
  await assert.rejects(serve({ unix }), error);
  await assert.rejects(connect({ unix }), error);
  await assert.rejects(connectTls({ unix }), error);
}
