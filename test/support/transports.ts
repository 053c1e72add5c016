// Connections by each transport: a pair in memory, handles, sockets, TLS over both.
import type { ByteStream } from "../../src/core/index.ts";
import { acceptTls, connect as dial, listen, startTls, type Listener, type Transport } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";
import { localhost } from "./localhost.ts";
import { deferred } from "./quiet.ts";

/** Two ends of a connection: the one that was accepted, the one that connected. */
export type Ends = readonly [ByteStream, ByteStream];

/** Makes connections over loopback, one at a time, for whoever needs many: listening takes as long as connecting. */
export class Connector {
  readonly #transport: Transport;
  readonly #listener: Listener;
  #accepted = deferred<ByteStream>();

  private constructor(transport: Transport, listener: Listener) {
    this.#transport = transport;
    this.#listener = listener;
  }

  static async listening(transport: Transport): Promise<Connector> {
    const options = { port: 0, host: "127.0.0.1", transport } as const;
    const listener = await listen(options, (stream) => connector.#accepted.resolve(stream));
    const connector = new Connector(transport, listener);
    return connector;
  }

  async connect(): Promise<Ends> {
    this.#accepted = deferred();
    const address = { port: this.#listener.port!, host: "127.0.0.1" };
    const client = await dial(address, { transport: this.#transport });
    return [await this.#accepted.promise, client];
  }

  close(): Promise<void> {
    return this.#listener.close();
  }
}

async function connected(transport: Transport): Promise<Ends> {
  const connector = await Connector.listening(transport);
  const ends = await connector.connect();
  await connector.close();
  return ends;
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
