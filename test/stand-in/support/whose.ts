// Which package a host gets as `ws`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The folder of these tests in the sources, where their packages are installed. */
export const here: string = fileURLToPath(new URL("../../../../test/stand-in/", import.meta.url));

/** Fails unless a package's `ws` is serval-ws. */
export function assertOverridden(host: string): void {
  const ofHost = createRequire(`${here}node_modules/${host}/package.json`);
  assert.match(ofHost.resolve("ws"), /packed.serval-ws.index\.cjs$/);
  const { WebSocketServer } = createRequire(`${here}package.json`)("serval/ws") as { WebSocketServer: unknown };
  assert.equal((ofHost("ws") as { Server: unknown }).Server, WebSocketServer);
}
