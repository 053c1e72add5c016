import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import {
  createSecureContext,
  createServer as createTlsServer,
  TLSSocket,
  type TlsOptions as ServerOptions,
} from "node:tls";
import { fromDuplex, type ByteStream, type ServalError } from "../../src/core/index.ts";
import { connect, connectTls, startTls, toDuplex, type TlsOptions } from "../../src/net/index.ts";
import { isSocketStream } from "../../src/net/sockets/socket-stream.ts";
import { pair } from "../../src/testing/index.ts";
import { listening, type Listening } from "../support/listening.ts";
import { localhost } from "../support/localhost.ts";
import { failsWith } from "./support/fails-with.ts";
import { tlsSuite } from "./support/tls-suite.ts";
import { pattern, readExactly, turns, writeAll } from "../core/support/stream-operations.ts";

const trusting: TlsOptions = { ca: localhost.cert };

function echo(options: ServerOptions = {}): Promise<Listening> {
  const server = createTlsServer({ ...localhost, ...options }, (socket) => socket.pipe(socket));
  server.on("tlsClientError", () => {});
  return listening(server);
}

/** A TLS server at the other end of a pair. */
function serverOver(stream: ByteStream): TLSSocket {
  const socket = new TLSSocket(toDuplex(stream), { isServer: true, secureContext: createSecureContext(localhost) });
  socket.on("error", () => {});
  return socket;
}

describe("connectTls", () => {
  it("connects by name and by address, and sends only names to the server", async () => {
    const names: unknown[] = [];
    await using place = await echo({ ALPNProtocols: ["http/1.1"] });
    place.server.on("secureConnection", (socket: TLSSocket) => names.push(socket.servername));
    for (const host of ["localhost", "127.0.0.1"]) {
      const stream = await connectTls(
        { host, port: place.port, family: 4 },
        { ...trusting, ALPNProtocols: ["http/1.1"] },
      );
      const sent = pattern(200_000);
      const [received] = await Promise.all([readExactly(stream, sent.length), writeAll(stream, sent)]);
      assert.ok(received.equals(sent));
      assert.equal(stream.alpnProtocol, "http/1.1");
      assert.match(stream.cipher!, /^TLS_[A-Z0-9_]+$/);
      assert.deepEqual(stream.peer, { address: "127.0.0.1", port: place.port, family: "IPv4" });
      assert.ok(isSocketStream(stream.nextLayer));
      stream.close();
    }
    assert.deepEqual(names, ["localhost", false]);
  });

  it("negotiates no protocol if none was offered, and ignores undefined options", async () => {
    await using place = await echo();
    const options = { ...trusting, checkServerIdentity: undefined, rejectUnauthorized: undefined, ciphers: undefined };
    const stream = await connectTls({ port: place.port }, options);
    assert.equal(stream.alpnProtocol, undefined);
    stream.close();
  });

  it("accepts no certificate of an unknown authority, unless told to", async () => {
    await using place = await echo();
    await assert.rejects(connectTls({ port: place.port }), (error: ServalError) => {
      assert.equal(error.condition, "handshake_failed");
      assert.equal((error.cause as { code: string }).code, "DEPTH_ZERO_SELF_SIGNED_CERT");
      return failsWith(
        "net.bad_certificate",
        /certificate of localhost:\d+ is not accepted: self.signed certificate.* \(.*pass it as ca\)$/,
      )(error);
    });
    const stream = await connectTls({ port: place.port }, { rejectUnauthorized: false });
    stream.close();
  });

  it("accepts no certificate of another host, unless that host was asked for", async () => {
    await using place = await echo();
    const asked = connectTls({ port: place.port }, { ...trusting, servername: "elsewhere.example" });
    await assert.rejects(
      asked,
      failsWith("net.bad_certificate", /localhost:\d+ .*elsewhere\.example.*not in the cert/),
    );
    const stream = await connectTls({ host: "127.0.0.1", port: place.port }, { ...trusting, servername: "localhost" });
    stream.close();
  });

  it("reports that nothing listens", async () => {
    const { port, server } = await listening(createServer());
    server.close();
    await assert.rejects(
      connectTls({ host: "127.0.0.1", port }),
      failsWith("net.connection_refused", /127\.0\.0\.1:\d+/),
    );
  });

  it("reports a server without TLS, without a version in common, or one that ends", async () => {
    await using plain = await listening(
      createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    await assert.rejects(
      connectTls({ port: plain.port }),
      failsWith("net.tls_failed", /^localhost:\d+ does not speak TLS on this port$/),
    );
    await using old = await echo({ maxVersion: "TLSv1.2" });
    const modern = connectTls({ port: old.port }, { ...trusting, minVersion: "TLSv1.3" });
    await assert.rejects(
      modern,
      failsWith("net.tls_failed", /^The TLS handshake with localhost:\d+ failed: [^:\n]*(alert|version)[^:\n]*$/),
    );
    await using mute = await listening(createServer((socket) => socket.resume().end()));
    await assert.rejects(
      connectTls({ port: mute.port }),
      failsWith("core.connection_reset", /localhost:\d+ ended .*TLS/),
    );
    await using gone = await listening(createServer((socket) => socket.resetAndDestroy()));
    await assert.rejects(connectTls({ port: gone.port }), failsWith("core.connection_reset", /localhost:\d+/));
  });

  it("names invalid options, without showing a key", async () => {
    const options: TlsOptions = { cert: localhost.cert, key: "no key at all" };
    await assert.rejects(connectTls({ port: 1 }, options), (error: ServalError) => {
      assert.doesNotMatch(error.message, /no key at all/);
      return failsWith("core.invalid_argument", /TLS with localhost:1 can't start/)(error);
    });
    await assert.rejects(
      connectTls({ port: 70_000 }),
      failsWith("core.invalid_argument", /^port must be .* from 0 to 65,535, not 70000/),
    );
    const call = connectTls as (...given: unknown[]) => Promise<unknown>;
    for (const [given, message] of [
      [[443, "host"], /^connectTls takes a plain object, such as \{ port, host \} or \{ unix \}, not 443$/],
      [[{ port: 1 }, { ca: "ca.pem" }], /localhost:1 can't start .*: ca holds no PEM/],
      [[{ port: 1 }, { keyFile: "key.pem" }], /connectTls has no option "keyFile": did you mean key\?/],
      [[{ port: 1 }, null], /connectTls takes a plain object/],
      [[{ port: 1 }, { signal: {} }], /AbortSignal/],
    ] as const) {
      await assert.rejects(call(...given), failsWith("core.invalid_argument", message));
    }
  });

  it("is aborted by a signal, before, while it connects and inside the handshake", async () => {
    const reason = new Error("enough");
    await assert.rejects(connectTls({ port: 1 }, { signal: AbortSignal.abort(reason) }), (error: ServalError) => {
      assert.equal(error.cause, reason);
      return failsWith("core.aborted", /aborted/)(error);
    });
    await using mute = await listening(createServer((socket) => socket.resume()));
    for (const connected of [false, true]) {
      const controller = new AbortController();
      const attempt = connectTls({ host: "127.0.0.1", port: mute.port }, { signal: controller.signal });
      if (connected) await once(mute.server, "connection");
      controller.abort(reason);
      await assert.rejects(attempt, failsWith("core.aborted", /aborted/));
    }
  });

  it("leaves no listener on the signal once it has connected", async () => {
    await using place = await echo();
    const controller = new AbortController();
    const stream = await connectTls({ port: place.port }, { ...trusting, signal: controller.signal });
    controller.abort();
    await writeAll(stream, Buffer.from("still here"));
    assert.equal(String(await readExactly(stream, 10)), "still here");
    stream.close();
  });
});

tlsSuite({
  name: "startTls",
  start: (below, own) => startTls(below, "localhost", { ...trusting, ...own }),
  answer(stream) {
    const socket = serverOver(stream);
    return { opened: Promise.resolve(fromDuplex(socket)), end: () => void socket.destroy() };
  },
});

describe("startTls", () => {
  it("has the peer of the stream below", async () => {
    await using place = await echo();
    const stream = await startTls(await connect({ host: "127.0.0.1", port: place.port }), "localhost", trusting);
    assert.deepEqual(stream.peer, { address: "127.0.0.1", port: place.port, family: "IPv4" });
    await writeAll(stream, Buffer.from("hello"));
    assert.equal(String(await readExactly(stream, 5)), "hello");
    stream.close();
  });

  it("closes the stream below if the certificate is for another host", async () => {
    for (const host of ["elsewhere.example", "192.0.2.1"]) {
      const [ours, theirs] = pair();
      const socket = serverOver(theirs);
      const attempt = startTls(ours, host, trusting);
      await assert.rejects(
        attempt,
        failsWith("net.bad_certificate", new RegExp(`certificate of ${host} is not accepted`)),
      );
      assert.ok(ours.closed);
      socket.destroy();
    }
  });

  it("names the host if the peer ends", async () => {
    const [ours, theirs] = pair();
    const attempt = startTls(ours, "localhost", trusting);
    theirs.end();
    await assert.rejects(attempt, failsWith("core.connection_reset", /^localhost ended/));
  });

  it("reports a missing host, and closes the stream below", async () => {
    const call = startTls as (...given: unknown[]) => Promise<unknown>;
    for (const given of [[], [trusting], [""]]) {
      const [ours] = pair();
      const message = /^startTls takes the host's name as its second argument/;
      await assert.rejects(call(ours, ...given), failsWith("core.invalid_argument", message));
      assert.ok(ours.closed);
    }
  });

  it("names invalid options, and closes the stream below", async () => {
    const [ours] = pair();
    await assert.rejects(
      startTls(ours, "localhost", { ca: "no certificate", minVersion: "TLSv9" as "TLSv1.3" }),
      (error) => failsWith("core.invalid_argument", /TLS with localhost can't start/)(error),
    );
    assert.ok(ours.closed);
    // Refused by a socket that stands already.
    const [next] = pair();
    await assert.rejects(startTls(next, "localhost", { ALPNProtocols: ["x".repeat(300)] }), (error) =>
      failsWith("core.invalid_argument", /TLS with localhost can't start/)(error),
    );
    assert.ok(next.closed);
    await turns(2);
  });
});
