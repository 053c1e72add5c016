import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { it } from "node:test";
import { requires, runProgram } from "../support/programs.ts";
import { startExample } from "./support/example.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

it("serves files, parts of them, and nothing outside its folder", { skip: requires("curl") }, async (t) => {
  const files = { "a.bin": content, "index.html": "<p>here\n" };
  const { port } = await startExample(t, "file-server", () => ["."], files);
  const curl = async (target: string, ...args: string[]): Promise<{ status: string; body: Buffer }> => {
    const url = `http://127.0.0.1:${port}${target}`;
    const { stdout } = await runProgram("curl", ["-sS", "--path-as-is", "-w", "%{http_code}", ...args, url]);
    return { status: String(stdout.subarray(-3)), body: stdout.subarray(0, -3) };
  };
  const expect = async (
    status: string,
    body: Uint8Array | undefined,
    ...args: [string, ...string[]]
  ): Promise<void> => {
    const answer = await curl(...args);
    assert.equal(answer.status, status, args.join(" "));
    if (body !== undefined) assert.ok(answer.body.equals(body), args.join(" "));
  };
  await expect("200", content, "/a.bin");
  await expect("200", Buffer.from("<p>here\n"), "/");
  await expect("206", content.subarray(10, 20), "/a.bin", "-r", "10-19");
  await expect("206", content.subarray(299_990), "/a.bin", "-r", "299990-");
  await expect("206", content.subarray(-7), "/a.bin", "-r", "-7");
  await expect("206", content.subarray(100), "/a.bin", "-r", "100-999999999");
  await expect("200", content, "/a.bin", "-r", "0-1,5-6");
  await expect("416", undefined, "/a.bin", "-r", "300000-");
  await expect("404", undefined, "/b.bin");
  await expect("404", undefined, "/../../../../../../../etc/passwd");
  await expect("404", undefined, "/%2e%2e/%2e%2e/%2e%2e/etc/passwd");
  await expect("400", undefined, "/%00");
  await expect("405", undefined, "/a.bin", "-X", "DELETE");

  const head = await fetch(`http://127.0.0.1:${port}/a.bin`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("Content-Length")], [200, "300000"]);
  const etag = head.headers.get("ETag")!;
  const modified = head.headers.get("Last-Modified")!;
  await expect("304", Buffer.of(), "/a.bin", "-H", `If-None-Match: "x", ${etag}`);
  await expect("200", content, "/a.bin", "-H", 'If-None-Match: "x"');
  await expect("304", Buffer.of(), "/a.bin", "-H", `If-Modified-Since: ${modified}`);
  await expect("206", content.subarray(0, 2), "/a.bin", "-r", "0-1", "-H", `If-Range: ${etag}`);
  await expect("200", content, "/a.bin", "-r", "0-1", "-H", 'If-Range: "other"');
});

it("lists a folder without index.html, and leads out of none", async (t) => {
  const files = { "a & <b>.txt": "text", "words.md": "# Words" };
  const { port, folder } = await startExample(t, "file-server", () => ["."], files);
  await mkdir(path.join(folder, "sub"));
  await writeFile(path.join(folder, "sub", "c.txt"), "c");
  await symlink("/", path.join(folder, "all"));
  await symlink("/etc/passwd", path.join(folder, "users"));
  await symlink("words.md", path.join(folder, "again.md"));
  const get = async (target: string): Promise<[number, string | null, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`);
    return [answer.status, answer.headers.get("Content-Type"), await answer.text()];
  };
  const [status, type, page] = await get("/");
  assert.deepEqual([status, type], [200, "text/html; charset=utf-8"]);
  const links = [...page.matchAll(/<li>(.*)/g)].map(([, link]) => link);
  assert.ok(links.includes('<a href="a%20%26%20%3Cb%3E.txt">a &#38; &#60;b&#62;.txt</a>'), page);
  assert.ok(links.includes('<a href="sub/">sub/</a>'), page);
  assert.doesNotMatch(page, /all|users/);
  assert.equal((await get("/a%20%26%20%3Cb%3E.txt"))[2], "text");
  assert.match((await get("/sub/"))[2], /<h1>\/sub\/<\/h1>\n<ul>\n<li><a href="c.txt">c.txt<\/a>\n<\/ul>/);
  assert.deepEqual(await get("/words.md"), [200, "text/markdown; charset=utf-8", "# Words"]);
  assert.equal((await get("/again.md"))[2], "# Words");
  for (const target of ["/all/", "/all/etc/", "/all/etc/passwd", "/users", "/missing/"]) {
    assert.equal((await get(target))[0], 404, target);
  }
});
