import assert from "node:assert/strict";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { TlsStream, toDuplex } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";

/** A socket that says of itself what Node's may say. */
function saying(facts: object): TLSSocket {
  const duplex = toDuplex(pair()[0]);
  const methods = { getProtocol: () => null, getCipher: () => null, getPeerX509Certificate: () => undefined };
  return Object.assign(duplex, methods, facts) as unknown as TLSSocket;
}

test("what is missing is undefined, whatever value Node has for it", () => {
  for (const none of [undefined, null, false]) {
    const facts = { alpnProtocol: none, servername: none, authorized: false, authorizationError: undefined };
    const stream = new TlsStream(saying(facts), pair()[0]);
    assert.equal(stream.alpnProtocol, undefined);
    assert.equal(stream.servername, undefined);
    assert.equal(stream.protocol, undefined);
    assert.equal(stream.cipher, undefined);
    assert.equal(stream.authorizationError, undefined);
    assert.equal(stream.peerCertificate, undefined);
    stream.close();
  }
});

test("a certificate's error is a string, whether Node has a string or an error", () => {
  for (const authorizationError of ["WORD", Object.assign(new Error("text"), { code: "WORD" }), new Error("WORD")]) {
    const stream = new TlsStream(saying({ authorized: false, authorizationError }), pair()[0]);
    assert.equal(stream.authorizationError, "WORD");
    stream.close();
  }
});
