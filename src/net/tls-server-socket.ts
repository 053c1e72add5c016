// Node's TLSSocket in the server's role over one of our streams. tls.Server does not fit: it does not say which of its
// connections belongs to which stream, and makes its own context. Some of its work is not part of TLSSocket's
// documented interface and is done here, in this file only. If Node changed that, handshakes would fail; no certificate
// would be accepted unchecked.
import type { Duplex } from "node:stream";
import { TLSSocket, type TLSSocketOptions } from "node:tls";

/** The members of TLSSocket that its types lack. */
interface Internals {
  on(event: "_tlsError", listener: (error: Error) => void): unknown;
  /** From now on, failures are `'error'` events instead of `'_tlsError'`. */
  _releaseControl(): unknown;
  readonly _handle?: { verifyError?(): (Error & { code?: string }) | null } | null;
}

/** The outcome of a handshake. At most one of the three is called, once. */
export interface HandshakeOutcome {
  secured(): void;
  failed(cause: unknown): void;
  /** The client's certificate was requested and is not accepted; `why` is OpenSSL's error. */
  unauthorized(why: string): void;
}

/** Starts the handshake as the server over a duplex. Throws if `node:tls` refuses the options. */
export function shakeHandsAsServer(duplex: Duplex, options: TLSSocketOptions, outcome: HandshakeOutcome): TLSSocket {
  const socket = new TLSSocket(duplex, { ...options, isServer: true });
  const internals = socket as unknown as Internals;
  let done = false;
  const failed = (cause: unknown): void => {
    if (done) return;
    done = true;
    outcome.failed(cause);
  };
  const ended = (): void => failed(Object.assign(new Error("The client has ended"), { code: "ECONNRESET" }));
  internals.on("_tlsError", failed);
  socket.on("end", ended);
  socket.on("close", ended);
  socket.once("secure", () => {
    if (done) return;
    if (options.requestCert === true) {
      const why = refusal(internals);
      socket.authorized = why === undefined;
      if (why !== undefined) (socket as { authorizationError: unknown }).authorizationError = why;
      if (why !== undefined && options.rejectUnauthorized !== false) {
        done = true;
        outcome.unauthorized(why);
        return;
      }
    }
    done = true;
    socket.off("end", ended);
    socket.off("close", ended);
    internals._releaseControl();
    outcome.secured();
  });
  return socket;
}

/** OpenSSL's error for the client's certificate; undefined if it is accepted. */
function refusal({ _handle: handle }: Internals): string | undefined {
  if (typeof handle?.verifyError !== "function") return "UNABLE_TO_VERIFY";
  const error = handle.verifyError();
  return error == null ? undefined : (error.code ?? error.message);
}
