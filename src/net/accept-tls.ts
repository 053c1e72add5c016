import type { SecureContext, TlsOptions, TLSSocket } from "node:tls";
import { abortError, coreError, type ByteStream, type Peer, type ServalError } from "../core/index.ts";
import {
  checkByteStream,
  checkSignal,
  handled,
  invalidArgument,
  offAbort,
  onAbort,
  runReported,
  show,
} from "../core/internal.ts";
import { nameOf } from "./address.ts";
import { acceptTlsError, clientCertificateError, unnamedClient } from "./errors.ts";
import { isSocketStream, release } from "./sockets/socket-stream.ts";
import { checkServerOptions, serverContext, whyNoContext } from "./tls-options.ts";
import { shakeHandsAsServer } from "./tls-server-socket.ts";
import { TlsStream } from "./tls-stream.ts";
import { toDuplex } from "./to-duplex.ts";

/** Options of a TLS server: the options of `node:tls` about identity and encryption. */
export interface AcceptTlsOptions extends Pick<
  TlsOptions,
  | "ALPNCallback"
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
   * A context of `tls.createSecureContext`, instead of the options that make one. With `requestCert` it needs a
   * `sessionIdContext`, or clients that resume a session are refused.
   */
  secureContext?: SecureContext | undefined;
  /** Aborts the handshake and closes the stream below; it has no effect after the handshake. */
  signal?: AbortSignal | undefined;
}

/** Options of the socket rather than of the context. */
type SocketOptions = Pick<
  AcceptTlsOptions,
  "ALPNCallback" | "ALPNProtocols" | "rejectUnauthorized" | "requestCert" | "SNICallback"
>;

/** One context for each options object, since making one takes longer than a handshake. */
const contexts = new WeakMap<AcceptTlsOptions, SecureContext>();

/**
 * Performs the TLS handshake as the server over a connected stream. It needs a certificate with its key: `cert` and
 * `key`, `pfx`, or a `secureContext`. `requestCert` asks the client for a certificate, which must be signed by an
 * authority in `ca`; with `rejectUnauthorized: false` it need not be, and `authorized` says whether it is. If the
 * handshake fails, the stream below is closed. There is no deadline: pass a signal for one.
 *
 * The application protocol (ALPN, RFC 7301) is the first of `ALPNProtocols` that the client offers, or what
 * `ALPNCallback` returns of the offers; a client that offers only others is refused with the alert
 * `no_application_protocol`, one that offers none is accepted. Without either, none is negotiated.
 *
 * Pass the same options object, or the same `secureContext`, for all connections: making a context is slow and is done
 * once for each. Later changes to the options object have no effect.
 *
 * Rejects with `net.bad_certificate` if the client's certificate is missing or not accepted, `net.tls_failed` for every
 * other failure of the handshake, `core.connection_reset`, the error of the stream below, `core.invalid_argument` for
 * invalid options, and `core.aborted`. The cause is Node's error.
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
    // A socket from which nothing was read is given to Node directly, which saves a third of the work.
    const duplex = (isSocketStream(nextLayer) ? nextLayer[release]() : undefined) ?? toDuplex(nextLayer);
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
      // Destroyed here and without an error: `fail` would destroy it with one, and the half-made socket has no listener
      // for it.
      duplex.destroy();
      const message = `TLS can't start with these options: ${whyNoContext(cause, options ?? {})}`;
      fail(coreError("core.invalid_argument", { cause, message }));
      return;
    }
    if (signal !== undefined) onAbort(signal, abort);
  });
}

/** Options already checked, so that the check runs once, like the making of a context. */
const checked = new WeakSet<AcceptTlsOptions>();

function checkOnce(options: AcceptTlsOptions): void {
  if (checked.has(options)) return;
  checkServerOptions(options);
  checked.add(options);
}

/** The socket options that are set: `node:tls` would take undefined for a value. */
function given(options: AcceptTlsOptions): SocketOptions {
  const { ALPNCallback, ALPNProtocols, rejectUnauthorized = true, requestCert = false, SNICallback } = options;
  const own: SocketOptions = { rejectUnauthorized, requestCert };
  if (ALPNCallback !== undefined) own.ALPNCallback = guardedChoice(ALPNCallback);
  if (ALPNProtocols !== undefined) own.ALPNProtocols = ALPNProtocols;
  if (SNICallback !== undefined) own.SNICallback = guarded(SNICallback);
  return own;
}

/**
 * Passes an exception of the callback on as its error: the client chose the name, so it could otherwise end the
 * process.
 */
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

/**
 * Reports an exception of the callback, and a protocol that was not offered, and refuses the client: Node.js would end
 * the process, by what a client has offered.
 */
function guardedChoice(callback: NonNullable<AcceptTlsOptions["ALPNCallback"]>): typeof callback {
  if (typeof callback !== "function") return callback;
  return (offer) => {
    let chosen: string | undefined;
    runReported(() => {
      const choice = callback(offer);
      if (choice === undefined || offer.protocols.includes(choice)) chosen = choice;
      else
        throw invalidArgument(
          `ALPNCallback must return a protocol that the client offers, or undefined, not ${show(choice)}`,
        );
    });
    return chosen;
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
