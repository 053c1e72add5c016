// Node's TLSSocket in the server's role, over a stream of ours. tls.Server would do for sockets that it accepts itself,
// but it does not say which of its connections belongs to which stream, and makes a context of its own. What it does
// beyond the documented interface of TLSSocket has to be done here; this file alone knows of that. Were something of
// it missing one day, handshakes would fail; no certificate would pass that was not looked at.
import type { Duplex } from "node:stream";
import { TLSSocket, type TLSSocketOptions } from "node:tls";

/** What is used of a TLSSocket that its types don't have. */
interface Internals {
  on(event: "_tlsError", listener: (error: Error) => void): unknown;
  /** From now on failures are `'error'` events, no longer `'_tlsError'`. */
  _releaseControl(): unknown;
  readonly _handle?: { verifyError?(): (Error & { code?: string }) | null } | null;
}

/** What became of a handshake. At most one of the three runs, once. */
export interface HandshakeOutcome {
  secured(): void;
  failed(cause: unknown): void;
  /** The client's certificate was asked for, and is not accepted; OpenSSL's word for why. */
  unauthorized(why: string): void;
}

/** Starts the handshake as the server over a duplex. Throws for options that `node:tls` refuses. */
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

/** Why the client's certificate is not accepted, in OpenSSL's word; undefined where it is. */
function refusal({ _handle: handle }: Internals): string | undefined {
  if (typeof handle?.verifyError !== "function") return "UNABLE_TO_VERIFY";
  const error = handle.verifyError();
  return error == null ? undefined : (error.code ?? error.message);
}
