// A reverse proxy that forwards HTTP and WebSocket to one server.
//   npm run example reverse-proxy -- 8080 127.0.0.1:3000
import { core, http, net, websocket } from "serval";

const [port = "8080", origin = "127.0.0.1:3000"] = process.argv.slice(2);
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`"${port}" is no port: the first argument is a number from 0 to 65535, such as 8080`);
  process.exit(1);
}
const [, originHost, originPort] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(origin) ?? [];
if (originHost === undefined) {
  console.error(`"${origin}" is no server to forward to: the second argument is HOST:PORT, such as 127.0.0.1:3000`);
  process.exit(1);
}

const stopping = new AbortController();
const listener = await net.listen({ port: Number(port) }, (stream) => new Client(stream).serve());
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on http://localhost:${listener.port}/`);

/** Fields that concern one connection alone: RFC 9110 7.6.1. */
const hopByHop = ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade"];

/** Fields for all recipients. Connection must not name them, or a client could take away what the origin relies on. */
const endToEndNames =
  /^(accept|access-control-|age$|authorization$|cache-control$|content-|cookie$|date$|etag$|expect$|expires$|forwarded$|from$|host$|if-|last-modified$|location$|max-forwards$|origin$|pragma$|range$|referer$|retry-after$|sec-|server$|set-cookie$|user-agent$|vary$|via$|www-authenticate$|x-forwarded-|x-real-ip$)/i;

/** A client, with a connection to the origin of its own that is kept as long as both sides like. */
class Client {
  readonly #stream: net.SocketStream;
  #origin: net.SocketStream | undefined;
  #buffer = new core.FlatBuffer();
  #hasEnded = false;

  constructor(stream: net.SocketStream) {
    this.#stream = stream;
  }

  serve(): void {
    // What the origin takes of a body is its affair.
    http.serve(
      this.#stream,
      (request, exchange) => this.#forward(request, exchange),
      { maxBodySize: Infinity, stop: stopping.signal },
      () => {
        this.#hasEnded = true;
        this.#origin?.close();
      },
    );
  }

  async #forward(
    request: http.IncomingRequest,
    exchange: http.Exchange,
  ): Promise<http.Response<http.Body> | undefined> {
    if (request.method === "CONNECT") return new http.Response({ status: 405, headers: { Allow: "GET, HEAD, POST" } });
    const to = destinationOf(request);
    if (to === undefined) return new http.Response({ status: 400, body: "The request's target is no path or URL\n" });
    const headers = endToEnd(request.headers);
    headers.set("Host", to.host);
    headers.append("X-Forwarded-For", this.#stream.peer.address ?? "unknown");
    headers.append("Via", "1.1 serval");
    // No protocol but this one is let through: nobody knows what others would ask of the origin.
    const upgrades = websocket.isUpgrade(request) && request.body instanceof Uint8Array;
    if (upgrades) {
      headers.set("Connection", "Upgrade");
      headers.set("Upgrade", "websocket");
    }
    const given = new ClientBody(request.body);
    const sent = new http.Request({ method: request.method, target: to.target, headers, body: given.body });
    // The origin may have ended a connection that was idle, and we find out now: RFC 9110 9.2.2.
    const mayRepeat = this.#origin !== undefined && /^(GET|HEAD)$/.test(sent.method) && sent.body instanceof Uint8Array;
    let response: http.IncomingResponse;
    try {
      response = await this.#ask(sent).catch((error: unknown) => {
        this.#dropOrigin();
        if (!mayRepeat) throw error;
        return this.#ask(sent);
      });
      if (response.status === 101 && !upgrades) throw new Error("It has switched to another protocol by itself");
    } catch (error) {
      this.#dropOrigin();
      // What is wrong with the client's own body is the client's to hear.
      if (error === given.error) throw error;
      // Where the origin is and what is wrong with it is ours to know.
      console.error(`${origin} does not answer: ${error}`);
      return new http.Response({ status: 502, body: "The origin does not answer\n" });
    }
    if (response.status === 101) {
      await this.#tunnel(exchange, response);
      return undefined;
    }
    const { status, reason, keepAlive } = response;
    const body = keepAlive ? response.body : this.#last(response.body);
    const answered = endToEnd(response.headers);
    // Many say that it is 0, where nobody may say anything: RFC 9110 8.6.
    if (status === 204) answered.delete("Content-Length");
    return new http.Response({ status, reason, headers: answered, body });
  }

  async #ask(request: http.Request): Promise<http.IncomingResponse> {
    this.#origin ??= await net.connect({ host: originHost, port: Number(originPort) });
    // The client may have gone meanwhile.
    if (this.#hasEnded) this.#origin.close();
    return http.request(this.#origin, request, { buffer: this.#buffer, maxBodySize: Infinity });
  }

  /** Both sides have agreed on another protocol: from here on, bytes are bytes. */
  async #tunnel(exchange: http.Exchange, response: http.IncomingResponse): Promise<void> {
    const origin = this.#origin!;
    this.#origin = undefined;
    const client = new core.PrefixedStream(exchange.stream, exchange.release());
    const behind = new core.PrefixedStream(origin, this.#buffer.data());
    const cut = (): void => {
      client.close();
      behind.close();
    };
    stopping.signal.addEventListener("abort", cut);
    try {
      await http.write(client, response);
      await Promise.all([copy(client, behind), copy(behind, client)]);
    } catch {
      // Either side may break off at any time; then so does the other.
    }
    stopping.signal.removeEventListener("abort", cut);
    cut();
  }

  /** The body of a response that the end of the connection ends. */
  #last(body: http.Body): http.Body {
    if (body instanceof Uint8Array) {
      this.#dropOrigin();
      return body;
    }
    const drop = (): void => this.#dropOrigin();
    return {
      size: body.size,
      async *[Symbol.asyncIterator]() {
        try {
          yield* body;
        } finally {
          drop();
        }
      },
    };
  }

  #dropOrigin(): void {
    this.#origin?.close();
    this.#origin = undefined;
    this.#buffer = new core.FlatBuffer();
  }
}

/** The body of a request, and the error that ended it, if one did. */
class ClientBody {
  readonly body: http.Body;
  error: unknown = undefined;

  constructor(body: http.IncomingRequest["body"]) {
    const failed = (error: unknown): unknown => (this.error = error);
    if (body instanceof Uint8Array) this.body = body;
    else {
      this.body = {
        size: body.size,
        get trailers() {
          return body.trailers;
        },
        async *[Symbol.asyncIterator]() {
          try {
            yield* body;
          } catch (error) {
            throw failed(error);
          }
        },
      };
    }
  }
}

/** The target that the origin is asked for, and its Host; undefined if the request names none. */
function destinationOf({
  method,
  target,
  headers,
}: http.Request<http.Body>): { target: string; host: string } | undefined {
  // A client of HTTP/1.0 may send no Host.
  if (target.startsWith("/") || target === "*") return { target, host: headers.first("Host") ?? origin };
  // RFC 9112 3.2.2: the host of the URL replaces that of the header.
  const [, host, rest = ""] = /^https?:\/\/([\w.~%:[\]-]+)([/?].*)?$/i.exec(target) ?? [];
  if (host === undefined) return undefined;
  if (rest === "") return { target: method === "OPTIONS" ? "*" : "/", host };
  return { target: rest.startsWith("/") ? rest : `/${rest}`, host };
}

/** A copy of the fields without those that go no further. */
function endToEnd(headers: http.Fields): http.Fields {
  const options = http.parseTokenList(headers.get("Connection") ?? "") ?? [];
  const named = options.filter((name) => !endToEndNames.test(name));
  const dropped = new Set([...hopByHop, ...named].map((name) => name.toLowerCase()));
  return new http.Fields([...headers].filter(([name]) => !dropped.has(name.toLowerCase())));
}

/** Copies all that comes on one stream to another, at the speed of the slower; at the end of the one, ends the other. */
function copy(from: core.ByteStream, to: core.ByteStream): Promise<void> {
  return core.promised<void>((done) => {
    const read = (): void => {
      from.readSome((error, bytes) => {
        if (error !== undefined || bytes === undefined) {
          to.close();
          done(error);
          return;
        }
        // Borrowed: they are gone when this returns.
        write(new Uint8Array(bytes));
      });
    };
    const write = (bytes: Uint8Array): void => {
      to.writeSome(bytes, (error, written) => {
        if (error !== undefined) {
          from.close();
          done(error);
        } else if (written < bytes.length) write(bytes.subarray(written));
        else read();
      });
    };
    read();
  });
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), 10_000).unref(); // what is unfinished then is cut off
  await listener.close(); // new connections are refused
  stopping.abort(); // each open one ends after the response being made
}
