import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ByteStream, Peer } from "../core/index.ts";
import { DuplexStream } from "../core/internal.ts";
import { connectedTo } from "./address.ts";

/** A {@link ByteStream} over either side of a TLS connection. It comes from `connectTls`, `startTls` or `acceptTls`. */
export class TlsStream extends DuplexStream implements ByteStream {
  /** The layer below, where that is a {@link ByteStream}. */
  readonly nextLayer?: ByteStream;
  /** The application protocol that was agreed on (RFC 7301), such as `http/1.1`; undefined if none was. */
  readonly alpnProtocol: string | undefined;
  /** The name that the client asked for (SNI, RFC 6066 section 3); undefined if it gave none. */
  readonly servername: string | undefined;
  /** The version of TLS, such as `TLSv1.3`. */
  readonly protocol: string | undefined;
  /** Whether the other side has a certificate that is accepted. On a server only where `requestCert` asked for one. */
  readonly authorized: boolean;
  /** OpenSSL's word for why the other side is not {@link authorized}, where its certificate was asked for and looked at. */
  readonly authorizationError: string | undefined;
  readonly #socket: TLSSocket;
  readonly #peer: Peer | undefined;

  /** @internal Use the functions named above. */
  constructor(socket: TLSSocket, nextLayer: ByteStream | undefined) {
    // It keeps no chunk beyond its callback: by then all is encrypted.
    super(socket, { socket: true });
    this.#socket = socket;
    if (nextLayer !== undefined) this.nextLayer = nextLayer;
    // Asked now, since a socket that is gone knows nothing any more. What there is not has many names in Node.
    this.alpnProtocol = socket.alpnProtocol || undefined;
    this.servername = (socket as { servername?: string | false | null }).servername || undefined;
    this.protocol = socket.getProtocol() ?? undefined;
    this.authorized = socket.authorized;
    this.authorizationError = wordOf(socket.authorizationError);
    this.#peer = nextLayer === undefined ? connectedTo(socket) : nextLayer.peer;
  }

  /** Where the other side is, as far as it was known when the connection was made. */
  override get peer(): Peer | undefined {
    return this.#peer;
  }

  /** The cipher suite, by its name in the RFCs, such as `TLS_AES_256_GCM_SHA384`; undefined once the stream is closed. */
  get cipher(): string | undefined {
    // Of a socket that is gone, null or empty, whatever Node's types say.
    return (this.#socket.getCipher() as { standardName?: string } | null | undefined)?.standardName;
  }

  /** The other side's certificate; undefined if it has sent none, and once the stream is closed. */
  get peerCertificate(): X509Certificate | undefined {
    return this.#socket.getPeerX509Certificate();
  }
}

/** Node has it as a word or as an error, whatever its types say. */
function wordOf(error: unknown): string | undefined {
  if (error == null) return undefined;
  return error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error);
}
