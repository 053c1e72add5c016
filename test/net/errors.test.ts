import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptTlsError,
  badProxyHeader,
  clientCertificateError,
  connectError,
  listenError,
  netErrors,
  tlsError,
} from "../../src/net/errors.ts";

const cause = (code: string): Error => Object.assign(new Error(`it was ${code}`), { code });

test("all codes belong to this module and have a message", () => {
  for (const [code, [, message]] of Object.entries(netErrors)) {
    assert.match(code, /^net\.[a-z_]+$/);
    assert.match(message, /^[A-Z].*[a-z]$/);
  }
});

for (const [from, errno, code] of [
  [listenError, "EADDRINUSE", "net.address_in_use"],
  [listenError, "EACCES", "net.access_denied"],
  [listenError, "EADDRNOTAVAIL", "net.bad_address"],
  [listenError, "ERR_SOCKET_BAD_PORT", "net.bad_address"],
  [listenError, "EMFILE", "core.transport"],
  [connectError, "ECONNREFUSED", "net.connection_refused"],
  [connectError, "ENOENT", "net.connection_refused"],
  [connectError, "ENOTDIR", "net.connection_refused"],
  [connectError, "EAI_AGAIN", "net.host_not_found"],
  [connectError, "ENOTFOUND", "net.host_not_found"],
  [connectError, "EACCES", "net.access_denied"],
  [connectError, "ETIMEDOUT", "core.timeout"],
  [connectError, "ERR_SOCKET_BAD_PORT", "core.invalid_argument"],
  [connectError, "ECONNRESET", "core.connection_reset"],
  [connectError, "EMFILE", "core.transport"],
] as const) {
  test(`${from.name}: ${errno} is ${code}, and keeps its cause`, () => {
    const original = cause(errno);
    const error = from(original, "h:1");
    assert.equal(error.code, code);
    assert.equal(error.cause, original);
    if (code !== "core.connection_reset") assert.match(error.message, /h:1/);
  });
}

for (const [from, errno, advice] of [
  [listenError, "EADDRNOTAVAIL", "host must be an address or name of this machine"],
  [listenError, "ENOTFOUND", "the name has no address: check its spelling"],
  [listenError, "EAI_AGAIN", "the name servers did not answer"],
  [connectError, "ENOTFOUND", "the name has no address: check its spelling"],
  [connectError, "EAI_AGAIN", "the name servers did not answer"],
  [connectError, "EADDRNOTAVAIL", "this machine has no address, or no free port, to connect from"],
  [connectError, "EHOSTUNREACH", "no route leads from this machine to that address"],
] as const) {
  test(`${from.name}: ${errno} says what to do`, () => {
    assert.ok(from(cause(errno), "h:1").message.includes(`h:1: it was ${errno} (${advice}`));
  });
}

test("if several addresses failed, the first one's error is reported", () => {
  const both = Object.assign(new AggregateError([cause("ECONNREFUSED"), cause("EHOSTUNREACH")]), {
    code: "ECONNREFUSED",
  });
  assert.match(connectError(both, "h:1").message, /it was ECONNREFUSED/);
});

test("a value that is not an error is reported too", () => {
  assert.match(listenError("text", "h:1").message, /h:1: text/);
});

for (const [code, reason, expected, advice] of [
  ["ERR_SSL_HTTP_REQUEST", "http request", "net.tls_failed", /http request .*https: or wss:/],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number", "net.tls_failed", /not to speak TLS/],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "tlsv1 alert unknown ca", "net.tls_failed", /does not accept the certificate/],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "bad certificate", "net.tls_failed", /does not accept the certificate/],
  ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "internal error", "net.tls_failed", /reported by the client/],
  ["ERR_SSL_SOMETHING_NEW", "something new", "net.tls_failed", /failed: something new$/],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "", "net.bad_certificate", /sent no certificate/],
  ["ECONNRESET", undefined, "core.connection_reset", /ended the connection inside/],
  ["EPIPE", undefined, "core.connection_reset", /ended the connection inside/],
  [undefined, undefined, "net.tls_failed", /failed: it was undefined$/],
] as const) {
  test(`acceptTlsError: ${code} is ${expected}, keeps its cause, and says what to do`, () => {
    const original = Object.assign(new Error(`it was ${code}`), { code, reason });
    const error = acceptTlsError(original, "h:1");
    assert.equal(error.code, expected);
    assert.equal(error.cause, original);
    assert.match(error.message, advice);
    assert.match(error.message, /h:1/);
  });
}

test("an error of ours from the stream below is kept", () => {
  const error = badProxyHeader("it is odd");
  assert.equal(error.code, "net.bad_proxy_header");
  assert.equal(acceptTlsError(error, "h:1"), error);
});

test("a certificate that is not accepted comes with OpenSSL's error", () => {
  const error = clientCertificateError("CERT_HAS_EXPIRED", "h:1");
  assert.equal(error.code, "net.bad_certificate");
  assert.match(error.message, /h:1 is not accepted: CERT_HAS_EXPIRED/);
});

test("the advice for a server's certificate of an unknown authority is the option ca", () => {
  const tell = (code: string): string => tlsError(cause(code), "h:1", true).message;
  assert.match(tell("DEPTH_ZERO_SELF_SIGNED_CERT"), /pass it as ca\)$/);
  assert.match(tell("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /pass that authority's certificate as ca\)$/);
  assert.match(tell("CERT_HAS_EXPIRED"), /: it was CERT_HAS_EXPIRED$/);
});

test("the error of a server without TLS is one line, without a place in OpenSSL's source", () => {
  const dump = "80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:350:\n";
  const original = Object.assign(new Error(dump), {
    code: "ERR_SSL_WRONG_VERSION_NUMBER",
    reason: "wrong version number",
  });
  assert.equal(tlsError(original, "h:1", false).message, "h:1 does not speak TLS on this port");
  const other = Object.assign(new Error(dump), { code: "ERR_SSL_OTHER", reason: "something new" });
  assert.equal(tlsError(other, "h:1", false).message, "The TLS handshake with h:1 failed: something new");
  assert.doesNotMatch(tlsError(new Error(dump), "h:1", false).message, /\n/);
});
