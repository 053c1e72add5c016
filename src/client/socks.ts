import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { abortError, fromDuplex, ServalError, type ByteStream } from "../core/index.ts";
import { offAbort, onAbort } from "../core/internal.ts";
import { toDuplex } from "../net/index.ts";
import { netError } from "../net/internal.ts";
import { clientError } from "./errors.ts";
import type { Socks } from "./packages.ts";
import type { Proxy } from "./proxy.ts";
import { hostAndPort, type Endpoint } from "./url.ts";

/**
 * The destination to ask a SOCKS proxy for: with `socks5:` the name is looked up here, with `socks5h:` by the proxy.
 */
export async function socksDestination(
  { host, port }: Endpoint,
  { scheme }: Proxy,
  family: 4 | 6 | undefined,
  signal: AbortSignal,
): Promise<{ host: string; port: number }> {
  if (scheme === "socks5h" || isIP(host) !== 0) return { host, port };
  try {
    const { address } = await unlessAborted(lookup(host, { family: family ?? 0 }), signal);
    return { host: address, port };
  } catch (cause) {
    if (cause instanceof ServalError) throw cause;
    const message = `Cannot connect to ${hostAndPort(host, port)}: ${(cause as Error).message}`;
    throw netError("net.host_not_found", { cause, message });
  }
}

/**
 * The package's timer keeps its connection referenced until it fires, and does not wait for a poll: it has twice the time
 * of our deadline, whose signal comes first. Without a deadline of ours, that is an hour.
 */
const longestTimer = 3_600_000;

/**
 * Asks a SOCKS5 proxy (RFC 1928, RFC 1929) for a connection to a destination, on a stream connected to the proxy. On
 * failure it closes the stream and throws `client.proxy_refused`, the stream's error or `core.aborted`.
 */
export async function openSocks(
  { SocksClient }: Socks,
  stream: ByteStream,
  destination: { host: string; port: number },
  proxy: Proxy,
  { signal, timeout }: { signal: AbortSignal; timeout: number },
): Promise<ByteStream> {
  const duplex = toDuplex(stream);
  let failure: unknown;
  duplex.on("error", (error) => (failure ??= error));
  // The package does not listen for the end, and would wait for its timer.
  const end = (): unknown => duplex.destroy();
  duplex.once("end", end);
  const { host, port, credentials } = proxy;
  const account = credentials === undefined ? {} : { userId: credentials.user, password: credentials.password };
  try {
    await unlessAborted(
      SocksClient.createConnection({
        command: "connect",
        proxy: { host, port, type: 5, ...account },
        destination,
        existing_socket: duplex,
        timeout: Math.min(2 * timeout, longestTimer),
      }),
      signal,
    );
  } catch (error) {
    duplex.destroy();
    if (error instanceof ServalError) throw error;
    if (failure instanceof ServalError) throw failure;
    // Without the package's error as cause, since it contains the password.
    const message = `The proxy ${hostAndPort(host, port)} refused the connection: ${(error as Error).message}`;
    throw clientError("client.proxy_refused", { message });
  }
  duplex.off("end", end);
  return resumed(duplex);
}

/** The duplex as a stream. The package resumes it one turn after its work, even unread; this waits for that. */
async function resumed(duplex: Duplex): Promise<ByteStream> {
  const stream = fromDuplex(duplex);
  await setImmediate();
  duplex.pause();
  return stream;
}

/** The promise's result; rejects with `core.aborted` if the signal aborts first. */
async function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let abort!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortError(signal));
    if (signal.aborted) abort();
    else onAbort(signal, abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    offAbort(signal, abort);
  }
}
