import assert from "node:assert/strict";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { acceptTls, startTls, TlsStream, toDuplex } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";
import { read } from "../core/support/stream-operations.ts";
import { localhost } from "../support/localhost.ts";
import { transports } from "../support/transports.ts";

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

for (const transport of ["a pair in memory", "handles", "sockets"]) {
  for (const verb of ["reset", "close"] as const) {
    test(`a stream may ${verb} as soon as its handshake is complete, over ${transport}`, async () => {
      // OpenSSL is still at work there, and would go on with memory that is free.
      const [server, client] = await transports[transport]!();
      const accepting = acceptTls(server, localhost).then((stream) => {
        stream[verb]();
        return read(stream);
      });
      // Its handshake, or what it reads after that.
      const connecting = startTls(client, "localhost", { ca: localhost.cert }).then(async (stream) => {
        await read(stream).finally(() => stream.close());
      });
      await assert.rejects(accepting, { code: "core.aborted" });
      await connecting.catch((error: { code: string }) =>
        assert.match(error.code, /^core\.connection_reset|^net\.tls_failed/),
      );
    });
  }
}
