import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { TlsOptions } from "../../client/index.ts";
import { ServalError, type ByteStream, type Clock } from "../../core/index.ts";
import { Fields } from "../../http/index.ts";
import { connect, connectTls, startTls, type TlsStream } from "../../net/index.ts";
import { netError } from "../../net/internal.ts";
import { Stream } from "../../websocket/index.ts";
import { headLimits } from "../../websocket/internal.ts";
import type { ClientOptions, ClientSettings } from "../shared/client-options.ts";
import { before } from "./before.ts";
import type { FailedAddress, Failure, Inspection, StepName, TlsFindings } from "./inspection.ts";
import {
  basic,
  hostAndPort,
  openTunnel,
  parseUrl,
  serverName,
  type Endpoint,
  withHost,
} from "../../client/internal.ts";
import { RecordingStream } from "./recording-stream.ts";
import { RoundTrips } from "../shared/round-trips.ts";
import { withoutPassword } from "../connect/transcript.ts";
import { verdictOf } from "./verdict.ts";

/** How many pings are sent. */
const pings = 5;

/** Opens a WebSocket step by step, pings it, closes it, and returns what it found. Throws only misuse. */
export async function examine({ url, options }: ClientSettings, clock: Clock): Promise<Inspection> {
  const found: Inspection = { url: withoutPassword(url), opened: false, verdict: "" };
  const place = parseUrl(url);
  const asked = options.host === undefined ? place : withHost(place, options.host);
  await new Examination(asked, options, clock, found).run();
  found.verdict = verdictOf(found);
  return found;
}

class Examination {
  readonly #place: Endpoint;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #found: Inspection;
  readonly #timeout: number;
  readonly #deadline: number;
  readonly #trips: RoundTrips;
  #step: StepName = "dns";
  #since = 0;
  /** The address that was connected to, for a second connection. */
  #address: string | undefined;

  constructor(place: Endpoint, options: ClientOptions, clock: Clock, found: Inspection) {
    this.#place = place;
    this.#options = options;
    this.#clock = clock;
    this.#found = found;
    this.#timeout = options.timeouts.handshake;
    this.#deadline = clock.now() + this.#timeout;
    this.#trips = new RoundTrips(clock);
  }

  async run(): Promise<void> {
    try {
      const ws = await this.#open();
      try {
        await this.#pingAll(ws);
      } finally {
        await this.#close(ws);
      }
    } catch (error) {
      if (error instanceof ServalError && error.condition === "misuse") throw error;
      this.#found.failure = await this.#failureOf(error);
    }
  }

  async #open(): Promise<Stream> {
    const { proxy } = this.#options;
    const transport = proxy === undefined ? await this.#dial(this.#place) : await this.#tunnel(parseUrl(String(proxy)));
    const stream = this.#place.isSecure ? await this.#secure(transport) : transport;
    return this.#shakeHands(stream);
  }

  /** Connects to a host, trying its addresses until one answers. */
  async #dial(place: Endpoint): Promise<ByteStream> {
    if (place.unix !== undefined) {
      this.#begin("tcp");
      const stream = await this.#limited(this.#deadline, (signal) => connect({ unix: place.unix }, { signal }));
      this.#found.tcp = { ms: this.#elapsed, address: place.unix, failed: [] };
      return stream;
    }
    const addresses = await this.#lookUp(place);
    this.#begin("tcp");
    const failed: FailedAddress[] = [];
    for (const [i, address] of addresses.entries()) {
      const name = hostAndPort(address, place.port);
      const started = this.#clock.now();
      // Each address gets an equal share of the remaining time, so that a silent one does not use it up.
      const share = (this.#deadline - started) / (addresses.length - i);
      try {
        const stream = await this.#limited(started + share, (signal) =>
          connect({ host: address, port: place.port }, { signal }),
        );
        this.#found.tcp = { ms: this.#clock.now() - started, address: name, failed };
        this.#address = address;
        return stream;
      } catch (error) {
        if (i === addresses.length - 1) throw error;
        failed.push({ address: name, ms: this.#clock.now() - started, message: (error as Error).message });
      }
    }
    throw netError("net.host_not_found");
  }

  async #lookUp({ host }: Endpoint): Promise<string[]> {
    if (isIP(host) !== 0) return [host];
    this.#begin("dns");
    try {
      const found = await this.#limited(this.#deadline, () => lookup(host, { all: true }));
      const addresses = found.map(({ address }) => address);
      this.#found.dns = { ms: this.#elapsed, host, addresses };
      return addresses;
    } catch (cause) {
      if (cause instanceof ServalError) throw cause;
      throw netError("net.host_not_found", { cause, message: `${host} has no address: ${(cause as Error).message}` });
    }
  }

  async #tunnel(proxy: Endpoint): Promise<ByteStream> {
    const transport = await this.#dial(proxy);
    this.#begin("proxy");
    const stream = proxy.isSecure
      ? await this.#limited(this.#deadline, (signal) => startTls(transport, proxy.host, { signal }))
      : transport;
    const recording = new RecordingStream(stream);
    try {
      return await this.#limited(this.#deadline, (signal) =>
        openTunnel(recording, this.#place, proxy, { signal, clock: this.#clock, ...headLimits }),
      );
    } catch (error) {
      recording.close();
      throw error;
    } finally {
      recording.stop();
      const url = withoutPassword(String(this.#options.proxy));
      this.#found.proxy = { ms: this.#elapsed, url, ...exchangeOf(recording) };
    }
  }

  /** Accepts any certificate in the TLS handshake, to be able to show it, and judges it afterwards. */
  async #secure(transport: ByteStream): Promise<ByteStream> {
    this.#begin("tls");
    const { tls = {} } = this.#options;
    const stream = await this.#limited(this.#deadline, (signal) =>
      startTls(transport, serverName(this.#place), { ...looking(tls), signal }),
    );
    this.#found.tls = findingsOf(stream, this.#elapsed);
    if (stream.authorized || tls.rejectUnauthorized === false) return stream;
    stream.close();
    const message = `The certificate is not accepted: ${stream.authorizationError}`;
    throw netError("net.bad_certificate", { message });
  }

  async #shakeHands(stream: ByteStream): Promise<Stream> {
    this.#begin("handshake");
    this.#found.messages = 0;
    const recording = new RecordingStream(stream);
    const { deflate = false, protocols } = this.#options;
    const ws: Stream = new Stream(recording, {
      deflate,
      clock: this.#clock,
      timeouts: { handshake: Math.max(1, this.#deadline - this.#clock.now()) },
      control: this.#trips.control,
      // Pongs come after messages, so messages must be read too.
      message: () => void this.#found.messages!++,
    });
    const headers = new Fields(this.#options.headers);
    const { authority, target, credentials } = this.#place;
    if (credentials !== undefined && !headers.has("Authorization")) headers.append("Authorization", basic(credentials));
    try {
      await ws.handshake(authority, target, { protocols, headers });
      this.#found.opened = true;
    } catch (error) {
      ws.terminate();
      throw error;
    } finally {
      recording.stop();
      const extensions = ws.response?.headers.get("Sec-WebSocket-Extensions") ?? "";
      this.#found.handshake = { ms: this.#elapsed, protocol: ws.protocol, extensions, ...exchangeOf(recording, ws) };
    }
    return ws;
  }

  async #pingAll(ws: Stream): Promise<void> {
    this.#begin("ping");
    const times: number[] = [];
    const ended = ws.closed.then(({ code, reason }): never => {
      const message = `The server closed with ${code}${reason === "" ? "" : `: ${reason}`}`;
      throw new ServalError("websocket.closed", "closed", message);
    });
    ended.catch(() => {});
    for (let i = 0; i < pings; i++) {
      const late = "No pong came in time";
      times.push(
        await this.#limited(this.#clock.now() + this.#timeout, () => Promise.race([this.#trips.ping(ws), ended]), late),
      );
    }
    times.sort((a, b) => a - b);
    this.#found.ping = { times, min: times[0]!, median: times[times.length >> 1]!, max: times.at(-1)! };
  }

  async #close(ws: Stream): Promise<void> {
    const step = this.#step;
    const since = this.#since;
    const started = this.#clock.now();
    const isFailing = this.#found.ping === undefined;
    await ws.close();
    this.#found.close = { ms: this.#clock.now() - started, ...(await ws.closed) };
    // The first of two failures counts.
    if (isFailing) {
      this.#step = step;
      this.#since = since;
    } else if (!this.#found.close.clean) {
      this.#step = "close";
      this.#since = started;
      throw new ServalError("websocket.closed", "closed", "The server did not answer the close frame");
    }
  }

  async #failureOf(error: unknown): Promise<Failure> {
    const { code, message, response } = error as Partial<ServalError>;
    const failure: Failure = {
      step: this.#step,
      ms: this.#elapsed,
      code: code ?? "unknown",
      message: message ?? String(error),
      ...(response !== undefined && {
        response: {
          status: response.status,
          reason: response.reason,
          headers: Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value])),
          body: Buffer.from(response.body).toString("utf8"),
        },
      }),
    };
    const address = this.#address;
    const isPlain = this.#step === "handshake" && !this.#place.isSecure && this.#options.proxy === undefined;
    const mayBeTls = response === undefined || response.status === 400;
    if (!isPlain || !mayBeTls || address === undefined) return failure;
    return { ...failure, speaksTls: await this.#speaksTls(address) };
  }

  /** After a failure without TLS: tries TLS on another connection to the same port. */
  async #speaksTls(host: string): Promise<boolean> {
    const { port } = this.#place;
    const name = serverName(this.#place);
    const options = { rejectUnauthorized: false, ...(isIP(name) === 0 && { servername: name }) };
    const until = this.#clock.now() + Math.min(this.#timeout, 3000);
    try {
      const stream = await this.#limited(until, (signal) => connectTls({ host, port }, { ...options, signal }));
      stream.close();
      return true;
    } catch {
      return false;
    }
  }

  #begin(step: StepName): void {
    this.#step = step;
    this.#since = this.#clock.now();
  }

  get #elapsed(): number {
    return this.#clock.now() - this.#since;
  }

  #limited<Result>(
    until: number,
    operation: (signal: AbortSignal) => Promise<Result>,
    message?: string,
  ): Promise<Result> {
    return before(until, this.#clock, operation, message);
  }
}

/** TLS options that accept any certificate, so that it can be shown. */
function looking(tls: TlsOptions): TlsOptions & { ALPNProtocols: string[] } {
  return { ...tls, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };
}

function findingsOf(stream: TlsStream, ms: number): TlsFindings {
  const { protocol, cipher, alpnProtocol, authorized, authorizationError, peerCertificate } = stream;
  return {
    ms,
    version: protocol,
    cipher,
    alpn: alpnProtocol,
    trusted: authorized,
    reason: authorizationError,
    certificate: peerCertificate && {
      subject: peerCertificate.subject?.replaceAll("\n", ", ") ?? "",
      issuer: peerCertificate.issuer?.replaceAll("\n", ", ") ?? "",
      names: peerCertificate.subjectAltName ?? "",
      validFrom: peerCertificate.validFrom,
      validTo: peerCertificate.validTo,
    },
  };
}

/**
 * The request and the response. After a successful handshake, the response is only the head, without the frames after
 * it.
 */
function exchangeOf(recording: RecordingStream, ws?: Stream): { request: string; response: string } {
  const received = recording.received.toString("latin1");
  const end = received.indexOf("\r\n\r\n");
  const isUpgraded = ws?.response?.status === 101 && end !== -1;
  return {
    request: recording.sent.toString("latin1"),
    response: isUpgraded ? received.slice(0, end + 4) : received,
  };
}
