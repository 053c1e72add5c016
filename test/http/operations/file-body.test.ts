import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { appendFile, mkdtemp, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { FileBody, fileBody, Response, Serializer, type FileBodyOptions } from "../../../src/http/index.ts";

let folder: string;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), "serval-"))));
after(() => rm(folder, { recursive: true }));

let files = 0;
/** A new file. */
async function file(content: string | Uint8Array): Promise<string> {
  const name = path.join(folder, `file-${files++}`);
  await writeFile(name, content);
  return name;
}

async function read(body: FileBody): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return parts;
}
const text = (parts: Uint8Array[]): string => parts.map((part) => new TextDecoder().decode(part)).join("");

/** How many handles of a file are open, where the system says so. */
const open = (name: string): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(name);
    } catch {
      return false; // That of the folder itself, which is closed again.
    }
  }).length;
const linuxOnly = existsSync("/proc/self/fd") ? false : "no /proc to count the open files in";

describe("fileBody", () => {
  it("is a file or a part of it, of known size", async () => {
    const name = await file("0123456789");
    for (const [options, expected] of [
      [{}, "0123456789"],
      [{ start: 0, end: 0 }, "0"],
      [{ start: 3 }, "3456789"],
      [{ end: 3 }, "0123"],
      [{ start: 9 }, "9"],
      [{ start: 2, end: 99 }, "23456789"],
      [{ start: 10 }, ""],
      [{ start: undefined, end: undefined }, "0123456789"],
    ] as [FileBodyOptions, string][]) {
      const body = await fileBody(name, options);
      assert.deepEqual([body.path, body.start, body.size], [name, options.start ?? 0, expected.length]);
      assert.equal(text(await read(body)), expected);
      // It can be read again.
      assert.equal(text(await read(body)), expected);
    }
    assert.equal((await fileBody(await file(""))).size, 0);
  });

  it("has the size of the whole file, and when it was changed", async () => {
    const name = await file("0123456789");
    await utimes(name, 1000, 2000);
    const body = await fileBody(name, { start: 3 });
    assert.deepEqual(body.file, { size: 10, modified: 2_000_000 });
    assert.ok(body instanceof FileBody);
  });

  it("yields parts of 64 KiB, each in memory of its own", async () => {
    const content = Uint8Array.from({ length: 150_000 }, (_, i) => i % 251);
    const body = await fileBody(await file(content), { start: 1 });
    const parts = await read(body);
    assert.deepEqual(
      parts.map((part) => part.length),
      [65_536, 65_536, 18_927],
    );
    assert.deepEqual(Buffer.concat(parts), Buffer.from(content.subarray(1)));
    assert.equal(new Set(parts.map((part) => part.buffer)).size, 3);
  });

  it("refuses anything but a regular file, and a part that does not exist", async () => {
    await assert.rejects(fileBody(path.join(folder, "none")), { code: "ENOENT" });
    await assert.rejects(fileBody(folder), { code: "core.invalid_argument" });
    const name = await file("0123456789");
    for (const options of [
      { start: 11 },
      { start: -1 },
      { start: 5, end: 3 },
      { start: 0.5 },
      { end: 1.5 },
      { end: -2 },
      { start: NaN },
      { end: NaN },
    ]) {
      await assert.rejects(
        fileBody(name, options),
        { code: "core.invalid_argument", condition: "misuse" },
        JSON.stringify(options),
      );
    }
    void fileBody(path.join(folder, "none"));
    await assert.rejects(stat(path.join(folder, "none")));
  });

  it("fails if the file has become shorter, and sends no more than before if it has grown", async () => {
    const long = await file(new Uint8Array(100_000));
    const body = await fileBody(long);
    const parts = body[Symbol.asyncIterator]();
    assert.equal((await parts.next()).value?.length, 65_536);
    await truncate(long, 70_000);
    assert.equal((await parts.next()).value?.length, 70_000 - 65_536);
    await assert.rejects(parts.next(), { code: "http.short_read", condition: "transport" });
    assert.equal((await parts.next()).done, true);

    const grown = await file("abc");
    const growing = await fileBody(grown);
    await appendFile(grown, "def");
    assert.equal(text(await read(growing)), "abc");
  });

  it("fails if the file is gone", async () => {
    const name = await file("abc");
    const body = await fileBody(name);
    await rm(name);
    await assert.rejects(read(body), { code: "ENOENT" });
  });

  it("is not opened before it is read, and is closed at any end", { skip: linuxOnly }, async () => {
    const name = await file(new Uint8Array(200_000));
    const body = await fileBody(name);
    const parts = body[Symbol.asyncIterator]();
    assert.equal(open(name), 0);
    await parts.next();
    assert.equal(open(name), 1);
    // To the end, and left early.
    assert.equal((await read(body)).length, 4);
    assert.equal(open(name), 1);
    for await (const _ of body) break;
    assert.equal(open(name), 1);
    await parts.return(undefined);
    assert.equal(open(name), 0);
    // Given up before it has begun, and by an error.
    await body[Symbol.asyncIterator]().return(undefined);
    const failing = body[Symbol.asyncIterator]();
    await failing.next();
    await truncate(name, 10);
    await assert.rejects(failing.next(), { code: "http.short_read" });
    assert.equal(open(name), 0);
  });

  it("is not opened if it is empty, or if only the head is sent", async () => {
    const name = await file("abc");
    const empty = await fileBody(name, { start: 3 });
    const body = await fileBody(name);
    rmSync(name);
    assert.deepEqual(await read(empty), []);
    const serializer = new Serializer(new Response({ body }), { request: { method: "HEAD", version: 11 } });
    assert.match(new TextDecoder().decode(serializer.next()[0]), /^Content-Length: 3\r$/m);
    assert.equal(serializer.source, undefined);
  });

  it("announces the size of its part in the head", async () => {
    const body = await fileBody(await file("0123456789"), { start: 2, end: 4 });
    const serializer = new Serializer(new Response({ status: 206, body }));
    serializer.consume(serializer.next()[0]!.length);
    for await (const part of body) serializer.put(part);
    serializer.end();
    assert.equal(new TextDecoder().decode(serializer.next()[0]), "234");
  });
});
