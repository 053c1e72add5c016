import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { checkOptions, decodeLatin1, invalidArgument, optionSet, show } from "../core/internal.ts";

/** The options of both roles whose values are checked here beyond their kind: those that hold PEM, and the protocols. */
interface Certificates {
  readonly ALPNProtocols?: unknown;
  readonly ca?: unknown;
  readonly cert?: unknown;
  readonly key?: unknown;
  readonly pfx?: unknown;
}

const common = "ALPNProtocols ca cert ciphers key maxVersion minVersion passphrase pfx rejectUnauthorized signal".split(
  " ",
);
const ofClient = optionSet("connectTls", [...common, "checkServerIdentity", "servername"], "{ ca }");
const ofServer = optionSet(
  "acceptTls",
  common.concat(
    "ALPNCallback crl dhparam ecdhCurve honorCipherOrder requestCert secureContext sigalgs SNICallback ticketKeys".split(
      " ",
    ),
  ),
  "{ cert, key }",
);

/** Checks a client's options. `taker` is the name of the function that they were passed to. */
export function checkClientOptions(taker: string, options: Certificates): void {
  checkOptions(ofClient, options, taker);
  checkTlsValues(options);
}

/** Checks the values of a client's options whose names were checked. */
export function checkTlsValues(options: Certificates): void {
  checkKinds(options);
  checkCertificates(options);
}

/** Checks a server's options. */
export function checkServerOptions(
  options: Certificates & { readonly secureContext?: unknown; readonly SNICallback?: unknown },
  taker = "acceptTls",
): void {
  checkOptions(ofServer, options, taker);
  checkKinds(options);
  if (options.secureContext !== undefined) return;
  const { cert, key, pfx, SNICallback } = options;
  if ((cert == null || key == null) && pfx == null && SNICallback == null) {
    throw invalidArgument("a server needs a certificate: cert and key, pfx, or a secureContext");
  }
  checkCertificates(options);
}

/** The context made from a server's options. It takes milliseconds, so one serves many connections. */
export function serverContext(options: SecureContextOptions): SecureContext {
  // As in tls.Server: a client's session is resumed only by a server with the same id.
  return createSecureContext({ honorCipherOrder: true, sessionIdContext: "serval", ...options });
}

/** What is wrong with options of which no context could be made: OpenSSL's words, which name none of them, or better ones. */
export function whyNoContext(cause: unknown, { cert, key, passphrase }: SecureContextOptions): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH")
    return "cert and key do not belong together: key must be the one that the certificate was made for";
  const damaged = `can't be read: pass the whole file, from BEGIN to END (OpenSSL says: ${message.trim()})`;
  if (cert != null && fails({ cert })) return `cert ${damaged}`;
  if (key != null && fails({ key, passphrase })) return `key ${damaged}; a key that is encrypted needs its passphrase`;
  return message;
}

function fails(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return false;
  } catch {
    return true;
  }
}

const kinds: Readonly<Record<string, readonly string[]>> = {
  boolean: ["rejectUnauthorized", "requestCert", "honorCipherOrder"],
  string: ["ciphers", "ecdhCurve", "maxVersion", "minVersion", "passphrase", "servername", "sigalgs"],
  function: ["ALPNCallback", "SNICallback", "checkServerIdentity"],
};

/** Refuses values of another kind, many of which `node:tls` ignores. For it, null counts as absent. */
function checkKinds(options: object): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const [kind, names] of Object.entries(kinds)) {
    const wrong = names.find((name) => given[name] != null && typeof given[name] !== kind);
    if (wrong !== undefined) throw invalidArgument(`${wrong} must be a ${kind}, not ${show(given[wrong])}`);
  }
  for (const name of ["ca", "cert", "key", "pfx"]) {
    const value = given[name];
    if (value == null || typeof value === "string" || ArrayBuffer.isView(value) || Array.isArray(value)) continue;
    if (typeof value === "object" && "pem" in value) continue;
    throw invalidArgument(`${name} must be the contents of a file, a string or bytes, not ${show(value)}`);
  }
  checkProtocols(given.ALPNProtocols);
}

/**
 * RFC 7301 section 3.1: each name has 1 to 255 bytes. Anything else would fail at each connection, and as bytes, the list
 * in the form of TLS, end the process.
 */
function checkProtocols(value: unknown): void {
  if (value == null || (Array.isArray(value) && value.every(isName)) || isNameList(value)) return;
  const what = typeof value === "object" ? "one with something else in it" : show(value);
  throw invalidArgument(`ALPNProtocols must be a list of names of 1 to 255 bytes, such as ["http/1.1"], not ${what}`);
}

function isName(protocol: unknown): boolean {
  if (typeof protocol !== "string") return false;
  const size = Buffer.byteLength(protocol);
  return size > 0 && size <= 255;
}

/** Whether a value is bytes: names, each after its length. */
function isNameList(value: unknown): boolean {
  if (!ArrayBuffer.isView(value)) return false;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === 0) return false;
    at += 1 + bytes[at]!;
  }
  return at === bytes.length;
}

const certificate = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** OpenSSL's messages for these are obscure ("no start line"), and an invalid `ca` is ignored silently. */
function checkCertificates({ ca, cert, key }: Certificates): void {
  const all = Object.entries({ ca, cert, key }).filter(([, value]) => value != null);
  const without = all.filter(([, value]) => !holds(value, /-----BEGIN /)).map(([name]) => name);
  if (without.length > 0) {
    const hold = without.length === 1 ? "holds" : "hold";
    throw invalidArgument(
      `${without.join(" and ")} ${hold} no PEM: pass the file's contents (readFileSync) instead of its path`,
    );
  }
  const isNoCertificate = cert != null && !holds(cert, certificate);
  const isNoKey = key != null && !holds(key, privateKey);
  if ((isNoCertificate && holds(cert, privateKey)) || (isNoKey && holds(key, certificate))) {
    throw invalidArgument("cert holds no certificate, or key no private key: are they swapped?");
  }
  if (isNoKey) throw invalidArgument("key holds no private key");
  if (isNoCertificate) throw invalidArgument("cert holds no certificate");
  if (ca != null && !holds(ca, certificate)) throw invalidArgument("ca holds no certificate");
}

/** Whether the value, or each value of a list, matches. Values of other types are left to `node:tls`. */
function holds(value: unknown, pattern: RegExp): boolean {
  if (Array.isArray(value)) return value.every((each) => holds(each, pattern));
  if (typeof value === "string") return pattern.test(value);
  if (value instanceof Uint8Array) return pattern.test(decodeLatin1(value, 0, value.length));
  const { pem } = (value ?? {}) as { pem?: unknown };
  return pem === undefined || holds(pem, pattern);
}
