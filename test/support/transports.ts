// Connections by each transport: a pair in memory, handles, sockets, TLS over both.
import type { ByteStream } from "../../src/core/index.ts";
import { acceptTls, connect as dial, listen, startTls, type Transport } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";
import { localhost } from "./localhost.ts";
import { deferred } from "./quiet.ts";

/** Two ends of a connection: the one that was accepted, the one that connected. */
export type Ends = readonly [ByteStream, ByteStream];

async function connected(transport: Transport): Promise<Ends> {
  const { promise, resolve } = deferred<ByteStream>();
  const listener = await listen({ port: 0, host: "127.0.0.1", transport }, resolve);
  const client = await dial({ port: listener.port!, host: "127.0.0.1" }, { transport });
  const server = await promise;
  await listener.close();
  return [server, client];
}

async function secured(transport: Transport): Promise<Ends> {
  const [server, client] = await connected(transport);
  return Promise.all([acceptTls(server, localhost), startTls(client, "localhost", { ca: localhost.cert })]);
}

/** How to connect, by the name of the transport. */
export const transports: Readonly<Record<string, () => Promise<Ends>>> = {
  "a pair in memory": () => Promise.resolve(pair()),
  handles: () => connected("handle"),
  sockets: () => connected("socket"),
  "TLS over handles": () => secured("handle"),
  "TLS over sockets": () => secured("socket"),
};
