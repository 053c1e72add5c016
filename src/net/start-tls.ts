import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import {
  connect as connectSocket,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { abortError, coreError, type ByteStream, type ServalError } from "../core/index.ts";
import { checkByteStream, checkSignal, handled, invalidArgument, offAbort, onAbort } from "../core/internal.ts";
import { checkTarget, nameOf, type Target } from "./address.ts";
import { connectBy, type ConnectOptions } from "./connect.ts";
import { tlsError } from "./errors.ts";
import { isSocketStream, release } from "./sockets/socket-stream.ts";
import { checkClientOptions, whyNoContext } from "./tls-options.ts";
import { TlsStream } from "./tls-stream.ts";
import { toDuplex } from "./to-duplex.ts";

/** Options of a TLS client: the options of `node:tls` about identity and encryption. */
export interface TlsOptions extends Pick<
  ConnectionOptions,
  | "ALPNProtocols"
  | "ca"
  | "cert"
  | "checkServerIdentity"
  | "ciphers"
  | "key"
  | "maxVersion"
  | "minVersion"
  | "passphrase"
  | "pfx"
  | "rejectUnauthorized"
  | "servername"
> {}

/**
 * Connects to a TCP port and performs the TLS handshake as the client. The server's certificate must be for `host` and
 * signed by an authority known to Node.js or given as `ca`, unless `rejectUnauthorized` is false. A host's name is sent
 * to the server (SNI), an address is not. The only deadline is the operating system's: pass a signal for another.
 *
 * Rejects with `net.bad_certificate`, `net.tls_failed` for every other failure of the handshake,
 * `core.connection_reset`, `core.invalid_argument` for invalid options, `core.aborted`, and the errors of `connect`.
 * The cause is Node's error.
 */
export function connectTls(
  target: Target,
  options: TlsOptions & Pick<ConnectOptions, "signal"> = {},
): Promise<TlsStream> {
  return handled(connectAndShakeHands(target, options));
}

async function connectAndShakeHands(
  target: Target,
  options: TlsOptions & Pick<ConnectOptions, "signal">,
): Promise<TlsStream> {
  checkTarget("connectTls", target);
  const { host = "localhost", port, unix } = target;
  const name = nameOf({ host, port, unix });
  let context: SecureContext;
  try {
    // Before the connection, so that invalid options open none.
    context = contextOf("connectTls", options);
  } catch (cause) {
    throw optionsError(cause, options, name);
  }
  const stream = await connectBy("onread", target, { signal: options.signal });
  return shakeHands(name, host, stream, options, context);
}

/**
 * Performs the TLS handshake as the client of `host` over a connected stream, such as a proxy's tunnel. If it fails,
 * the stream is closed. For the rest see {@link connectTls}.
 */
export function startTls(
  nextLayer: ByteStream,
  host: string,
  options: TlsOptions & Pick<ConnectOptions, "signal"> = {},
): Promise<TlsStream> {
  return handled(shakeHandsOver(nextLayer, host, options));
}

async function shakeHandsOver(
  nextLayer: ByteStream,
  host: string,
  options: TlsOptions & Pick<ConnectOptions, "signal">,
): Promise<TlsStream> {
  checkByteStream("startTls", nextLayer);
  if (typeof host !== "string" || host === "") {
    nextLayer.close();
    throw invalidArgument("startTls takes the host's name as its second argument: the certificate has to be for it");
  }
  return shakeHands(host, host, nextLayer, options);
}

/** `name` is the server's address as text. */
function shakeHands(
  name: string,
  host: string,
  nextLayer: ByteStream,
  options: TlsOptions & Pick<ConnectOptions, "signal">,
  context?: SecureContext,
): Promise<TlsStream> {
  return new Promise((resolve, reject) => {
    const { signal, ...own } = { ...options };
    const fail = (error: ServalError): void => {
      if (signal !== undefined) offAbort(signal, abort);
      secured?.destroy();
      nextLayer.close();
      reject(error);
    };
    const abort = (): void => fail(abortError(signal!));
    // A later error still has this listener, and changes nothing.
    const failed = (cause: Error): void => fail(tlsError(cause, name, secured!.authorizationError != null));
    let secured: TLSSocket | undefined;
    if (signal?.aborted === true) {
      abort();
      return;
    }
    let socket: Duplex | undefined;
    try {
      const secureContext = context ?? contextOf("startTls", options);
      checkSignal(signal);
      // A socket from which nothing was read goes to Node as it is, without a Duplex in between.
      socket = (isSocketStream(nextLayer) ? nextLayer[release]() : undefined) ?? toDuplex(nextLayer);
      secured = connectSocket({ servername: serverName(host), ...given(own), secureContext, host, socket });
    } catch (cause) {
      // Destroyed without an error, since the half-made socket has no listener for one.
      socket?.destroy();
      fail(optionsError(cause, options, name));
      return;
    }
    const made = secured;
    made.on("error", failed);
    made.once("secureConnect", () => {
      made.off("error", failed);
      if (signal !== undefined) offAbort(signal, abort);
      resolve(new TlsStream(made, nextLayer));
    });
    if (signal !== undefined) onAbort(signal, abort);
  });
}

/** Throws for options that are invalid. */
function contextOf(taker: string, options: TlsOptions): SecureContext {
  checkClientOptions(taker, options);
  return createSecureContext(given(options));
}

function optionsError(cause: unknown, options: TlsOptions, name: string): ServalError {
  const message = `TLS with ${name} can't start with these options: ${whyNoContext(cause, options ?? {})}`;
  return coreError("core.invalid_argument", { cause, message });
}

/** The name for SNI: RFC 6066 section 3 allows only host names, without the final dot. */
function serverName(host: string): string {
  return isIP(host) === 0 ? host.replace(/\.$/, "") : "";
}

/** The options that are set: `node:tls` would take undefined for a value. */
function given(options: TlsOptions): TlsOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
