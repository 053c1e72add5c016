/** The steps of opening a WebSocket, in their order. */
export type StepName = "dns" | "tcp" | "proxy" | "tls" | "handshake" | "ping" | "close";

/** What was found out about an opening. Times are in milliseconds; a step that was not reached, or not needed, is missing. */
export interface Inspection {
  /** The URL, without its password. */
  readonly url: string;
  /** Whether a WebSocket was open. */
  opened: boolean;
  /** What it comes to, and what to do about it. */
  verdict: string;
  /** The lookup of the host's name, or the proxy's. */
  dns?: { readonly ms: number; readonly host: string; readonly addresses: readonly string[] };
  tcp?: {
    readonly ms: number;
    /** Where the connection is to, `address:port` or the path of a Unix socket. */
    readonly address: string;
    /** The addresses before it, that did not answer. */
    readonly failed: readonly FailedAddress[];
  };
  proxy?: { readonly ms: number; readonly url: string } & Exchange;
  tls?: TlsFindings;
  handshake?: { readonly ms: number; protocol: string; extensions: string } & Exchange;
  ping?: { readonly times: readonly number[]; readonly min: number; readonly median: number; readonly max: number };
  close?: { readonly ms: number; readonly code: number; readonly reason: string; readonly clean: boolean };
  /** How many messages the server sent of its own accord meanwhile. */
  messages?: number;
  failure?: Failure;
}

export interface FailedAddress {
  readonly address: string;
  readonly ms: number;
  readonly message: string;
}

/** What went over the wire, each byte as the character of that code. */
export interface Exchange {
  readonly request: string;
  readonly response: string;
}

export interface TlsFindings {
  readonly ms: number;
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  readonly alpn: string | undefined;
  /** Whether the certificate is one for this host, of an authority that is known. */
  readonly trusted: boolean;
  /** OpenSSL's word for why not. */
  readonly reason: string | undefined;
  readonly certificate:
    | {
        readonly subject: string;
        readonly issuer: string;
        readonly names: string;
        readonly validFrom: string;
        readonly validTo: string;
      }
    | undefined;
}

/** The step that failed, and why. */
export interface Failure {
  readonly step: StepName;
  readonly ms: number;
  readonly code: string;
  readonly message: string;
  /** What an HTTP server, or the proxy, answered in the place of a WebSocket's handshake. */
  readonly response?: {
    readonly status: number;
    readonly reason: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** Of a plain connection that went wrong: whether the port speaks TLS. */
  readonly speaksTls?: boolean;
}
