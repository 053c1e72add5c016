import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { describe, it } from "node:test";
import {
  createSecureContext,
  createServer as createTlsServer,
  TLSSocket,
  type TlsOptions as ServerOptions,
} from "node:tls";
import { fromDuplex, lowestLayer, ServalError, type ByteStream } from "../../src/core/index.ts";
import { connect, connectTls, startTls, toDuplex, type TlsOptions } from "../../src/net/index.ts";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { pattern, read, readExactly, turns, until, writeAll } from "../core/support/stream-operations.ts";

const trusting: TlsOptions = { ca: localhost.cert };

function failsWith(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServalError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await until(() => sockets.size === 0);
      server.close();
      await once(server, "close");
    },
  };
}

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
  it("connects by name and by address, and tells the server names alone", async () => {
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
      assert.equal(stream.nextLayer, undefined);
      stream.close();
    }
    assert.deepEqual(names, ["localhost", false]);
  });

  it("agrees on no protocol where none was offered, and takes no undefined for an option", async () => {
    await using place = await echo();
    const options = { ...trusting, checkServerIdentity: undefined, rejectUnauthorized: undefined, ciphers: undefined };
    const stream = await connectTls({ port: place.port }, options);
    assert.equal(stream.alpnProtocol, undefined);
    stream.close();
  });

  it("accepts no certificate of an unknown authority, unless told so", async () => {
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

  it("accepts no certificate of another host, unless it was asked for", async () => {
    await using place = await echo();
    const asked = connectTls({ port: place.port }, { ...trusting, servername: "elsewhere.example" });
    await assert.rejects(
      asked,
      failsWith("net.bad_certificate", /localhost:\d+ .*elsewhere\.example.*not in the cert/),
    );
    const stream = await connectTls({ host: "127.0.0.1", port: place.port }, { ...trusting, servername: "localhost" });
    stream.close();
  });

  it("says that nobody listens", async () => {
    const { port, server } = await listening(createServer());
    server.close();
    await assert.rejects(
      connectTls({ host: "127.0.0.1", port }),
      failsWith("net.connection_refused", /127\.0\.0\.1:\d+/),
    );
  });

  it("says that the server speaks no TLS, or none that suits, or ends", async () => {
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

  it("says which options do not work, and keeps a key out of that", async () => {
    const options: TlsOptions = { cert: localhost.cert, key: "no key at all" };
    await assert.rejects(connectTls({ port: 1 }, options), (error: ServalError) => {
      assert.doesNotMatch(error.message, /no key at all/);
      return failsWith("core.invalid_argument", /TLS with localhost:1 can't start/)(error);
    });
    await assert.rejects(connectTls({ port: 70_000 }), failsWith("core.invalid_argument", /localhost:70000/));
    const call = connectTls as (...given: unknown[]) => Promise<unknown>;
    for (const [given, message] of [
      [[443, "host"], /^connectTls takes \{ port, host \} or \{ unix \}$/],
      [[{ port: 1 }, { ca: "ca.pem" }], /localhost:1 can't start .*: ca holds no PEM/],
      [[{ port: 1 }, { keyFile: "key.pem" }], /connectTls has no option "keyFile": did you mean key\?/],
      [[{ port: 1 }, null], /The options of connectTls are a plain object/],
      [[{ port: 1 }, { signal: {} }], /AbortSignal/],
    ] as const) {
      await assert.rejects(call(...given), failsWith("core.invalid_argument", message));
    }
  });

  it("is given up by a signal, before, while it connects and inside the handshake", async () => {
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

  it("keeps nothing of the signal once it has connected", async () => {
    await using place = await echo();
    const controller = new AbortController();
    const stream = await connectTls({ port: place.port }, { ...trusting, signal: controller.signal });
    controller.abort();
    await writeAll(stream, Buffer.from("still here"));
    assert.equal(String(await readExactly(stream, 10)), "still here");
    stream.close();
  });
});

describe("startTls", () => {
  for (const options of [{}, { maxRead: 1 }, { maxWrite: 1 }, { maxRead: 1, maxWrite: 1 }] satisfies PairOptions[]) {
    it(`carries bytes both ways over a pair, ${JSON.stringify(options)}`, async () => {
      const [ours, theirs] = pair(options);
      const socket = serverOver(theirs);
      const stream = await startTls(ours, "localhost", trusting);
      assert.equal(stream.nextLayer, ours);
      assert.equal(lowestLayer(stream), ours);
      const peer = fromDuplex(socket);
      const there = pattern(3000, 3);
      const back = pattern(3000, 4);
      const [received, answered] = await Promise.all([
        readExactly(peer, there.length),
        readExactly(stream, back.length),
        writeAll(stream, there),
        writeAll(peer, back),
      ]);
      assert.ok(received.equals(there));
      assert.ok(answered.equals(back));
      stream.close();
      assert.ok(ours.closed);
      peer.close();
    });
  }

  it("knows the peer of the stream below", async () => {
    await using place = await echo();
    const stream = await startTls(await connect({ host: "127.0.0.1", port: place.port }), "localhost", trusting);
    assert.deepEqual(stream.peer, { address: "127.0.0.1", port: place.port, family: "IPv4" });
    await writeAll(stream, Buffer.from("hello"));
    assert.equal(String(await readExactly(stream, 5)), "hello");
    stream.close();
  });

  it("closes the stream below where the certificate is not the host's", async () => {
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

  it("fails with the error of the stream below, whichever operation fails", async () => {
    let failAfter = 0;
    for (; ; failAfter++) {
      const [ours, theirs] = pair({ failAfter, maxRead: 100 }, {});
      const socket = serverOver(theirs);
      let opened: ByteStream | undefined;
      const failure = await startTls(ours, "localhost", trusting).then(
        (stream) => void (opened = stream),
        (error: ServalError) => error.code,
      );
      if (opened !== undefined) {
        opened.close();
        socket.destroy();
        break;
      }
      assert.equal(failure, "testing.failure", `failAfter ${failAfter}`);
      assert.ok(ours.closed);
      socket.destroy();
    }
    assert.ok(failAfter > 5, `only ${failAfter} operations were seen to fail`);
  });

  it("fails with the error of the stream below later too", async () => {
    const [ours, theirs] = pair();
    const socket = serverOver(theirs);
    const stream = await startTls(ours, "localhost", trusting);
    const reading = read(stream);
    await turns();
    ours.reset();
    await assert.rejects(reading, failsWith("core.connection_reset", /reset/));
    stream.close();
    socket.destroy();
  });

  it("is given up by a signal at any time, and closes the stream below", async () => {
    const aborted = AbortSignal.abort();
    const [unused] = pair();
    await assert.rejects(startTls(unused, "localhost", { signal: aborted }), failsWith("core.aborted", /aborted/));
    assert.ok(unused.closed);
    for (let count = 0; ; count++) {
      const [ours, theirs] = pair({ maxRead: 10 });
      const socket = serverOver(theirs);
      const controller = new AbortController();
      const attempt = startTls(ours, "localhost", { ...trusting, signal: controller.signal });
      const outcome = attempt.then((stream) => stream, failsWith("core.aborted", /aborted/));
      // After some turns of the event loop, and within one.
      await turns(count >> 3);
      for (let steps = (count & 7) * 20; steps > 0; steps--) await undefined;
      controller.abort();
      const opened = await outcome;
      if (typeof opened === "object") {
        assert.ok(count > 5, `opened before the ${count}th moment`);
        opened.close();
        socket.destroy();
        break;
      }
      assert.ok(ours.closed);
      socket.destroy();
    }
  });

  it("ends where the stream below is closed by someone else, or the peer ends", async () => {
    const [ours] = pair();
    const closed = startTls(ours, "localhost", trusting);
    await turns(2);
    ours.close();
    await assert.rejects(closed, failsWith("core.aborted", /aborted/));
    const [next, peer] = pair();
    const ended = startTls(next, "localhost", trusting);
    peer.end();
    await assert.rejects(ended, failsWith("core.connection_reset", /localhost ended/));
    assert.ok(next.closed);
  });

  it("says that the host was forgotten, and closes the stream below", async () => {
    const call = startTls as (...given: unknown[]) => Promise<unknown>;
    for (const given of [[], [trusting], [""]]) {
      const [ours] = pair();
      const message = /^startTls takes the host's name as its second argument/;
      await assert.rejects(call(ours, ...given), failsWith("core.invalid_argument", message));
      assert.ok(ours.closed);
    }
  });

  it("says which options do not work, and closes the stream below", async () => {
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
