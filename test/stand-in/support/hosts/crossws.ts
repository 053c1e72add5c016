import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import crossws from "crossws/adapters/node";
import { WebSocketServer } from "serval/ws";

/** A chat by crossws' hooks. */
export async function start() {
  const wss = new WebSocketServer({ noServer: true });
  const chat = crossws({
    wss: wss as never, // its own declaration of ws
    hooks: {
      upgrade(request) {
        if (new URL(request.url).searchParams.has("banned")) throw new Response("banned", { status: 403 });
      },
      open: (peer) => peer.subscribe("chat"),
      message(peer, message) {
        if (message.text() === "bye") peer.close(4000, "bye");
        else {
          peer.send(`you: ${message.text()}`);
          peer.publish("chat", `they: ${message.text()}`);
        }
      },
    },
  });
  const http = createServer((_, response) => response.end("a page"));
  http.on("upgrade", chat.handleUpgrade);
  http.listen(0);
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const close = () => {
    chat.closeAll(1001, "", true);
    return new Promise((resolve) => http.close(resolve));
  };
  return { url: `ws://127.0.0.1:${port}`, wss, close };
}
