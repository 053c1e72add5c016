import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { describe, it } from "node:test";
import { HandleStream } from "../../../src/net/sockets/handle-stream.ts";
import { HandleAttempt, type HandleTarget } from "../../../src/net/sockets/outgoing-handle.ts";
import { turns, writeAll } from "../../core/support/stream-operations.ts";
import { freePort } from "../../support/free-port.ts";
import { withPath } from "../support/sockets.ts";

type Outcome = { error: NodeJS.ErrnoException | undefined; stream: HandleStream | undefined };

function attempt(target: HandleTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    let inside = true;
    const started = new HandleAttempt(target, (error, handle) => {
      assert.equal(inside, false, "told within the call");
      resolve({ error, stream: handle && new HandleStream(handle, undefined, undefined) });
    });
    inside = false;
    assert.ok(started);
  });
}

async function echo(server: Server, target: HandleTarget): Promise<void> {
  const received = once(server, "connection").then(async ([socket]) => {
    for await (const chunk of socket as Socket) return String(chunk);
    return undefined;
  });
  const { stream } = await attempt(target);
  await writeAll(stream!, Buffer.from("hello"));
  assert.equal(await received, "hello");
  stream!.close();
}

describe("HandleAttempt", () => {
  it("connects to an IPv4 and an IPv6 address, and to a path", async () => {
    for (const address of ["127.0.0.1", "::1"]) {
      const server = createServer().listen(0, address);
      await once(server, "listening");
      await echo(server, { address, port: (server.address() as AddressInfo).port });
      server.close();
    }
    await withPath(async (path) => {
      const server = createServer().listen(path);
      await once(server, "listening");
      await echo(server, { path });
      server.close();
      await once(server, "close");
    });
  });

  it("fails with the error that Node.js makes", async () => {
    const port = await freePort();
    const { error } = await attempt({ address: "127.0.0.1", port });
    assert.equal(error!.message, `connect ECONNREFUSED 127.0.0.1:${port}`);
    assert.deepEqual([error!.code, error!.syscall], ["ECONNREFUSED", "connect"]);
    assert.deepEqual(
      { ...error, errno: 0 },
      { errno: 0, code: "ECONNREFUSED", syscall: "connect", address: "127.0.0.1", port },
    );
    await withPath(async (path) => {
      const missing = (await attempt({ path })).error!;
      assert.equal(missing.message, `connect ENOENT ${path}`);
    });
    const refusedAtOnce = (await attempt({ address: "not an address", port: 1 })).error!;
    assert.equal(refusedAtOnce.code, "EINVAL");
  });

  it("tells nothing after it was closed", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const closed = new HandleAttempt({ address: "127.0.0.1", port }, () => assert.fail("told"));
    closed.close();
    closed.close();
    await turns(20);
    server.close();
  });
});
