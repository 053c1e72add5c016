import { coreError, defineErrors, ServalError, type ErrorFactory } from "../core/index.ts";

/** The codes of the module `net`. */
export const netErrors = {
  "net.access_denied": ["transport", "The operating system does not allow the use of this address"],
  "net.address_in_use": ["transport", "Another server listens on this address"],
  "net.bad_address": ["misuse", "This machine has no such address to listen on"],
  "net.bad_certificate": ["handshake_failed", "The other side's certificate is not accepted"],
  "net.bad_proxy_header": ["protocol_violation", "The header of the PROXY protocol is malformed"],
  "net.connection_refused": ["transport", "Nobody listens on this address"],
  "net.host_not_found": ["transport", "The host's name has no address"],
  "net.no_proxy_header": ["protocol_violation", "The connection does not begin with a header of the PROXY protocol"],
  "net.proxy_header_limit": ["limit", "The header of the PROXY protocol is longer than allowed"],
  "net.tls_failed": ["handshake_failed", "The TLS handshake failed"],
} as const;

/** Makes an error of the module `net`. */
export const netError: ErrorFactory<keyof typeof netErrors> = defineErrors(netErrors);

/** Why listening failed, in terms of what the caller can do about it. `name` is the address in words. */
export function listenError(cause: unknown, name: string): ServalError {
  switch (errno(cause)) {
    case "EADDRINUSE":
      return netError("net.address_in_use", {
        cause,
        message: `Cannot listen on ${name}: another server does already. Stop that one, or choose another address`,
      });
    case "EACCES":
    case "EPERM":
      return netError("net.access_denied", {
        cause,
        message: `Cannot listen on ${name}: the operating system does not allow it. Ports below 1024 take a privilege, and the path of a Unix socket a folder that may be written to`,
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
      return netError("net.bad_address", { cause, message: `Cannot listen on ${name}: ${words(cause)}` });
    default:
      return coreError("core.transport", { cause, message: `Cannot listen on ${name}: ${words(cause)}` });
  }
}

/** Why connecting failed. `name` is the address in words. */
export function connectError(cause: unknown, name: string): ServalError {
  const message = `Cannot connect to ${name}: ${words(cause)}`;
  switch (errno(cause)) {
    case "ECONNREFUSED":
    // A Unix socket's path that nobody has made is as good as refused.
    case "ENOENT":
    case "ENOTSOCK":
      return netError("net.connection_refused", { cause, message: `${message} (nobody listens there)` });
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
      return netError("net.host_not_found", { cause, message });
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
      return coreError("core.transport", { cause, message });
  }
}

/**
 * Why the TLS handshake failed, on a connection that stood. `name` is the server's address in words; `unauthorized` says
 * that it was for the server's certificate.
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

/** A client of unknown address, in words. */
export const unnamedClient = "the client";

/** Why the TLS handshake with a client failed. `name` is the client in words. */
export function acceptTlsError(cause: unknown, name: string): ServalError {
  if (cause instanceof ServalError) return cause;
  const code = errno(cause);
  if (code === "ECONNRESET" || code === "EPIPE") {
    const message = `${atStart(name)} ended the connection inside the TLS handshake`;
    return coreError("core.connection_reset", { cause, message });
  }
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return netError("net.bad_certificate", { cause, message: `${atStart(name)} has sent no certificate` });
  }
  const message = `The TLS handshake with ${name} failed: ${reason(cause)}${adviceFor(tlsAdvice, code)}`;
  return netError("net.tls_failed", { cause, message });
}

/** The client's certificate, which was asked for, is not accepted; `why` is OpenSSL's word for it. */
export function clientCertificateError(why: string, name: string): ServalError {
  const message = `The certificate of ${name} is not accepted: ${why} (the option ca says who may have signed it)`;
  return netError("net.bad_certificate", { message });
}

/** The error of a header of the PROXY protocol that breaks a rule: `what` says which. */
export function badProxyHeader(what: string): ServalError {
  return netError("net.bad_proxy_header", { message: `The header of the PROXY protocol is malformed: ${what}` });
}

type Advice = readonly (readonly [code: RegExp, advice: string])[];

function adviceFor(all: Advice, code: unknown): string {
  const advice = all.find(([pattern]) => pattern.test(String(code)))?.[1];
  return advice === undefined ? "" : ` (${advice})`;
}

/** What to do about a server's certificate, by Node's codes. */
const certificateAdvice: Advice = [
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, "if it is the one you expect, pass it as ca"],
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)/,
    "if you trust who signed it, pass that authority's certificate as ca",
  ],
];

/** What a client makes of a server's answer that is no TLS. */
const noTls = /WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG/;

/** What to do about OpenSSL's errors, by Node's codes. */
const tlsAdvice: Advice = [
  [/HTTP_REQUEST/, "it speaks HTTP without TLS: its URL must begin with https: or wss:, or detectTls take both"],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERT)/, "it does not accept the certificate"],
  [/ALERT/, "so the client says"],
  [/NO_SHARED_CIPHER|NO_SUITABLE_SIGNATURE/, "is there a cert with its key, of a kind that the client can use?"],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO/, "it speaks no version from minVersion to maxVersion"],
  [/NO_APPLICATION_PROTOCOL/, "it speaks none of ALPNProtocols"],
  [/WRONG_VERSION_NUMBER|UNEXPECTED_MESSAGE|UNKNOWN_PROTOCOL/, "it seems to speak no TLS"],
];

/** A name at the beginning of a sentence. */
function atStart(name: string): string {
  return name === unnamedClient ? "The client" : name;
}

/** OpenSSL's own words, where Node tells them apart from the place in its source. */
function reason(cause: unknown): string {
  const { reason } = (cause ?? {}) as { reason?: unknown };
  return typeof reason === "string" ? reason : words(cause);
}

function errno(cause: unknown): unknown {
  return (cause as { code?: unknown } | undefined)?.code;
}

/** Node's own sentence; of several addresses tried in vain, that of the first. */
function words(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return words(cause.errors[0]);
  // OpenSSL's sentences may end in a line break.
  return (cause instanceof Error ? cause.message : String(cause)).trim();
}
