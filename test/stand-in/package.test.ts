// What would be published, installed as a user does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { here } from "./support/whose.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;

const { version } = manifest(`${here}packed/serval`);
const tarball = (name: string): string => path.resolve(here, "packed", `${name}-${version}.tgz`);

/** A project whose dependency `needs-ws` depends on ws, which serval-ws stands in for. */
let project: string;

function write(file: string, content: string | object): void {
  const name = path.join(project, file);
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(name, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
}

const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });

/** Listens, opens, echoes and closes with what `WebSocket` and `WebSocketServer` are. */
const conversation = `
const wss = new WebSocketServer({ port: 0 });
wss.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
wss.on("listening", () => {
  const ws = new WebSocket("ws://127.0.0.1:" + wss.address().port);
  ws.on("open", () => ws.send("é"));
  ws.on("message", (data) => ws.close(4000, data));
  ws.on("close", (code, reason) => {
    console.log(code, String(reason));
    wss.close();
  });
});
`;
const importing = `import WebSocket, { WebSocketServer, Sender } from "ws";
if (WebSocket.Sender !== Sender || WebSocket.Server !== WebSocketServer) throw new Error("not the shape of ws");
`;
const requiring = `const WebSocket = require("ws");
const { WebSocketServer } = WebSocket;
if (typeof WebSocket !== "function" || WebSocket.Server !== WebSocketServer) throw new Error("not the shape of ws");
`;

before(() => {
  project = mkdtempSync(path.join(tmpdir(), "serval-project-"));
  const overrides = { ws: `file:${tarball("serval-ws")}` };
  const dependencies = { serval: `file:${tarball("serval")}`, "needs-ws": "file:./needs-ws" };
  write("package.json", { private: true, dependencies, overrides });
  write(".npmrc", "install-links=true\n");
  write("needs-ws/package.json", { name: "needs-ws", version: "1.0.0", dependencies: { ws: "^8.0.0" } });
  write("needs-ws/index.cjs", requiring + conversation);
  write("needs-ws/index.mjs", importing + conversation);
  const npm = [
    "install",
    "--offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--cache",
    path.join(project, "cache"),
  ];
  execFileSync("npm", npm, {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
});

after(() => rmSync(project, { recursive: true }));

describe("serval-ws", () => {
  it("has the version of serval, and needs just that", () => {
    const own = manifest(`${here}packed/serval-ws`);
    assert.equal(own.version, version);
    assert.deepEqual(own.dependencies, { serval: version });
  });

  it("stands in for ws in a dependency that requires it, and in one that imports it", () => {
    assert.equal(run("node_modules/needs-ws/index.cjs"), "4000 é\n");
    assert.equal(run("node_modules/needs-ws/index.mjs"), "4000 é\n");
    const { resolve } = createRequire(path.join(project, "node_modules/needs-ws/package.json"));
    const folder = path.dirname(resolve("ws"));
    assert.equal(
      (JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as { name: string }).name,
      "serval-ws",
    );
  });

  it("is bundled for Node.js, and runs in the bundle", async () => {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production",
      target: "node",
      context: path.join(project, "node_modules/needs-ws"),
      entry: "./index.cjs",
      output: { path: path.join(project, "bundle") },
    });
    const problems = await new Promise((resolve, reject) => {
      compiler.run((error, stats) => (error ? reject(error) : resolve(stats!.compilation.errors.map(String))));
    });
    assert.deepEqual(problems, []);
    assert.equal(run("bundle/main.js"), "4000 é\n");
  });

  it("tells a browser's bundle what to use instead", () => {
    write(
      "page.mjs",
      `import WebSocket from "serval-ws"; try { new WebSocket("ws://x") } catch (error) { console.log(error.message) }`,
    );
    write("node_modules/serval-ws/package.json", readFileSync(`${here}packed/serval-ws/package.json`, "utf8"));
    write("node_modules/serval-ws/browser.js", readFileSync(`${here}packed/serval-ws/browser.js`, "utf8"));
    assert.match(run("--conditions=browser", "page.mjs"), /in a browser use the global WebSocket/);
  });

  it("is not loaded by an import of serval", () => {
    write("register.mjs", `import { register } from "node:module"; register("./hook.mjs", import.meta.url);`);
    assert.ok(loadedOf("serval/ws").length > 5);
    assert.deepEqual(loadedOf("serval"), []);
  });
});

/** The files of the room ws that importing a module loads. */
function loadedOf(module: string): string[] {
  write("one.mjs", `import "${module}";`);
  write(
    "hook.mjs",
    `import { appendFileSync } from "node:fs";
export async function load(url, context, next) {
  if (url.includes("/serval/dist/ws/")) appendFileSync("loaded.txt", url + "\\n");
  return next(url, context);
}`,
  );
  write("loaded.txt", "");
  run("--import", "./register.mjs", "one.mjs");
  return readFileSync(path.join(project, "loaded.txt"), "utf8").split("\n").filter(Boolean);
}
