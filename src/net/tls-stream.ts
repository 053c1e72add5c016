import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ByteStream, Peer, ServalError } from "../core/index.ts";
import { DuplexStream } from "../core/internal.ts";
import { isSocketStream } from "./sockets/socket-stream.ts";

/** A {@link ByteStream} over a TLS connection, in either role. Made by `connectTls`, `startTls` or `acceptTls`. */
export class TlsStream extends DuplexStream implements ByteStream {
  /** The layer below. */
  readonly nextLayer: ByteStream;
  /** The negotiated application protocol (ALPN, RFC 7301), such as `http/1.1`; undefined if there is none. */
  readonly alpnProtocol: string | undefined;
  /** The server name that the client sent (SNI, RFC 6066 section 3); undefined if it sent none. */
  readonly servername: string | undefined;
  /** The version of TLS, such as `TLSv1.3`. */
  readonly protocol: string | undefined;
  /** Whether the peer has a certificate that is accepted. On a server this needs `requestCert`. */
  readonly authorized: boolean;
  /** OpenSSL's error if the peer's certificate was requested but is not {@link authorized}. */
  readonly authorizationError: string | undefined;
  readonly #socket: TLSSocket;
  readonly #peer: Peer | undefined;

  /** @internal Use the functions named above. */
  constructor(socket: TLSSocket, nextLayer: ByteStream) {
    // TLSSocket keeps no reference to a chunk after its callback: by then all is encrypted.
    super(socket, { socket: true });
    this.#socket = socket;
    this.nextLayer = nextLayer;
    // Taken now, since a closed socket has lost them. Node has several values for "none".
    this.alpnProtocol = socket.alpnProtocol || undefined;
    this.servername = (socket as { servername?: string | false | null }).servername || undefined;
    this.protocol = socket.getProtocol() ?? undefined;
    this.authorized = socket.authorized;
    this.authorizationError = wordOf(socket.authorizationError);
    this.#peer = nextLayer.peer;
  }

  /** The peer's address, taken when the connection was made. */
  override get peer(): Peer | undefined {
    return this.#peer;
  }

  /** On the socket below, since TLS reports no failure of an empty write. @internal */
  override probe(handler: (error: ServalError | undefined) => void): void {
    if (isSocketStream(this.nextLayer) && !this.#socket.writableEnded) this.nextLayer.probe(handler);
    else super.probe(handler);
  }

  protected override destroy(reset: boolean): void {
    // First, so that this layer sends nothing; without `end` there is no close_notify anyway. After `end` the peer sees
    // an end, and libuv does not reset a socket that is being shut down.
    if (reset && !this.isShuttingDown) {
      this.nextLayer.reset();
      // Later, since the caller may be called by OpenSSL, at the end of the handshake. Over a socket that is gone Node.js
      // frees OpenSSL's memory at once, which ends the process.
      setImmediate(() => super.destroy(false));
    } else {
      super.destroy(false);
    }
  }

  /** The cipher suite, by its name in the RFCs, such as `TLS_AES_256_GCM_SHA384`; undefined once the stream is closed. */
  get cipher(): string | undefined {
    // A closed socket returns null or an empty object, contrary to Node's types.
    return (this.#socket.getCipher() as { standardName?: string } | null | undefined)?.standardName;
  }

  /** The peer's certificate; undefined if it sent none, or if the stream is closed. */
  get peerCertificate(): X509Certificate | undefined {
    return this.#socket.getPeerX509Certificate();
  }
}

/** Node has it as a string or an error, contrary to its types. */
function wordOf(error: unknown): string | undefined {
  if (error == null) return undefined;
  return error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error);
}
