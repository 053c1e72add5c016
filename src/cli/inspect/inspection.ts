/** The steps of opening a WebSocket, in their order. */
export type StepName = "dns" | "tcp" | "proxy" | "tls" | "handshake" | "ping" | "close";

/** What an inspection found. Times are in milliseconds; a step that was not reached or not needed is missing. */
export interface Inspection {
  /** The URL, without its password. */
  readonly url: string;
  /** Whether the WebSocket opened. */
  opened: boolean;
  /** The conclusion, and what to do about it. */
  verdict: string;
  /** The lookup of the host's or the proxy's name. */
  dns?: { readonly ms: number; readonly host: string; readonly addresses: readonly string[] };
  tcp?: {
    readonly ms: number;
    /** The address connected to: `address:port`, or the path of a Unix socket. */
    readonly address: string;
    /** The addresses tried before that did not answer. */
    readonly failed: readonly FailedAddress[];
  };
  proxy?: { readonly ms: number; readonly url: string } & Exchange;
  tls?: TlsFindings;
  handshake?: { readonly ms: number; protocol: string; extensions: string } & Exchange;
  ping?: { readonly times: readonly number[]; readonly min: number; readonly median: number; readonly max: number };
  close?: { readonly ms: number; readonly code: number; readonly reason: string; readonly clean: boolean };
  /** How many messages the server sent meanwhile. */
  messages?: number;
  failure?: Failure;
}

export interface FailedAddress {
  readonly address: string;
  readonly ms: number;
  readonly message: string;
}

/** The bytes exchanged, one character for each byte (Latin-1). */
export interface Exchange {
  readonly request: string;
  readonly response: string;
}

export interface TlsFindings {
  readonly ms: number;
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  readonly alpn: string | undefined;
  /** Whether the certificate is valid for this host and of a known authority. */
  readonly trusted: boolean;
  /** OpenSSL's error if it is not. */
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
  /** The HTTP response of the server or proxy that refused the handshake. */
  readonly response?: {
    readonly status: number;
    readonly reason: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** After a failure without TLS: whether the port speaks TLS. */
  readonly speaksTls?: boolean;
}
