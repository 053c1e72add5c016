import { FlatBuffer, PrefixedStream, type ByteStream } from "../core/index.ts";
import { invalidArgument, show } from "../core/internal.ts";
import { acceptProxy, acceptTls, detectTls, type AcceptTlsOptions } from "../net/index.ts";
import { checkTlsServerOptions, serverContext, whyNoContext } from "../net/internal.ts";
import type { ServeOptions } from "./options.ts";

/** The steps between a connection and its first request: the PROXY protocol, detecting TLS, TLS. */
export class Opening {
  readonly #proxyProtocol: boolean | "optional";
  readonly #plain: boolean;
  #tls: AcceptTlsOptions | undefined;

  /** Throws `core.invalid_argument` for invalid options. */
  constructor({ tls, plain = false, proxyProtocol = false }: Pick<ServeOptions, "tls" | "plain" | "proxyProtocol">) {
    if (typeof plain !== "boolean") throw invalidArgument("plain must be true or false");
    if (plain && tls === undefined)
      throw invalidArgument("The option plain needs the option tls: without that, all connections are plain");
    if (typeof proxyProtocol !== "boolean" && proxyProtocol !== "optional") {
      throw invalidArgument(`proxyProtocol must be true, false or "optional", not ${show(proxyProtocol)}`);
    }
    this.#plain = plain;
    this.#proxyProtocol = proxyProtocol;
    if (tls !== undefined) this.#tls = withContext(tls);
  }

  get hasTls(): boolean {
    return this.#tls !== undefined;
  }

  /** Whether the client is known only after the opening. */
  get namesClient(): boolean {
    return this.#proxyProtocol !== false;
  }

  /** Whether there is any step before the first request. */
  get isNeeded(): boolean {
    return this.hasTls || this.#proxyProtocol !== false;
  }

  /** Applies to connections from now on. Throws `core.invalid_argument`; then nothing has changed. */
  setSecureContext(tls: AcceptTlsOptions): void {
    if (!this.hasTls) throw invalidArgument("This server has no TLS: it was started without the option tls");
    this.#tls = withContext(tls);
  }

  /** Opens a connection; fulfils with the stream for its requests. If it rejects, the stream is closed. */
  async open(stream: ByteStream, signal: AbortSignal): Promise<ByteStream> {
    let next = stream;
    if (this.#proxyProtocol !== false) {
      next = await acceptProxy(next, { required: this.#proxyProtocol === true, signal });
    }
    if (this.#tls === undefined) return next;
    if (this.#plain) {
      const buffer = new FlatBuffer();
      const isTls = await detectTls(next, buffer, { signal });
      next = new PrefixedStream(next, buffer.data());
      if (!isTls) return next;
    }
    return acceptTls(next, { ...this.#tls, signal });
  }
}

/** What is spoken here (RFC 7301): a client that offers only other protocols is refused. */
const protocols: readonly string[] = ["http/1.1"];

/** The options with the context made from them: once, and at the start, so that invalid ones are reported then. */
function withContext(tls: AcceptTlsOptions): AcceptTlsOptions {
  checkTlsServerOptions(tls, "tls");
  const { ALPNCallback, ALPNProtocols = ALPNCallback === undefined ? [...protocols] : undefined } = tls;
  if (tls.secureContext !== undefined) return { ...tls, ALPNProtocols };
  try {
    return { ...tls, ALPNProtocols, secureContext: serverContext(tls) };
  } catch (cause) {
    throw invalidArgument(`TLS can't start with these options: ${whyNoContext(cause, tls)}`);
  }
}
