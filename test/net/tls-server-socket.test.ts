import assert from "node:assert/strict";
import { test } from "node:test";
import { createSecureContext, type TLSSocket } from "node:tls";
import { startTls, toDuplex } from "../../src/net/index.ts";
import { shakeHandsAsServer } from "../../src/net/tls-server-socket.ts";
import { pair } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";

const secureContext = createSecureContext({ ...localhost, ca: localhost.cert });

/** The outcome of a handshake with a client that has a good certificate, after `change` to the server's socket. */
async function outcome(change: (socket: TLSSocket) => void): Promise<string> {
  const [ours, theirs] = pair();
  const connecting = startTls(theirs, "localhost", { ca: localhost.cert, ...localhost });
  let socket!: TLSSocket;
  const result = await new Promise<string>((resolve) => {
    socket = shakeHandsAsServer(
      toDuplex(ours),
      { secureContext, requestCert: true, rejectUnauthorized: true },
      {
        secured: () => resolve(`secured, ${socket.authorized ? "authorized" : "not authorized"}`),
        failed: (cause) => resolve(`failed: ${String(cause)}`),
        unauthorized: (why) => resolve(`unauthorized: ${why}`),
      },
    );
    change(socket);
  });
  socket.destroy();
  await connecting.then(
    (peer) => peer.close(),
    () => {},
  );
  return result;
}

test("Node has the members that are used", async () => {
  assert.equal(await outcome(() => {}), "secured, authorized");
});

test("no certificate is accepted if Node no longer reports on it", async () => {
  const result = await outcome((socket) => {
    const { _handle: handle } = socket as unknown as { _handle: object };
    Object.defineProperty(handle, "verifyError", { value: undefined });
  });
  assert.equal(result, "unauthorized: UNABLE_TO_VERIFY");
});
