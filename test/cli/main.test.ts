import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect, type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { WebSocket as UndiciWebSocket } from "undici";
import { WebSocket } from "ws";
import { answering, echoing } from "../client/support/servers.ts";
import { until } from "../core/support/stream-operations.ts";
import { command, Command, commandReading } from "./support/command.ts";
import { freePort } from "../support/free-port.ts";

describe("serval echo", () => {
  it("says in one line where it listens", async () => {
    await using running = new Command("echo", "--port", "0");
    const line = await running.line();
    assert.match(line, /^serval echo listening on (http:\/\/127\.0\.0\.1:(\d+)) \(ws:\/\/127\.0\.0\.1:\2\/\)$/);
    running.kill("SIGTERM");
    assert.equal((await running.ended).stdout, `${line}\n`);
  });

  it("echoes to the ws package, at every path", async () => {
    await using running = new Command("echo", "--port", "0");
    const client = new WebSocket(new URL("/any/path?at=all", await running.url("ws")));
    await once(client, "open");
    client.send("text, é, €, 😀");
    assert.deepEqual(await once(client, "message"), [Buffer.from("text, é, €, 😀"), false]);
    const bytes = Buffer.alloc(200_000, "binary");
    client.send(bytes);
    assert.deepEqual(await once(client, "message"), [bytes, true]);
    client.close(4000, "enough");
    assert.equal((await once(client, "close"))[0], 4000);
  });

  it("echoes to undici's WebSocket", async () => {
    await using running = new Command("echo", "--port", "0");
    const client = new UndiciWebSocket(await running.url("ws"));
    client.binaryType = "arraybuffer";
    await once(client, "open");
    client.send("text");
    assert.equal(((await once(client, "message")) as [{ data: unknown }])[0].data, "text");
    client.send(Uint8Array.of(0, 255));
    const [{ data }] = (await once(client, "message")) as [{ data: ArrayBuffer }];
    assert.deepEqual(new Uint8Array(data), Uint8Array.of(0, 255));
    client.close(1000);
    const [closed] = (await once(client, "close")) as [{ code: number; wasClean: boolean }];
    assert.deepEqual([closed.code, closed.wasClean], [1000, true]);
  });

  it("says nothing of clients that reset during a drain, and goes on", async () => {
    await using running = new Command("echo", "--port", "0");
    const url = await running.url("ws");
    const rude = connect(Number(new URL(url).port), "127.0.0.1");
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    rude.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`);
    await once(rude, "data");
    // Sends and never reads, until the server takes no more: then a write of its waits.
    rude.pause();
    const frame = Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.alloc(65_536)]);
    await until(
      () => rude.writableLength >= 2_000_000,
      async () => {
        rude.write(frame);
        await new Promise(setImmediate);
      },
    );
    rude.resetAndDestroy();
    await once(rude, "close");

    const client = new WebSocket(url);
    await once(client, "open");
    client.send("still there?");
    await once(client, "message");
    client.terminate();
    running.kill("SIGTERM");
    assert.equal((await running.ended).stderr.replace(/^serval: closing .*\n/, ""), "");
  });
});

describe("serval serve", () => {
  it("says where it listens, and serves the page and the echo", async () => {
    await using running = new Command("serve", "--port", "0");
    const line = await running.line();
    const found = /^serval serve listening on (http:\/\/127\.0\.0\.1:(\d+)) \((ws:\/\/127\.0\.0\.1:\2\/echo)\)$/.exec(
      line,
    );
    assert.ok(found, line);
    assert.match(await (await fetch(found[1]!)).text(), /<title>serval/);
    const client = new WebSocket(found[3]!);
    await once(client, "open");
    client.send("hello");
    assert.equal(String((await once(client, "message"))[0]), "hello");
    client.terminate();
  });
});

describe("serval connect", () => {
  it("sends each piped line, prints the answers, and ends", async () => {
    await using running = new Command("echo", "--port", "0");
    const { code, stdout, stderr } = await commandReading("hi\nthere\n", "connect", await running.url("ws"));
    assert.deepEqual([code, stdout, stderr], [0, "hi\nthere\n", ""]);
  });

  it("passes the options on, and exits with 1 and the response of a server that refuses", async () => {
    await using server = await answering(({ headers }) => [403, {}, `${headers["origin"]} ${headers["x"]}\n`]);
    const args = ["connect", `127.0.0.1:${server.port}`, "--origin", "https://a", "-H", "X: b"];
    const { code, stdout, stderr } = await command(...args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, "serval: The server declined the WebSocket handshake: 403 Forbidden\n  https://a b\n");
  });

  it("ends quietly when its reader is gone", async () => {
    await using server = await echoing();
    await using running = new Command("connect", `ws://127.0.0.1:${server.port}/`);
    running.child.stdin.write("one\n");
    await running.line();
    running.child.stdout.destroy();
    await once(running.child.stdout, "close");
    running.child.stdin.write("two\n");
    const { code, stderr } = await running.ended;
    assert.deepEqual([code, stderr], [0, ""]);
  });

  it("ends when the server closes, even if more could be piped in", async () => {
    await using server = new Command("echo", "--port", "0");
    await using running = new Command("connect", await server.url("ws"), "--json");
    assert.match(await running.line(), /"type":"open"/);
    server.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    assert.equal(code, 0);
    assert.match(stdout, /\{"type":"close","code":1001,.*\n$/);
  });

  it("closes at SIGINT", async () => {
    await using server = await echoing();
    await using running = new Command("connect", `ws://127.0.0.1:${server.port}/`);
    running.child.stdin.write("one\n");
    await running.line();
    running.kill("SIGINT");
    const { code, signal } = await running.ended;
    assert.deepEqual([code, signal], [0, null]);
  });
});

describe("serval inspect", () => {
  it("exits with 0 if a WebSocket opens, and 1 if none does", async () => {
    await using server = await echoing();
    const well = await command("inspect", `ws://127.0.0.1:${server.port}/`);
    assert.deepEqual([well.code, well.stderr], [0, ""]);
    assert.match(well.stdout, /\nAll is well: /);
    await using other = await answering(() => [404]);
    const ill = await command("inspect", "--json", `ws://127.0.0.1:${other.port}/`);
    assert.equal(ill.code, 1);
    assert.match((JSON.parse(ill.stdout) as { verdict: string }).verdict, /answered 404 Not Found/);
  });
});

describe("a client of the serval command", () => {
  for (const name of ["connect", "inspect", "bench"]) {
    it(`${name} exits with 1 if nothing listens, and says so as JSON in one line`, async () => {
      const { code, stdout, stderr } = await command(name, `127.0.0.1:${await freePort()}`, "--json");
      assert.deepEqual([code, stderr], [1, ""]);
      assert.match(stdout, /^\{.*net\.connection_refused.*\}\n$/);
      JSON.parse(stdout);
    });

    it(`${name} exits with 2 for an invalid URL, and points to its help`, async () => {
      const { code, stdout, stderr } = await command(name, "ftp://a/", "--json");
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, new RegExp(`^serval: A WebSocket URL begins with .*; see serval ${name} --help\\n$`));
    });
  }
});

describe("the serval command", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`closes its connections with 1001 at ${signal}, and exits with 0`, async () => {
      await using running = new Command("echo", "--port", "0");
      const url = await running.url("ws");
      const clients = [new WebSocket(url), new WebSocket(url)];
      await Promise.all(clients.map((client) => once(client, "open")));
      const closed = Promise.all(clients.map((client) => once(client, "close")));
      running.kill(signal);
      assert.deepEqual(
        (await closed).map(([code]) => code as number),
        [1001, 1001],
      );
      const { code, stderr } = await running.ended;
      assert.equal(code, 0);
      assert.match(stderr, /^serval: closing 2 connections, .*\n$/);
    });
  }

  it("ends at once at a second signal", async () => {
    await using running = new Command("echo", "--port", "0");
    const client = new WebSocket(await running.url("ws"));
    await once(client, "open");
    // One that does not answer a close frame holds up the orderly end.
    client.pause();
    running.kill("SIGTERM");
    assert.match(await running.line(running.child.stderr), /closing 1 connection,/);
    running.kill("SIGINT");
    const { code, signal } = await running.ended;
    assert.deepEqual([code, signal], [null, "SIGINT"]);
    client.terminate();
  });

  it("exits with 1 and one line if the port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await command("echo", "--port", String(port));
    other.close();
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`^serval: port ${port} of 127\\.0\\.0\\.1 is in use; .*--port.*\n$`));
  });

  it("exits with 2 and one line for invalid arguments", async () => {
    const { code, stdout, stderr } = await command("echo", "--prot", "1");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^serval: unknown option "--prot"; .*--port.*\n$/);
  });

  it("prints its help if asked for it, and to stderr without arguments", async () => {
    const asked = await command("--help");
    assert.deepEqual([asked.code, asked.stderr], [0, ""]);
    assert.match(asked.stdout, /^Usage: serval <command>/m);
    assert.deepEqual(await command(), { code: 2, signal: null, stdout: "", stderr: asked.stdout });
  });

  it("goes on when the reader of its output is gone", async () => {
    await using helping = new Command("--help");
    helping.child.stdout.destroy();
    assert.equal((await helping.ended).code, 0);

    await using running = new Command("echo", "--port", "0");
    const client = new WebSocket(await running.url("ws"));
    await once(client, "open");
    running.child.stderr.destroy();
    await once(running.child.stderr, "close");
    // Now it has to say that it closes the connection.
    running.kill("SIGTERM");
    assert.equal((await once(client, "close"))[0], 1001);
    assert.equal((await running.ended).code, 0);
  });
});
