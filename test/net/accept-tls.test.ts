import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { connect as connectSocket, createSecureContext, type ConnectionOptions, type TLSSocket } from "node:tls";
import { FlatBuffer, fromDuplex, lowestLayer, PrefixedStream } from "../../src/core/index.ts";
import {
  acceptTls,
  detectTls,
  listen,
  startTls,
  toDuplex,
  type AcceptTlsOptions,
  type SocketStream,
  type TlsOptions,
  type TlsStream,
} from "../../src/net/index.ts";
import type { Way } from "../../src/net/sockets/transport.ts";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import { localhost } from "../support/localhost.ts";
import { failsWith } from "./support/fails-with.ts";
import { accepted } from "./support/sockets.ts";
import { tlsSuite } from "./support/tls-suite.ts";
import { pattern, read, readExactly, readOutcome, turns, until, writeAll } from "../core/support/stream-operations.ts";

const trusting: TlsOptions = { ca: localhost.cert };
const options: AcceptTlsOptions = { ...localhost };

/** A layer that does not let TLS take the socket below it. */
function toPrefixed(stream: SocketStream): PrefixedStream {
  return new PrefixedStream(stream, new Uint8Array(0));
}

/** Both ends of a handshake over a pair. What the client thinks of a failure is its own affair. */
async function shaken(
  server: AcceptTlsOptions,
  client: TlsOptions = trusting,
  pairOptions: PairOptions = {},
): Promise<[TlsStream, TlsStream]> {
  const [ours, theirs] = pair(pairOptions);
  const connecting = startTls(theirs, "localhost", client);
  const stream = await acceptTls(ours, server).catch(async (error: unknown) => {
    assert.ok(ours.closed);
    await connecting.then(
      (peer) => peer.close(),
      () => {},
    );
    throw error;
  });
  return [stream, await connecting];
}

/** Sends bytes to a server that wants TLS, and has its error. */
async function spoken(bytes: string): Promise<unknown> {
  const [ours, theirs] = pair();
  const attempt = acceptTls(ours, options).then(
    () => undefined,
    (error: unknown) => error,
  );
  await writeAll(theirs, Buffer.from(bytes, "latin1"));
  const error = await attempt;
  assert.ok(ours.closed);
  return error;
}

// Its context takes longer to make than a handshake.
const secureContext = createSecureContext(localhost);

tlsSuite({
  name: "acceptTls",
  start: (below, own) => acceptTls(below, own === undefined ? options : { secureContext, ...own }),
  answer(stream) {
    const opened = startTls(stream, "localhost", trusting);
    return { opened, end: () => void opened.then((peer) => peer.close()).catch(() => {}) };
  },
});

describe("acceptTls", () => {
  it("has the layer below and the peer", async () => {
    const [ours, theirs] = pair();
    const below = { address: "192.0.2.1", port: 7, family: "IPv4" } as const;
    Object.defineProperty(ours, "peer", { value: below });
    const [stream, peer] = await Promise.all([acceptTls(ours, options), startTls(theirs, "localhost", trusting)]);
    assert.equal(stream.nextLayer, ours);
    assert.equal(lowestLayer(stream), ours);
    assert.equal(stream.peer, below);
    assert.equal(stream.servername, "localhost");
    assert.equal(peer.servername, "localhost");
    assert.equal(stream.protocol, "TLSv1.3");
    assert.equal(stream.alpnProtocol, undefined);
    assert.equal(stream.authorized, false);
    assert.equal(stream.authorizationError, undefined);
    assert.equal(stream.peerCertificate, undefined);
    assert.equal(peer.authorized, true);
    assert.equal(peer.peerCertificate?.subject, "CN=localhost");
    stream.close();
    assert.ok(ours.closed);
    peer.close();
  });

  it("negotiates the application protocol, or reports that there is none in common", async () => {
    const server = { ...options, ALPNProtocols: ["h2", "http/1.1"] };
    const [stream, peer] = await shaken(server, { ...trusting, ALPNProtocols: ["http/1.1"] });
    assert.equal(stream.alpnProtocol, "http/1.1");
    assert.equal(peer.alpnProtocol, "http/1.1");
    stream.close();
    peer.close();
    await assert.rejects(
      shaken(server, { ...trusting, ALPNProtocols: ["other"] }),
      failsWith("net.tls_failed", /no application protocol \(it supports none of ALPNProtocols\)/),
    );
  });

  it("chooses a certificate by the server name", async () => {
    const names: string[] = [];
    const secureContext = createSecureContext(localhost);
    const [stream, peer] = await shaken({
      SNICallback(name, done) {
        names.push(name);
        done(null, secureContext);
      },
    });
    assert.deepEqual(names, ["localhost"]);
    assert.equal(stream.servername, "localhost");
    stream.close();
    peer.close();
    const noSuchHost = (): never => {
      throw new Error("no such host");
    };
    const callbacks: AcceptTlsOptions["SNICallback"][] = [(_name, done) => done(new Error("no such host")), noSuchHost];
    for (const SNICallback of callbacks) {
      await assert.rejects(shaken({ SNICallback }), failsWith("net.tls_failed", /no such host/));
    }
  });

  it("fails at once when the client goes while SNICallback is at work", async () => {
    for (const go of [
      (client: Socket) => void client.resetAndDestroy(),
      (client: Socket) => void client.end(),
      undefined,
    ]) {
      let begun!: () => void;
      const isAsked = new Promise<void>((resolve) => (begun = resolve));
      const server: AcceptTlsOptions = { ...localhost, SNICallback: () => begun() };
      const [stream, client] = await accepted();
      const accepting = acceptTls(go === undefined ? toPrefixed(stream) : stream, server);
      const secure = connectSocket({ socket: client, servername: "localhost", ca: localhost.cert });
      secure.on("error", () => {});
      await isAsked;
      (go ?? ((socket) => void socket.resetAndDestroy()))(client);
      await assert.rejects(accepting, failsWith("core.connection_reset"));
      secure.destroy();
    }
  });

  it("takes a context instead of the options that make one", async () => {
    const [stream, peer] = await shaken({ secureContext: createSecureContext(localhost) });
    stream.close();
    peer.close();
  });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`requires the client's certificate, ${maxVersion}`, async () => {
      const mutual: AcceptTlsOptions = { ...options, requestCert: true, ca: localhost.cert, maxVersion };
      const [stream, peer] = await shaken(mutual, { ...trusting, ...localhost });
      assert.equal(stream.authorized, true);
      assert.equal(stream.authorizationError, undefined);
      assert.equal(stream.peerCertificate?.subject, "CN=localhost");
      stream.close();
      peer.close();

      await assert.rejects(shaken(mutual), failsWith("net.bad_certificate", /^The client sent no certificate/));
      const strangers: AcceptTlsOptions = { ...options, requestCert: true, maxVersion };
      await assert.rejects(
        shaken(strangers, { ...trusting, ...localhost }),
        failsWith("net.bad_certificate", /not accepted: DEPTH_ZERO_SELF_SIGNED_CERT .*option ca/),
      );
    });

    it(`only reports on the client's certificate with rejectUnauthorized: false, ${maxVersion}`, async () => {
      const lenient: AcceptTlsOptions = { ...options, requestCert: true, rejectUnauthorized: false, maxVersion };
      const [stream, peer] = await shaken(lenient, { ...trusting, ...localhost });
      assert.equal(stream.authorized, false);
      assert.equal(stream.authorizationError, "DEPTH_ZERO_SELF_SIGNED_CERT");
      assert.equal(stream.peerCertificate?.subject, "CN=localhost");
      stream.close();
      peer.close();
      const [without, client] = await shaken(lenient);
      assert.equal(without.authorized, false);
      assert.notEqual(without.authorizationError, undefined);
      assert.equal(without.peerCertificate, undefined);
      without.close();
      client.close();
    });
  }

  it("resumes a session, with the certificate that was sent in it", async () => {
    const mutual: AcceptTlsOptions = { ...options, requestCert: true, ca: localhost.cert };
    const visit = async (session: Buffer | undefined): Promise<[TLSSocket, TlsStream]> => {
      const [ours, theirs] = pair();
      const own: ConnectionOptions = { ...localhost, ca: localhost.cert, servername: "localhost" };
      const socket = connectSocket({ ...own, socket: toDuplex(theirs), ...(session && { session }) });
      const [stream] = await Promise.all([acceptTls(ours, mutual), once(socket, "secureConnect")]);
      return [socket, stream];
    };
    const [socket, stream] = await visit(undefined);
    const ticket = once(socket, "session") as Promise<[Buffer]>;
    socket.resume();
    const [session] = await ticket;
    const [again, resumed] = await visit(session);
    assert.equal(again.isSessionReused(), true);
    assert.equal(resumed.authorized, true);
    for (const end of [socket, again]) end.destroy();
    stream.close();
    resumed.close();
  });

  it("says what to do about a client without TLS, or without a version or cipher in common", async () => {
    for (const [bytes, message] of [
      ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", /^The TLS handshake with the client failed: http request .*https: or wss:/],
      ["\0\0\0 something else", /not to speak TLS/],
    ] as const) {
      failsWith("net.tls_failed", message)(await spoken(bytes));
    }
    await assert.rejects(
      shaken({ ...options, minVersion: "TLSv1.3" }, { ...trusting, maxVersion: "TLSv1.2" }),
      failsWith("net.tls_failed", /unsupported protocol .*minVersion to maxVersion/),
    );
    const empty = { secureContext: createSecureContext({}) };
    await assert.rejects(shaken(empty), failsWith("net.tls_failed", /is there a cert with its key/));
  });

  it("names the client if its address is known", async () => {
    const [ours, theirs] = pair();
    Object.defineProperty(ours, "peer", { value: { address: "::1", port: 7, family: "IPv6" } });
    const attempt = acceptTls(ours, options);
    await writeAll(theirs, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await assert.rejects(attempt, failsWith("net.tls_failed", /handshake with \[::1\]:7 failed/));
  });

  it("fails if the client ends inside the handshake", async () => {
    for (const bytes of ["", "\x16\x03\x01", "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"]) {
      for (const end of [
        (stream: ReturnType<typeof pair>[0]) => stream.end(),
        (stream: ReturnType<typeof pair>[0]) => stream.close(),
      ]) {
        const [ours, theirs] = pair();
        const attempt = acceptTls(ours, options);
        if (bytes !== "") await writeAll(theirs, Buffer.from(bytes, "latin1"));
        end(theirs);
        await assert.rejects(attempt, failsWith("core.connection_reset", /^The client ended .*TLS handshake/));
        assert.ok(ours.closed);
      }
    }
  });

  it("names invalid options, and closes the stream below", async () => {
    for (const bad of [
      { cert: "no certificate", key: localhost.key },
      { ...localhost, minVersion: "TLSv9" as "TLSv1.3" },
      { ...localhost, SNICallback: 1 as never },
      { ...localhost, ALPNProtocols: ["x".repeat(300)] },
    ] satisfies AcceptTlsOptions[]) {
      const [ours] = pair();
      await assert.rejects(
        acceptTls(ours, bad),
        failsWith("core.invalid_argument", /^TLS can't start with these options: /),
      );
      assert.ok(ours.closed);
    }
    for (const [bad, message] of [
      [{ cert: "cert.pem", key: "key.pem" }, /: cert and key hold no PEM/],
      [{}, /: a server needs a certificate: cert and key, pfx, or a secureContext$/],
      [{ ...localhost, keyFile: "key.pem" }, /acceptTls has no option "keyFile": did you mean key\?$/],
      [undefined, /: acceptTls takes a plain object, such as \{ cert, key \}, not undefined$/],
    ] as const) {
      const [ours] = pair();
      const attempt = acceptTls(ours, bad as AcceptTlsOptions);
      await assert.rejects(attempt, failsWith("core.invalid_argument", message));
      assert.ok(ours.closed);
    }
    const [ours] = pair();
    const none = acceptTls(ours, { ...localhost, signal: {} as AbortSignal });
    await assert.rejects(none, failsWith("core.invalid_argument", /signal/));
  });

  it("serves TLS and plain on one port, after detectTls", async () => {
    const served: Promise<void>[] = [];
    const serve = async (socket: SocketStream): Promise<void> => {
      const buffer = new FlatBuffer();
      const isTls = await detectTls(socket, buffer);
      const all = new PrefixedStream(socket, buffer.data());
      const stream = isTls ? await acceptTls(all, options) : all;
      const question = String(await read(stream));
      await writeAll(stream, Buffer.from(`${isTls ? "secret" : "plain"} ${question}`));
      stream.close();
    };
    const listener = await listen({ port: 0, host: "127.0.0.1" }, (socket) => void served.push(serve(socket)));
    const secure = connectSocket({ port: listener.port!, host: "127.0.0.1", ca: localhost.cert });
    secure.write("question");
    const [answer] = (await once(secure, "data")) as [Buffer];
    assert.equal(String(answer), "secret question");
    secure.destroy();
    await until(() => served.length === 1);
    await Promise.all(served);
    await listener.close();
    assert.equal(listener.connections, 0);
  });
});

describe("acceptTls over sockets", () => {
  for (const way of ["handle", "onread", "data"] satisfies Way[]) {
    for (const [when, wait] of [
      ["at once", () => undefined],
      ["a microtask later", () => Promise.resolve()],
      ["when the socket has been paused", () => turns()],
    ] as const) {
      it(`takes a socket ${when}, ${way}`, async () => {
        for (const early of [true, false]) {
          const [next, raw, listener] = await accepted(way);
          const secure = (): TLSSocket => connectSocket({ socket: raw, ca: localhost.cert, servername: "localhost" });
          // Its hello may wait already, in the kernel or, where it was read by chance, in the stream.
          let socket = early ? secure() : undefined;
          await wait();
          const accepting = acceptTls(next, options);
          socket ??= secure();
          const stream = await accepting;
          assert.equal(stream.nextLayer, next);
          assert.deepEqual(stream.peer, next.peer);
          socket.write("question");
          assert.equal(String(await read(stream)), "question");
          const sent = pattern(1_000_000);
          const received = readExactly(fromDuplex(socket), sent.length);
          await writeAll(stream, sent);
          assert.ok((await received).equals(sent));
          stream.close();
          await until(() => listener.connections === 0);
          assert.equal((await readOutcome(next)).error?.code, "core.aborted");
        }
      });
    }

    it(`closes the socket with the handshake, ${way}`, async () => {
      for (const [end, code] of [
        [({ raw }) => void raw.write("GET / HTTP/1.1\r\n\r\n"), "net.tls_failed"],
        [({ raw }) => void raw.end(), "core.connection_reset"],
        [({ raw }) => void raw.end("\x16\x03\x01"), "core.connection_reset"],
        [({ raw }) => void raw.destroy(), "core.connection_reset"],
        [({ raw }) => void raw.resetAndDestroy(), "core.connection_reset"],
        [({ next }) => next.close(), "core.aborted"],
        [({ controller }) => controller.abort(), "core.aborted"],
      ] satisfies [(all: { raw: Socket; next: SocketStream; controller: AbortController }) => void, string][]) {
        const [next, raw, listener] = await accepted(way);
        const controller = new AbortController();
        const attempt = acceptTls(next, { secureContext: createSecureContext(localhost), signal: controller.signal });
        await turns(3);
        end({ raw, next, controller });
        await assert.rejects(attempt, failsWith(code, /./));
        await until(() => listener.connections === 0);
        assert.equal((await readOutcome(next)).error?.code, "core.aborted");
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
        raw.destroy();
      }
    });

    it(`ends if the socket is closed from below, ${way}`, async () => {
      const [next, raw, listener] = await accepted(way);
      const socket = connectSocket({ socket: raw, ca: localhost.cert, servername: "localhost" });
      socket.on("error", () => {});
      const stream = await acceptTls(next, options);
      const reading = readOutcome(stream);
      next.close();
      assert.equal((await reading).error?.code, "core.aborted");
      await until(() => listener.connections === 0);
      stream.close();
      socket.destroy();
    });
  }

  it("fails if the socket is being read elsewhere", async () => {
    const [next, raw] = await accepted("handle");
    const reading = read(next);
    await assert.rejects(acceptTls(next, options), failsWith("core.operation_pending", /./));
    raw.destroy();
    await assert.rejects(reading, failsWith("core.aborted", /./));
  });
});
