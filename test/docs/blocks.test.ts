import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket, WebSocketServer, type ClientOptions } from "ws";
import { localhost } from "../support/localhost.ts";
import { until } from "../support/until.ts";

// Every TypeScript block of the documentation is compiled as it stands, and run. Its name, in a comment above it, leads
// to the check of its outcome here. A part of a program is only compiled, after the lines that are here. The program of a
// host needs packages that the tests of `stand-in` have: they run it.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "serval-docs-"));
after(() => rmSync(folder, { recursive: true }));

// The server of the clients among them.
const peer = createServer((request, response) => void request.pipe(response));
const sockets = new WebSocketServer({ server: peer, perMessageDeflate: true });
sockets.on("connection", (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })));
peer.listen(0, "127.0.0.1");
await once(peer, "listening");
after(() => {
  sockets.close();
  peer.close();
  peer.closeAllConnections();
});

const documents = [
  "README.md",
  ...readdirSync(path.join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];
const found = documents.flatMap((file) =>
  [
    ...readFileSync(path.join(root, file), "utf8").matchAll(
      /(?:<!-- (example|part|host): (.*?) -->\n)?```(?:ts|typescript)\n(.*?)```/gs,
    ),
  ].map(([, kind = "example", name = "(no name)", code]) => ({ kind, name, code: code! })),
);
const blocks = found.filter(({ kind }) => kind === "example");
const fragments = found.filter(({ kind }) => kind === "part");

/** The types that tables of the documentation name. */
const types = documents.flatMap((file) =>
  [
    ...readFileSync(path.join(root, file), "utf8").matchAll(/^\| imported from `serval` .*\n\|---.*\n((?:\|.*\n)+)/gm),
  ].flatMap(([, rows]) =>
    rows!.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([\w.]+)/g)].map(([, name]) => name!)),
  ),
);

/** A running example. */
interface Running {
  /** The port that it listens on. */
  port: number;
  /** All that it printed. */
  output: string;
  /** Tells it to end. */
  terminate(): void;
}

type ConstructorOptions = [options?: ClientOptions] | [protocols: string[], options?: ClientOptions];

/** The status that a connection is refused with. */
async function refusedWith(url: string, ...options: ConstructorOptions): Promise<number | undefined> {
  const ws = new WebSocket(url, ...(options as [string[], ClientOptions]));
  ws.on("error", () => {});
  const [, response] = (await once(ws, "unexpected-response")) as [unknown, { statusCode: number }];
  ws.terminate();
  return response.statusCode;
}

async function echoes({ port }: Running): Promise<void> {
  assert.equal(await ask(`ws://127.0.0.1:${port}/`, "hello"), "hello");
}

async function connected(url: string, ...options: ConstructorOptions): Promise<WebSocket> {
  const ws = new WebSocket(url, ...(options as [string[], ClientOptions]));
  await once(ws, "open");
  return ws;
}

async function said(ws: WebSocket): Promise<string> {
  const [message] = (await once(ws, "message")) as [Buffer];
  return String(message);
}

async function ask(url: string, message: string): Promise<string> {
  const ws = await connected(url);
  ws.send(message);
  const [answer] = (await once(ws, "message")) as [Buffer];
  ws.terminate();
  return String(answer);
}

const examples: Readonly<Record<string, (running: Running) => unknown>> = {
  server: async (running) => {
    await echoes(running);
    assert.match(await (await fetch(`http://127.0.0.1:${running.port}/`)).text(), /^Connect with a WebSocket/);
  },
  chat: async ({ port }) => {
    const [ann, bob] = await Promise.all([1, 2].map(() => connected(`ws://127.0.0.1:${port}/?token=secret`)));
    ann!.send("hello");
    assert.deepEqual(await Promise.all([said(ann!), said(bob!)]), ["ada: hello", "ada: hello"]);
    assert.equal(await refusedWith(`ws://127.0.0.1:${port}/?token=guess`), 401);
    ann!.terminate();
    bob!.terminate();
  },
  "pulled server": echoes,
  contexts: async ({ port }) => {
    const [first, second] = [await connected(`ws://127.0.0.1:${port}/`), await connected(`ws://127.0.0.1:${port}/`)];
    second.send("b");
    assert.equal(await said(second), "#2: b");
    first.send("a");
    assert.equal(await said(first), "#1: a");
    first.terminate();
    second.terminate();
  },
  "server contexts": async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/?user=`;
    assert.deepEqual(await Promise.all(["ann", "bob"].map((user) => ask(`${url}${user}`, "hello"))), [
      "hello, ann",
      "hello, bob",
    ]);
  },
  ticker: async ({ port }) => {
    const ws = await connected(`ws://127.0.0.1:${port}/`);
    ws.send("nobody asked");
    assert.match(await said(ws), /^{"at":\d+}$/);
    ws.close(4000);
    // That it was seen, although a message came before it.
    assert.equal((await once(ws, "close"))[0], 4000);
  },
  health: async (running) => {
    await echoes(running);
    const url = `http://127.0.0.1:${running.port}`;
    const ws = await connected(`ws://127.0.0.1:${running.port}/`);
    // The one that echoed may not have ended yet.
    await until(async () => (await (await fetch(`${url}/health`)).text()) === '{"sockets":1,"bufferedAmount":0}');
    ws.terminate();
    assert.equal((await fetch(`${url}/`)).status, 404);
  },
  json: async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/`;
    assert.equal(await ask(url, '{"a":1,"b":2}'), '{"sum":3}');
    for (const [message, code] of [
      [Buffer.from("{}"), 1003],
      ['{"a":1}', 1008],
      ["{a:1}", 1011],
    ] as const) {
      const ws = await connected(url);
      ws.send(message);
      assert.equal((await once(ws, "close"))[0], code);
    }
  },
  stream: echoes,
  attach: echoes,
  "node http": async (running) => {
    await echoes(running);
    assert.equal(await (await fetch(`http://127.0.0.1:${running.port}/`)).text(), "plain HTTP\n");
  },
  upgrade: async ({ port }) => {
    assert.equal(await ask(`ws://127.0.0.1:${port}/?token=secret`, "hello"), "ada: hello");
    assert.equal(await refusedWith(`ws://127.0.0.1:${port}/?token=guess`), 401);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /chat server/);
  },
  topics: async ({ port }) => {
    const [ann, bob] = await Promise.all([1, 2].map(() => connected(`ws://127.0.0.1:${port}/`)));
    ann!.send("hello");
    assert.equal(await said(bob!), "hello");
    ann!.terminate();
    bob!.terminate();
  },
  mount: async ({ port }) => {
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "a page\n");
    assert.equal(await ask(`ws://127.0.0.1:${port}/chat`, "hello"), "hello");
  },
  "server chat": async ({ port }) => {
    const ann = await connected(`ws://127.0.0.1:${port}/?user=ann`);
    const bob = new WebSocket(`ws://127.0.0.1:${port}/?user=bob`);
    assert.equal(await said(ann), "bob is here");
    bob.send("hello");
    assert.deepEqual(await Promise.all([said(ann), said(bob)]), ["bob: hello", "bob: hello"]);
    bob.close();
    assert.equal(await said(ann), "bob has left");
    ann.terminate();
  },
  "server tls": async (running) => {
    await echoes(running);
    const ws = new WebSocket(`wss://127.0.0.1:${running.port}/`, { rejectUnauthorized: false });
    await once(ws, "open");
    ws.send("secret");
    assert.equal(await said(ws), "secret");
    ws.terminate();
  },
  "server mount": async (running) => {
    const url = `127.0.0.1:${running.port}`;
    assert.equal(await (await fetch(`http://${url}/`)).text(), "a page\n");
    assert.equal(await ask(`ws://${url}/chat`, "hello"), "hello");
  },
  "server drain": echoes,
  "server channels": async (running) => {
    await echoes(running);
    assert.equal(await refusedWith(`ws://127.0.0.1:${running.port}/`, { origin: "https://evil.example" }), 403);
  },
  "proxy server": async ({ port, terminate }) => {
    const url = `127.0.0.1:${port}`;
    assert.equal(await ask(`ws://${url}/`, "hello"), "127.0.0.1: hello");
    assert.equal((await fetch(`http://${url}/health`)).status, 204);
    terminate();
    await until(async () => (await fetch(`http://${url}/health`)).status === 503);
    assert.equal(await ask(`ws://${url}/`, "still there"), "127.0.0.1: still there");
  },
  "from ws": async ({ port, terminate }) => {
    const url = `ws://127.0.0.1:${port}/`;
    assert.equal(await refusedWith(url), 401);
    assert.equal(await refusedWith(url, { headers: { Cookie: "session=s1" }, origin: "https://evil.example" }), 403);
    const [ada, bob] = await Promise.all(
      ["s1", "s2"].map((session) => connected(url, { headers: { Cookie: `a=b; session=${session}` } })),
    );
    ada!.send("hello");
    assert.equal(await said(bob!), "ada: hello");
    ada!.send(Buffer.from("bytes"));
    assert.equal((await once(ada!, "close"))[0], 1003);
    terminate();
    assert.equal((await once(bob!, "close"))[0], 1001);
  },
  "from ws client": ({ output }) => assert.equal(output, "hello\ntrue\n"),
  "from uwebsockets": async ({ port }) => {
    const url = `ws://127.0.0.1:${port}`;
    assert.equal(await refusedWith(`${url}/?token=secret`), 404);
    assert.equal(await refusedWith(`${url}/ticker`), 401);
    const ws = await connected(`${url}/ticker?token=secret`);
    ws.send("EURUSD");
    assert.match(await said(ws), /^{"at":\d+}$/);
    ws.terminate();
  },
  "from beast": async ({ port }) => {
    const url = `127.0.0.1:${port}`;
    assert.equal(await ask(`ws://${url}/echo`, "hello"), "hello");
    assert.equal(await refusedWith(`ws://${url}/other`), 404);
    const response = await fetch(`http://${url}/echo`);
    assert.deepEqual([response.status, await response.text()], [404, "Only /echo\n"]);
  },
  "from beast testing": ({ output }) => assert.match(output, /^open after all but \d+ runs\n$/),
  security: async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/`;
    assert.equal(await refusedWith(url, ["chat", "ticket.t2"]), 401);
    const ada = await connected(url, ["chat", "ticket.t1"]);
    assert.equal(ada.protocol, "chat");
    assert.equal(await refusedWith(url, ["chat", "ticket.t1"]), 401);
    ada.send('{"room":"cellar"}');
    assert.equal(await said(ada), "cellar is not for you");
    ada.send('{"room":1}');
    assert.equal((await once(ada, "close"))[0], 1008);
  },
  client: ({ output }) => assert.equal(output, "hello\n"),
  "client with options": ({ output }) => assert.equal(output, "hello\n"),
  forever: ({ output }) => assert.equal(output, "here I am\n"),
  parts: async ({ port }) => {
    assert.equal(await ask(`ws://127.0.0.1:${port}/`, "x".repeat(300_000)), "x".repeat(300_000));
    const ws = await connected(`ws://127.0.0.1:${port}/`);
    const upload = Buffer.alloc(3_000_000, "serval");
    ws.send(upload);
    ws.send("stored");
    await once(ws, "message");
    assert.ok(readFileSync(path.join(folder, "upload-1")).equals(upload));
    ws.terminate();
  },
  "http server": async ({ port }) => {
    const url = `http://127.0.0.1:${port}`;
    const post = async (path: string): Promise<string> =>
      (await fetch(url + path, { method: "POST", body: "12345" })).text();
    assert.deepEqual(
      [await post("/count"), await post("/echo"), await post("/")],
      ["5 bytes\n", "12345", "There is nothing here\n"],
    );
  },
  "http bodies": async ({ port }) => {
    const url = `http://127.0.0.1:${port}`;
    const upload = Buffer.alloc(3_000_000, "serval");
    assert.equal((await fetch(`${url}/file`, { method: "PUT", body: upload })).status, 201);
    assert.ok(Buffer.from(await (await fetch(`${url}/file`)).arrayBuffer()).equals(upload));
    const reader = (await fetch(`${url}/events`)).body!.getReader();
    assert.equal(String(Buffer.from((await reader.read()).value!)), "data: 1\n\n");
    assert.equal(String(Buffer.from((await reader.read()).value!)), "data: 2\n\n");
    await reader.cancel();
  },
  "http download": ({ output }) => {
    assert.equal(output, "200 of some kind\n");
    assert.equal(statSync(path.join(folder, "download")).size, 20_000_000);
  },
  "http layers": async ({ port }) => {
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^You are (::ffff:)?127\.0\.0\.1\n$/);
    const socket = connect(port, "127.0.0.1");
    socket.end("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.match(await text(socket), /You are 192\.0\.2\.7\n$/);
  },
  protocol: ({ output }) =>
    assert.deepEqual(output.split("\n").toSorted(), [
      "",
      "client: ended with 4000, clean",
      "client: hello",
      "server: ended with 4000, clean",
    ]),
  "http testing": ({ output }) => assert.equal(output, "GET /hello\ntrue 0\n"),
  "http upgrade": async (running) => {
    await echoes(running);
    assert.equal(await (await fetch(`http://127.0.0.1:${running.port}/`)).text(), "plain HTTP\n");
  },
  "http by hand": async (running) => {
    await echoes(running);
    const response = await fetch(`http://127.0.0.1:${running.port}/`, { method: "PUT", body: "x".repeat(5_000_000) });
    assert.equal(await response.text(), "PUT 5000000\n");
  },
  "http chunks": ({ output }) =>
    assert.match(output, /\r\n\r\n4;line=one\r\none\n\r\n4;line=two\r\ntwo\n\r\n0\r\nLines: 2\r\n\r\n\n$/),
  "http client": ({ output }) => assert.equal(output, "200 hello\n200 hello again\n"),
  "every failure": ({ output }) => {
    for (const run of ["read 1 end", "write 1 reset", "read 2 abort", "write 2 short"]) {
      assert.ok(output.split("\n").includes(run), output);
    }
  },
  "every split": ({ output }) => assert.equal(output, "Set(1) { 'hello' }\n"),
  "testing a server": ({ output }) => assert.equal(output, "passed\n"),
  "event stream": async ({ port, terminate }) => {
    const events = await fetch(`http://127.0.0.1:${port}/`);
    const reader = events.body!.getReader();
    assert.match(String(Buffer.from((await reader.read()).value!)), /^data: .*\n\n$/);
    terminate();
    // It ends in good order, since the signal has aborted.
    for (let done = false; !done;) ({ done } = await reader.read());
  },
  testing: ({ output }) =>
    assert.match(output, /^HTTP\/1.1 101 Switching Protocols\r\n.*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/s),
};

const serving = 'import { serve, type Server } from "serval";\n';
const connecting = 'import { connect, type ServalError, type websocket } from "serval";\n';

/** What the parts of programs, which are compiled but not run, have before them. */
const before: Readonly<Record<string, string>> = {
  "topic changes": `${serving}declare const upstream: { follow(topic: string): void; leave(topic: string): void };\n`,
  "drain report": `${serving}declare const server: Server;\n`,
  proxies: serving,
  "tls proxy protocol": `${serving}declare const cert: string;\ndeclare const key: string;\n`,
  host: connecting,
  "end of a loop": `${connecting}declare const ws: websocket.Stream;\n`,
  ca: `${connecting}import { readFileSync } from "node:fs";\n`,
  redirect: `${connecting}declare const url: URL;\n`,
  "error with a stack": `${connecting}declare const ws: websocket.Stream;\ndeclare const report: string;\n`,
  "signed out": `${serving}declare const server: Server<{ user: string }>;\ndeclare const user: string;\n`,
};

test("every example is named, and every name is checked", () => {
  assert.deepEqual(blocks.map((block) => block.name).toSorted(), Object.keys(examples).toSorted());
  assert.deepEqual(fragments.map(({ name }) => name).toSorted(), Object.keys(before).toSorted());
});

test("types are named for the server and the WebSocket", () => {
  assert.ok(
    ["Server", "websocket.Stream"].every((type) => types.includes(type)),
    types.join(),
  );
});

test("no other block of code is TypeScript", () => {
  for (const file of documents) {
    const text = readFileSync(path.join(root, file), "utf8");
    for (const [, language, code] of text.matchAll(/^```(.*?)\n(.*?)^```/gms)) {
      if (language !== "" && language !== "text") continue;
      assert.doesNotMatch(code!, /\bawait |=> |\bconst |\bimport /, `a block of ${file} is not compiled`);
    }
  }
});

/** Compiles the examples as a user's project does, which has the package as it is published. */
function compile(): void {
  run(root, "scripts/build.mjs");
  const installed = path.join(folder, "node_modules", "serval");
  mkdirSync(path.join(folder, "node_modules", "@types"), { recursive: true });
  cpSync(path.join(root, "dist"), path.join(installed, "dist"), { recursive: true });
  cpSync(path.join(root, "package.json"), path.join(installed, "package.json"));
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(path.join(folder, "cert.pem"), localhost.cert);
  writeFileSync(path.join(folder, "key.pem"), localhost.key);
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  for (const [index, { code }] of blocks.entries()) {
    // Ports of their own, so that several can run at once.
    writeFileSync(
      path.join(folder, `${index}.ts`),
      code
        .replace("{ host, port: 8080", `{ host, port: ${(peer.address() as { port: number }).port}`)
        .replace('"127.0.0.1", port: 8080', `"127.0.0.1", port: ${(peer.address() as { port: number }).port}`)
        .replace(/port: 8080|port: 8443/, "port: 0")
        .replace("listen(8080", "listen(0")
        .replace('"listening on port 8080"', '"listening on port", JSON.stringify(server.address())')
        .replace("127.0.0.1:8080", `127.0.0.1:${(peer.address() as { port: number }).port}`),
    );
  }
  for (const [index, { name, code }] of fragments.entries()) {
    writeFileSync(path.join(folder, `part-${index}.ts`), `${before[name]}${code}`);
  }
  const named = types.map((type, index) => `export type T${index} = serval.${type};\n`);
  writeFileSync(path.join(folder, "types.ts"), `import type * as serval from "serval";\n${named.join("")}`);
  // Our declarations are checked too, against the types of the oldest Node and of the newest.
  for (const types of ["test/docs/node_modules/types-node-newest", "node_modules/@types/node"]) {
    rmSync(path.join(folder, "node_modules", "@types", "node"), { force: true });
    symlinkSync(path.join(root, types), path.join(folder, "node_modules", "@types", "node"));
    run(folder, path.join(root, "node_modules/typescript/bin/tsc"), "-p", folder);
  }
}

const compilerOptions = {
  target: "es2023",
  lib: ["es2023", "esnext.disposable"],
  module: "nodenext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmitOnError: true,
};

function run(cwd: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

/** The port that an example says it listens on; 0 for one that does not, all of whose output counts. */
function portOf(output: string): number {
  return Number(/^listening .*(?:port":|:|port )(\d+).*\n/m.exec(output)?.[1] ?? 0);
}

test("every example compiles, and does what it says", async (t) => {
  compile();
  for (const [index, { name }] of blocks.entries()) {
    await t.test(name, async () => {
      const child = spawn(process.execPath, [path.join(folder, `${index}.js`)], {
        cwd: folder,
        stdio: ["ignore", "pipe", "inherit"],
      });
      try {
        let output = "";
        // Read to the end, also once it listens: it may go on printing.
        await new Promise<void>((resolve) => {
          child.stdout.on("end", resolve).on("data", (chunk) => {
            output += String(chunk);
            if (portOf(output) > 0) resolve();
          });
        });
        await examples[name]!({ port: portOf(output), output, terminate: () => void child.kill("SIGTERM") });
      } finally {
        child.kill();
      }
    });
  }
});
