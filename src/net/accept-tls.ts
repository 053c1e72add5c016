import type { SecureContext, TlsOptions, TLSSocket } from "node:tls";
import { abortError, coreError, type ByteStream, type Peer, type ServalError } from "../core/index.ts";
import { checkByteStream, checkSignal, handled, offAbort, onAbort } from "../core/internal.ts";
import { nameOf } from "./address.ts";
import { acceptTlsError, clientCertificateError, unnamedClient } from "./errors.ts";
import { SocketStream } from "./socket-stream.ts";
import { checkServerOptions, serverContext } from "./tls-options.ts";
import { shakeHandsAsServer } from "./tls-server-socket.ts";
import { TlsStream } from "./tls-stream.ts";
import { toDuplex } from "./to-duplex.ts";

/** Options of a TLS server: those of `node:tls` that concern who the two sides are and how they encrypt. */
export interface AcceptTlsOptions extends Pick<
  TlsOptions,
  | "ALPNProtocols"
  | "ca"
  | "cert"
  | "ciphers"
  | "crl"
  | "dhparam"
  | "ecdhCurve"
  | "honorCipherOrder"
  | "key"
  | "maxVersion"
  | "minVersion"
  | "passphrase"
  | "pfx"
  | "rejectUnauthorized"
  | "requestCert"
  | "sigalgs"
  | "SNICallback"
  | "ticketKeys"
> {
  /**
   * A context of `tls.createSecureContext`, in the place of all options that make one. With `requestCert` it needs a
   * `sessionIdContext`, or clients that resume a session are refused.
   */
  secureContext?: SecureContext | undefined;
  /** Gives the handshake up, and closes the stream below; it has no effect later. */
  signal?: AbortSignal | undefined;
}

/** What goes into a socket, not into a context. */
type SocketOptions = Pick<AcceptTlsOptions, "ALPNProtocols" | "rejectUnauthorized" | "requestCert" | "SNICallback">;

/** The contexts of options that were seen before: making one takes longer than a handshake. */
const contexts = new WeakMap<AcceptTlsOptions, SecureContext>();

/**
 * Performs the TLS handshake as the server, over a stream that is connected already. A certificate with its key is
 * needed: `cert` and `key`, `pfx`, or a `secureContext`. A client's own is asked for with `requestCert`, and must be
 * signed by an authority of `ca` unless `rejectUnauthorized` is false; then `authorized` says whether it is. The stream
 * below is closed if the handshake fails. There is no deadline: pass a signal for one.
 *
 * Pass the same options object for all connections, or a `secureContext`: what takes long is then done once. A change
 * to an object that was used has no effect.
 *
 * Rejects with `net.bad_certificate` for a client's certificate that is missing or not accepted, `net.tls_failed` for
 * every other failure of the handshake, `core.connection_reset`, the error of the stream below, `core.invalid_argument`
 * for options that can't be meant, and `core.aborted`. Node's own error is the cause.
 */
export function acceptTls(nextLayer: ByteStream, options: AcceptTlsOptions): Promise<TlsStream> {
  return handled(shakeHands(nextLayer, options));
}

function shakeHands(nextLayer: ByteStream, options: AcceptTlsOptions): Promise<TlsStream> {
  return new Promise((resolve, reject) => {
    const name = nameOfClient(checkByteStream("acceptTls", nextLayer).peer);
    let socket: TLSSocket | undefined;
    const fail = (error: ServalError): void => {
      if (signal !== undefined) offAbort(signal, abort);
      socket?.destroy();
      nextLayer.close();
      reject(error);
    };
    const abort = (): void => fail(abortError(signal!));
    const signal = checkSignal(options?.signal);
    if (signal?.aborted === true) {
      abort();
      return;
    }
    // A socket that nothing was read from yet goes to Node as it is: a third less work.
    const duplex = (nextLayer instanceof SocketStream ? nextLayer.release() : undefined) ?? toDuplex(nextLayer);
    try {
      checkOnce(options);
      const socketOptions = { ...given(options), secureContext: contextOf(options) };
      socket = shakeHandsAsServer(duplex, socketOptions, {
        secured() {
          if (signal !== undefined) offAbort(signal, abort);
          resolve(new TlsStream(socket!, nextLayer));
        },
        failed: (cause) => fail(acceptTlsError(cause, name)),
        unauthorized: (why) => fail(clientCertificateError(why, name)),
      });
    } catch (cause) {
      // First, and without an error: that would end with a socket half made, to which nobody listens.
      duplex.destroy();
      const message = `TLS can't start with these options: ${(cause as Error).message}`;
      fail(coreError("core.invalid_argument", { cause, message }));
      return;
    }
    if (signal !== undefined) onAbort(signal, abort);
  });
}

/** Options whose check has passed: as with the context, once for all connections. */
const checked = new WeakSet<AcceptTlsOptions>();

function checkOnce(options: AcceptTlsOptions): void {
  if (checked.has(options)) return;
  checkServerOptions(options);
  checked.add(options);
}

/** The options of the socket that were given: `node:tls` takes undefined for a value. */
function given(options: AcceptTlsOptions): SocketOptions {
  const { ALPNProtocols, rejectUnauthorized = true, requestCert = false, SNICallback } = options;
  const own: SocketOptions = { rejectUnauthorized, requestCert };
  if (ALPNProtocols !== undefined) own.ALPNProtocols = ALPNProtocols;
  if (SNICallback !== undefined) own.SNICallback = guarded(SNICallback);
  return own;
}

/** What an application's callback throws ends its connection, not the process: the name is of the client's choosing. */
function guarded(callback: NonNullable<AcceptTlsOptions["SNICallback"]>): typeof callback {
  if (typeof callback !== "function") return callback;
  return (name, done) => {
    try {
      callback(name, done);
    } catch (error) {
      done(error as Error);
    }
  };
}

function contextOf(options: AcceptTlsOptions): SecureContext {
  if (options.secureContext !== undefined) return options.secureContext;
  const known = contexts.get(options);
  if (known !== undefined) return known;
  const context = serverContext(options);
  contexts.set(options, context);
  return context;
}

function nameOfClient(peer: Peer | undefined): string {
  if (peer?.address === undefined) return unnamedClient;
  return nameOf({ host: peer.address, port: peer.port });
}
