import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { checkOptions, decodeLatin1, invalidArgument, optionSet } from "../core/internal.ts";

/** The options of both roles that hold PEM and are checked here. */
interface Certificates {
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
  checkCertificates(options);
}

/** Checks a server's options. */
export function checkServerOptions(
  options: Certificates & { readonly secureContext?: unknown; readonly SNICallback?: unknown },
  taker = "acceptTls",
): void {
  checkOptions(ofServer, options, taker);
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
