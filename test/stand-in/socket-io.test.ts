// Socket.IO, whose engine takes serval's class by its option.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { WebSocketServer } from "serval/ws";
import { io as connect, type Socket } from "socket.io-client";
import { start } from "./support/hosts/socket-io.ts";

type Host = Awaited<ReturnType<typeof start>>;

async function started(t: TestContext, perMessageDeflate = false): Promise<Host> {
  const host = await start(perMessageDeflate);
  t.after(() => host.close());
  return host;
}

/** A connected client. */
async function client(t: TestContext, { url }: Host, transports = ["websocket"]): Promise<Socket> {
  const socket = connect(url, { transports, forceNew: true, reconnection: false });
  t.after(() => socket.close());
  await once(socket as never, "connect");
  return socket;
}

for (const perMessageDeflate of [false, true]) {
  describe(`Socket.IO over serval, compression ${perMessageDeflate ? "on" : "off"}`, () => {
    it("acknowledges text, objects and binary", async (t) => {
      const host = await started(t, perMessageDeflate);
      const socket = await client(t, host);
      assert.ok((host.io.engine as unknown as { ws: unknown }).ws instanceof WebSocketServer);
      assert.equal(await socket.emitWithAck("echo", "text"), "text");
      assert.deepEqual(await socket.emitWithAck("echo", { a: [1, null, "é"] }), { a: [1, null, "é"] });
      const bytes = Buffer.alloc(300_000, 7);
      assert.deepEqual(await socket.emitWithAck("echo", bytes), bytes);
      const long = "x".repeat(200_000);
      assert.equal(await socket.emitWithAck("echo", long), long);
    });

    it("broadcasts to a room, each member in the order sent", async (t) => {
      const host = await started(t, perMessageDeflate);
      const sockets = [await client(t, host), await client(t, host), await client(t, host)];
      const [first, second, outside] = sockets;
      const said = sockets.map(() => [] as string[]);
      sockets.forEach((socket, index) => socket.on("said", (text: string) => said[index]!.push(text)));
      await first!.emitWithAck("join", "room");
      await second!.emitWithAck("join", "room");
      for (let number = 0; number < 100; number++) first!.emit("say", "room", `message ${number}`);
      // An answer comes after what was said before.
      await first!.emitWithAck("echo", 0);
      await second!.emitWithAck("echo", 0);
      const expected = Array.from({ length: 100 }, (_, number) => `message ${number}`);
      assert.deepEqual(said, [expected, expected, []]);
      assert.ok(outside);
    });

    it("upgrades a client that polls", async (t) => {
      const host = await started(t, perMessageDeflate);
      const socket = await client(t, host, ["polling", "websocket"]);
      if (socket.io.engine.transport.name !== "websocket") await once(socket.io.engine as never, "upgrade");
      assert.equal(socket.io.engine.transport.name, "websocket");
      assert.equal(await socket.emitWithAck("echo", "upgraded"), "upgraded");
    });
  });
}

describe("Socket.IO over serval", () => {
  it("sends a broadcast's frame that was made once, if nothing is compressed", async (t) => {
    const host = await started(t);
    const sockets = [await client(t, host), await client(t, host)];
    let framed = 0;
    for (const { conn } of host.io.sockets.sockets.values()) {
      const { socket } = conn.transport as unknown as { socket: { readonly _sender: { sendFrame: unknown } } };
      const { _sender: sender } = socket;
      assert.equal(typeof sender.sendFrame, "function");
      Object.defineProperty(socket, "_sender", {
        value: {
          sendFrame: (...given: unknown[]) => {
            framed++;
            (sender.sendFrame as (...all: unknown[]) => void)(...given);
          },
        },
      });
    }
    const heard = sockets.map((socket) => once(socket as never, "said"));
    host.io.emit("said", "é, once framed");
    assert.deepEqual(await Promise.all(heard), [["é, once framed"], ["é, once framed"]]);
    assert.equal(framed, 2);
  });

  it("tells each side why it ended", async (t) => {
    const host = await started(t);
    const socket = await client(t, host);
    const [ofServer] = host.io.sockets.sockets.values();
    const reasons = [once(socket as never, "disconnect"), once(ofServer as never, "disconnect")];
    socket.emit("leave");
    const [[atClient], [atServer]] = (await Promise.all(reasons)) as [string[], string[]];
    assert.deepEqual([atClient, atServer], ["io server disconnect", "server namespace disconnect"]);
  });

  it("closes a client that closes, and one whose connection is lost", async (t) => {
    const host = await started(t);
    const socket = await client(t, host);
    const [first] = host.io.sockets.sockets.values();
    const closing = once(first as never, "disconnect");
    socket.close();
    assert.equal((await closing)[0], "client namespace disconnect");

    const lost = await client(t, host);
    const [second] = host.io.sockets.sockets.values();
    const losing = once(second as never, "disconnect");
    const { ws } = lost.io.engine.transport as unknown as { ws: { terminate(): void } };
    ws.terminate();
    assert.equal((await losing)[0], "transport close");
  });
});
