import { coreError, defineErrors, ServalError, type ErrorFactory } from "../core/index.ts";

/** The codes of the module `net`. */
export const netErrors = {
  "net.access_denied": ["transport", "The operating system does not allow the use of this address"],
  "net.address_in_use": ["transport", "Another server listens on this address"],
  "net.bad_address": ["misuse", "This machine has no such address to listen on"],
  "net.bad_certificate": ["handshake_failed", "The other side's certificate is not accepted"],
  "net.bad_proxy_header": ["protocol_violation", "The header of the PROXY protocol is malformed"],
  "net.connection_refused": ["transport", "Nothing listens on this address"],
  "net.host_not_found": ["transport", "The host's name has no address"],
  "net.no_proxy_header": ["protocol_violation", "The connection does not begin with a header of the PROXY protocol"],
  "net.path_too_long": ["misuse", "The path of a Unix socket is longer than the operating system takes"],
  "net.proxy_header_limit": ["limit", "The header of the PROXY protocol is longer than allowed"],
  "net.tls_failed": ["handshake_failed", "The TLS handshake failed"],
} as const;

/** Makes an error of the module `net`. */
export const netError: ErrorFactory<keyof typeof netErrors> = defineErrors(netErrors);

/**
 * The error for a failure to listen, with what the caller can do about it. `name` is the address as text; `obstacle` is
 * what is wrong with the path of a Unix socket, if that is known.
 */
export function listenError(cause: unknown, name: string, obstacle?: string): ServalError {
  if (obstacle !== undefined)
    return netError("net.bad_address", { cause, message: `Cannot listen on ${name}: ${obstacle}` });
  switch (errno(cause)) {
    case "EADDRINUSE":
      return netError("net.address_in_use", {
        cause,
        message: `Cannot listen on ${name}: another server listens there. Stop it, or choose another address`,
      });
    case "EACCES":
    case "EPERM":
      return netError("net.access_denied", {
        cause,
        message: `Cannot listen on ${name}: the operating system does not allow it. Ports below 1024 need a privilege, and a Unix socket needs a folder that you may write to`,
      });
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "EINVAL":
    case "EISDIR":
    case "ENAMETOOLONG":
    case "ENOENT":
    case "ENOTDIR":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ERR_INVALID_ARG_TYPE":
    case "ERR_INVALID_ARG_VALUE":
    case "ERR_SOCKET_BAD_PORT":
      return netError("net.bad_address", {
        cause,
        message: `Cannot listen on ${name}: ${words(cause)}${adviceFor(listenAdvice, errno(cause))}`,
      });
    default:
      return coreError("core.transport", { cause, message: `Cannot listen on ${name}: ${words(cause)}` });
  }
}

/** The error for a failure to connect. `name` is the address as text. */
export function connectError(cause: unknown, name: string): ServalError {
  const message = `Cannot connect to ${name}: ${words(cause)}`;
  switch (errno(cause)) {
    case "ECONNREFUSED":
    // A Unix socket's path that does not exist, or is no socket, counts as refused.
    case "ENOENT":
    case "ENOTDIR":
    case "ENOTSOCK":
      return netError("net.connection_refused", { cause, message: `${message} (nothing listens there)` });
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
      return netError("net.host_not_found", { cause, message: message + adviceFor(nameAdvice, errno(cause)) });
    case "EACCES":
    case "EPERM":
      return netError("net.access_denied", { cause, message });
    case "ETIMEDOUT":
      return coreError("core.timeout", { cause, message });
    case "ERR_INVALID_ARG_TYPE":
    case "ERR_INVALID_ARG_VALUE":
    case "ERR_MISSING_ARGS":
    case "ERR_SOCKET_BAD_PORT":
      return coreError("core.invalid_argument", { cause, message });
    case "ECONNRESET":
      return coreError("core.connection_reset", { cause, message });
    default:
      return coreError("core.transport", { cause, message: message + adviceFor(routeAdvice, errno(cause)) });
  }
}

/**
 * The error for a failed TLS handshake on an established connection. `name` is the server's address as text;
 * `unauthorized`: the server's certificate is why.
 */
export function tlsError(cause: unknown, name: string, unauthorized: boolean): ServalError {
  if (cause instanceof ServalError) return cause;
  const code = errno(cause);
  if (unauthorized) {
    const advice = adviceFor(certificateAdvice, code);
    const message = `The certificate of ${name} is not accepted: ${words(cause)}${advice}`;
    return netError("net.bad_certificate", { cause, message });
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    return coreError("core.connection_reset", {
      cause,
      message: `${name} ended the connection inside the TLS handshake`,
    });
  }
  if (noTls.test(String(code))) {
    return netError("net.tls_failed", { cause, message: `${name} does not speak TLS on this port` });
  }
  return netError("net.tls_failed", { cause, message: `The TLS handshake with ${name} failed: ${reason(cause)}` });
}

/** The name of a client whose address is unknown. */
export const unnamedClient = "the client";

/** The error for a failed TLS handshake with a client. `name` is the client as text. */
export function acceptTlsError(cause: unknown, name: string): ServalError {
  if (cause instanceof ServalError) return cause;
  const code = errno(cause);
  if (code === "ECONNRESET" || code === "EPIPE") {
    const message = `${atStart(name)} ended the connection inside the TLS handshake`;
    return coreError("core.connection_reset", { cause, message });
  }
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return netError("net.bad_certificate", { cause, message: `${atStart(name)} sent no certificate` });
  }
  const message = `The TLS handshake with ${name} failed: ${reason(cause)}${adviceFor(tlsAdvice, code)}`;
  return netError("net.tls_failed", { cause, message });
}

/** The error for a client's certificate that was requested and is not accepted; `why` is OpenSSL's error. */
export function clientCertificateError(why: string, name: string): ServalError {
  const message = `The certificate of ${name} is not accepted: ${why} (the option ca lists the accepted authorities)`;
  return netError("net.bad_certificate", { message });
}

/** The error for a malformed header of the PROXY protocol; `what` names the broken rule. */
export function badProxyHeader(what: string): ServalError {
  return netError("net.bad_proxy_header", { message: `The header of the PROXY protocol is malformed: ${what}` });
}

type Advice = readonly (readonly [code: RegExp, advice: string])[];

function adviceFor(all: Advice, code: unknown): string {
  const advice = all.find(([pattern]) => pattern.test(String(code)))?.[1];
  return advice === undefined ? "" : ` (${advice})`;
}

/** What to do about the name of a host, by Node's error codes. */
const nameAdvice: Advice = [
  [/^EAI_AGAIN$/, "the name servers did not answer: try again later, or use an address"],
  [/^(ENOTFOUND|EAI_FAIL|EAI_NODATA)$/, "the name has no address: check its spelling, or use an address"],
];

/** What to do about the host to listen on, by Node's error codes. */
const listenAdvice: Advice = [
  [
    /^(EADDRNOTAVAIL|EAFNOSUPPORT)$/,
    "host must be an address or name of this machine, such as 127.0.0.1; without host, all its addresses are listened on",
  ],
  ...nameAdvice,
];

/** Why an address can't be reached, by Node's error codes. */
const routeAdvice: Advice = [
  [/^EADDRNOTAVAIL$/, "this machine has no address, or no free port, to connect from"],
  [/^(ENETUNREACH|EHOSTUNREACH)$/, "no route leads from this machine to that address"],
];

/** What to do about a server's certificate, by Node's error codes. */
const certificateAdvice: Advice = [
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, "if it is the one you expect, pass it as ca"],
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)/,
    "if you trust its authority, pass that authority's certificate as ca",
  ],
];

/** Errors of a client whose server answered without TLS. */
const noTls = /WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG/;

/** What OpenSSL's errors mean and what to do about them, by Node's error codes. */
const tlsAdvice: Advice = [
  [
    /HTTP_REQUEST/,
    "it speaks HTTP without TLS: its URL must begin with https: or wss:, or use detectTls to accept both",
  ],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERT)/, "it does not accept the certificate"],
  [/ALERT/, "reported by the client"],
  [/NO_SHARED_CIPHER|NO_SUITABLE_SIGNATURE/, "is there a cert with its key, of a type that the client supports?"],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO/, "it supports no version from minVersion to maxVersion"],
  [/NO_APPLICATION_PROTOCOL/, "it supports none of ALPNProtocols"],
  [/WRONG_VERSION_NUMBER|UNEXPECTED_MESSAGE|UNKNOWN_PROTOCOL/, "it seems not to speak TLS"],
];

/** A name at the beginning of a sentence. */
function atStart(name: string): string {
  return name === unnamedClient ? "The client" : name;
}

/** OpenSSL's message, without the place in its source if Node separates the two. */
function reason(cause: unknown): string {
  const { reason } = (cause ?? {}) as { reason?: unknown };
  return typeof reason === "string" ? reason : words(cause);
}

function errno(cause: unknown): unknown {
  return (cause as { code?: unknown } | undefined)?.code;
}

/** Node's message; if several addresses failed, that of the first. */
function words(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return words(cause.errors[0]);
  // OpenSSL's messages may end in a line break.
  return (cause instanceof Error ? cause.message : String(cause)).trim();
}
