import { once } from "node:events";
import { rm, mkdtemp } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Two ends of a TCP connection over loopback, as Node's own sockets: the one that connected, the one accepted. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Socket({ allowHalfOpen: true });
  const accepted = once(server, "connection") as Promise<[Socket]>;
  client.connect((server.address() as { port: number }).port, "127.0.0.1");
  const [[socket]] = await Promise.all([accepted, once(client, "connect")]);
  server.close();
  return [client, socket];
}

/** Runs `use` with a path where no Unix socket is yet, and removes what it leaves there. */
export async function withPath<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "serval-"));
  try {
    return await use(join(folder, "socket"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
