import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkClientOptions, checkServerOptions, serverContext, whyNoContext } from "../../src/net/tls-options.ts";
import { localhost, renewed } from "../support/localhost.ts";

const { cert, key } = localhost;
const both = `${String(key)}${String(cert)}`;
const protocols = 'ALPNProtocols must be a list of names of 1 to 255 bytes, such as ["http/1.1"], not';
const advice = "pass the file's contents (readFileSync) instead of its path";

describe("the options of TLS", () => {
  for (const [name, options, message] of [
    ["paths", { cert: "cert.pem", key: "key.pem" }, `cert and key hold no PEM: ${advice}`],
    ["a path of one", { cert, key: "key.pem" }, `key holds no PEM: ${advice}`],
    ["a path of ca", { cert, key, ca: "ca.pem" }, `ca holds no PEM: ${advice}`],
    ["a path among others", { cert, key, ca: [cert, "ca.pem"] }, `ca holds no PEM: ${advice}`],
    ["bytes that are none", { cert, key, ca: Buffer.from("DER") }, `ca holds no PEM: ${advice}`],
    ["swapped", { cert: key, key: cert }, "cert holds no certificate, or key no private key: are they swapped?"],
    ["the key twice", { cert: key, key }, "cert holds no certificate, or key no private key: are they swapped?"],
    ["another kind as the key", { cert, key: "-----BEGIN X-----" }, "key holds no private key"],
    ["another kind as the certificate", { cert: "-----BEGIN X-----", key }, "cert holds no certificate"],
    ["a key as ca", { cert, key, ca: key }, "ca holds no certificate"],
    ["a protocol in place of a list", { cert, key, ALPNProtocols: "http/1.1" }, `${protocols} "http/1.1"`],
    ["a protocol that is no string", { cert, key, ALPNProtocols: [5] }, `${protocols} one with something else in it`],
    ["an empty protocol", { cert, key, ALPNProtocols: [""] }, `${protocols} one with something else in it`],
    [
      "protocols without lengths",
      { cert, key, ALPNProtocols: Buffer.from("http/1.1") },
      `${protocols} one with something else in it`,
    ],
    [
      "bytes of an empty protocol",
      { cert, key, ALPNProtocols: new Uint8Array(1) },
      `${protocols} one with something else in it`,
    ],
    ["a long protocol", { cert, key, ALPNProtocols: ["é".repeat(128)] }, `${protocols} one with something else in it`],
  ] as const) {
    it(`refuses ${name}`, () => {
      const error = { code: "core.invalid_argument", message };
      assert.throws(() => checkClientOptions("startTls", options), error);
      assert.throws(() => checkServerOptions(options), error);
    });
  }

  it("accepts valid options", () => {
    for (const options of [
      { cert, key },
      { cert, key, ca: undefined },
      { cert: Buffer.from(cert), key: Buffer.from(key), ca: [Buffer.from(cert)] },
      { cert: [cert], key: [{ pem: key, passphrase: "" }], ca: cert },
      { cert: both, key: both, ca: both },
      { pfx: Buffer.from("PKCS") },
      { cert, key, ALPNProtocols: ["é".repeat(127), "http/1.1"] },
      { cert, key, ALPNProtocols: [] },
      { cert, key, ALPNProtocols: Buffer.from("\x08http/1.1") },
    ]) {
      checkClientOptions("startTls", options);
      checkServerOptions(options);
    }
    checkClientOptions("connectTls", {});
    checkServerOptions({ SNICallback: () => {} });
    checkServerOptions({ secureContext: {} });
  });

  it("refuses a server without a certificate", () => {
    for (const options of [{}, { cert }, { key }, { ca: cert }]) {
      assert.throws(() => checkServerOptions(options), { message: /^a server needs a certificate: cert and key, pfx/ });
    }
  });
});

describe("what no context can be made of", () => {
  const cut = (pem: string): string => pem.slice(0, pem.lastIndexOf("-----END"));
  for (const [name, options, why] of [
    ["a key of another certificate", { cert, key: renewed.key }, /^cert and key do not belong together: /],
    [
      "a certificate that is cut off",
      { cert: cut(cert), key },
      /^cert can't be read: pass the whole file.*bad end line/,
    ],
    ["a key that is cut off", { cert, key: cut(key) }, /^key can't be read: pass the whole file.*passphrase$/],
    ["ciphers that do not exist", { cert, key, ciphers: "none" }, /no cipher match/],
  ] as const) {
    it(`${name} is named`, () => {
      assert.throws(
        () => serverContext(options),
        (cause) => why.test(whyNoContext(cause, options)),
      );
    });
  }
});
