import { randomBytes } from "node:crypto";
// Each as the object that `require` gives: tools that trace a program replace functions there.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { unescape } from "node:querystring";
import type { Duplex } from "node:stream";
import tls from "node:tls";

import { parsedUrl, placeOf, whyInvalid, type Place } from "./client-url.ts";
import { extension } from "./extension.ts";
import {
  abortHandshake,
  acceptOf,
  connectionDefaults,
  emitErrorAndClose,
  isAborted,
  readyState,
  type OpeningWebSocket,
} from "./opening.ts";
import { PerMessageDeflate } from "./permessage-deflate.ts";
import type { ClientOptions } from "./types.ts";

const versions = [8, 13];
const subprotocolPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const defaults: ClientOptions = {
  ...connectionDefaults,
  followRedirects: false,
  maxRedirects: 10,
  perMessageDeflate: true,
  protocolVersion: 13,
};

/**
 * The opening handshake as the client (RFC 6455 section 4.1), over `http.request`. Calls `ws.setSocket` once it has
 * succeeded, or emits `error` and `close`; meanwhile `upgrade`, `unexpected-response` and `redirect`.
 *
 * Returns the options with their defaults; one that is there and undefined stays so, as in `ws`. Throws `SyntaxError` for an invalid URL or subprotocol, and `RangeError` for
 * an unknown version.
 */
export function openAsClient(
  ws: OpeningWebSocket,
  address: string | URL,
  protocols: readonly string[],
  options: ClientOptions = {},
): ClientOptions {
  const settings: ClientOptions = { ...defaults, ...options };
  const { protocolVersion } = settings;
  if (!versions.includes(protocolVersion!)) {
    const supported = `(supported versions: ${versions.join(", ")})`;
    throw new RangeError(`Unsupported protocol version: ${protocolVersion} ${supported}`);
  }
  new ClientOpening(ws, protocols, settings).open(address);
  return settings;
}

type Connect = NonNullable<http.ClientRequestArgs["createConnection"]>;

/** What is sent in one request. */
interface Attempt {
  readonly url: URL;
  readonly place: Place;
  readonly key: string;
  readonly deflate: PerMessageDeflate | undefined;
  readonly request: http.ClientRequest;
}

/** An opening handshake, with all its redirects. */
class ClientOpening {
  readonly #ws: OpeningWebSocket;
  readonly #protocols: readonly string[];
  readonly #settings: ClientOptions;
  /** Where the first request went, if redirects are followed. */
  #first: Place | undefined;
  /** What a redirect repeats of the first request's headers; the names are in lower case. */
  #repeated: Record<string, unknown> = {};

  constructor(ws: OpeningWebSocket, protocols: readonly string[], settings: ClientOptions) {
    this.#ws = ws;
    this.#protocols = protocols;
    this.#settings = settings;
  }

  /** Sends the first request. Throws for an invalid URL or subprotocol. */
  open(address: string | URL): void {
    const url = parsedUrl(address);
    this.#ws._url = url.href;
    const invalid = whyInvalid(url);
    if (invalid !== undefined) throw new SyntaxError(invalid);
    this.#checkProtocols();
    this.#send(url);
  }

  #checkProtocols(): void {
    const protocols = new Set(this.#protocols);
    const isValid = (name: unknown): boolean => typeof name === "string" && subprotocolPattern.test(name);
    if (protocols.size === this.#protocols.length && this.#protocols.every(isValid)) return;
    throw new SyntaxError("An invalid or duplicated subprotocol was specified");
  }

  #redirect(location: string, from: URL): void {
    let url: URL;
    try {
      url = parsedUrl(new URL(location, from));
    } catch {
      emitErrorAndClose(this.#ws, new SyntaxError(`Invalid URL: ${location}`));
      return;
    }
    this.#ws._url = url.href;
    const invalid = whyInvalid(url);
    if (invalid === undefined) this.#send(url);
    else emitErrorAndClose(this.#ws, new SyntaxError(invalid));
  }

  // ---- the request ----

  #send(url: URL): void {
    const ws = this.#ws;
    const place = placeOf(url);
    const key = randomBytes(16).toString("base64");
    const { perMessageDeflate, maxPayload, finishRequest } = this.#settings;
    const deflate = perMessageDeflate
      ? new PerMessageDeflate({
          ...Object(perMessageDeflate),
          isServer: false,
          ...(maxPayload === undefined ? {} : { maxPayload }),
        })
      : undefined;
    const request = this.#request(url, place, this.#headers(key, deflate));
    ws._req = request;
    // Before the listeners below: a listener may destroy the request with an error and also close the WebSocket, and that
    // error still has to be told.
    if (ws._redirects > 0) ws.emit("redirect", ws._url, request);
    this.#listen({ url, place, key, deflate, request });
    if (finishRequest) finishRequest(request, ws as never);
    else request.end();
  }

  #headers(key: string, deflate: PerMessageDeflate | undefined): Record<string, unknown> {
    const { headers, origin, protocolVersion } = this.#settings;
    const isFirst = this.#ws._redirects === 0;
    const all: Record<string, unknown> = {
      ...(isFirst ? headers : this.#repeated),
      "Sec-WebSocket-Version": protocolVersion,
      "Sec-WebSocket-Key": key,
      Connection: "Upgrade",
      Upgrade: "websocket",
    };
    if (deflate !== undefined) {
      all["Sec-WebSocket-Extensions"] = extension.format({ [PerMessageDeflate.extensionName]: deflate.offer() });
    }
    if (this.#protocols.length > 0) all["Sec-WebSocket-Protocol"] = this.#protocols.join(",");
    if (origin) all[protocolVersion === 13 ? "Origin" : "Sec-WebSocket-Origin"] = origin;
    return all;
  }

  #request(url: URL, place: Place, headers: Record<string, unknown>): http.ClientRequest {
    const { createConnection, handshakeTimeout, defaultPort, auth, followRedirects } = this.#settings;
    const userinfo = `${unescape(url.username)}:${unescape(url.password)}`;
    const options: https.RequestOptions = {
      ...(this.#settings as object),
      // What `ws` doesn't take, or the URL says.
      hostname: undefined,
      protocol: undefined,
      method: "GET",
      createConnection: (createConnection as Connect | undefined) ?? (place.isSecure ? connectTls : connectPlain),
      defaultPort: defaultPort || place.defaultPort,
      host: place.host,
      port: place.port,
      path: place.path,
      socketPath: place.socketPath,
      headers: headers as http.OutgoingHttpHeaders,
      timeout: handshakeTimeout,
      auth: url.username || url.password ? userinfo : auth,
    };
    if (followRedirects) this.#holdCredentials(place, options);
    return (place.isSecure ? https : http).request(options);
  }

  /** The first request's credentials go to other places only if the application looks at each `redirect`. */
  #holdCredentials(place: Place, options: https.RequestOptions): void {
    const first = (this.#first ??= place);
    if (this.#ws._redirects === 0) {
      for (const [name, value] of Object.entries(this.#settings.headers ?? {})) {
        this.#repeated[name.toLowerCase()] = value;
      }
    } else if (this.#ws.listenerCount("redirect") === 0) {
      const headers = options.headers as http.OutgoingHttpHeaders;
      const isSame = place.isLocal === first.isLocal && place.origin === first.origin;
      if (!isSame) delete headers["host"];
      if (!isSame || (first.isSecure && !place.isSecure)) {
        delete headers["authorization"];
        delete headers["cookie"];
        options.auth = undefined;
      }
    }
    // The first of them is used by all that follow.
    if (options.auth) this.#repeated["authorization"] ??= `Basic ${Buffer.from(options.auth).toString("base64")}`;
  }

  // ---- the answer ----

  #listen(attempt: Attempt): void {
    const ws = this.#ws;
    const { request } = attempt;
    if (this.#settings.handshakeTimeout) {
      request.on("timeout", () => abortHandshake(ws, request, "Opening handshake has timed out"));
    }
    request.on("error", (error) => {
      if (ws._req !== request || isAborted(request)) return;
      ws._req = null;
      emitErrorAndClose(ws, error);
    });
    request.on("response", (response) => this.#onResponse(attempt, response));
    request.on("upgrade", (response, socket, head) => this.#onUpgrade(attempt, response, socket, head));
  }

  #onResponse({ url, request }: Attempt, response: http.IncomingMessage): void {
    const ws = this.#ws;
    const { followRedirects, maxRedirects } = this.#settings;
    const { statusCode = 0, headers } = response;
    if (headers.location && followRedirects && statusCode >= 300 && statusCode < 400) {
      if (++ws._redirects > maxRedirects!) abortHandshake(ws, request, "Maximum redirects exceeded");
      else {
        request.destroy();
        this.#redirect(headers.location, url);
      }
    } else if (!ws.emit("unexpected-response", request, response)) {
      abortHandshake(ws, request, `Unexpected server response: ${statusCode}`);
    }
  }

  #onUpgrade(attempt: Attempt, response: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const ws = this.#ws;
    ws.emit("upgrade", response);
    // A listener may have closed it.
    if (ws.readyState !== readyState.connecting) return;
    ws._req = null;
    const wrong = this.#whatIsWrong(attempt, response.headers);
    if (wrong !== undefined) abortHandshake(ws, socket, wrong);
    else ws.setSocket(socket, head, this.#settings);
  }

  /** RFC 6455 section 4.1: checks the response's headers, and takes what they agree to. */
  #whatIsWrong({ key, deflate }: Attempt, headers: http.IncomingHttpHeaders): string | undefined {
    if (headers.upgrade?.toLowerCase() !== "websocket") return "Invalid Upgrade header";
    if (headers["sec-websocket-accept"] !== acceptOf(key)) return "Invalid Sec-WebSocket-Accept header";
    return (
      this.#takeProtocol(headers["sec-websocket-protocol"]) ??
      this.#takeExtensions(headers["sec-websocket-extensions"], deflate)
    );
  }

  #takeProtocol(protocol: string | undefined): string | undefined {
    const isAsked = this.#protocols.length > 0;
    if (protocol === undefined) return isAsked ? "Server sent no subprotocol" : undefined;
    if (!isAsked) return "Server sent a subprotocol but none was requested";
    if (!this.#protocols.includes(protocol)) return "Server sent an invalid subprotocol";
    this.#ws._protocol = protocol;
    return undefined;
  }

  #takeExtensions(header: string | undefined, deflate: PerMessageDeflate | undefined): string | undefined {
    if (header === undefined) return undefined;
    if (deflate === undefined) return "Server sent a Sec-WebSocket-Extensions header but no extension was requested";
    const name = PerMessageDeflate.extensionName;
    try {
      const extensions = extension.parse(header);
      const [first, another] = Object.keys(extensions);
      if (first !== name || another !== undefined) return "Server indicated an extension that was not requested";
      deflate.accept(extensions[name]!);
    } catch {
      return "Invalid Sec-WebSocket-Extensions header";
    }
    this.#ws._extensions[name] = deflate;
    return undefined;
  }
}

// ---- sockets ----

function connectPlain(options: http.ClientRequestArgs): net.Socket {
  return net.connect({ ...options, path: options.socketPath } as net.NetConnectOpts);
}

function connectTls(options: http.ClientRequestArgs): tls.TLSSocket {
  const { host, servername } = options as tls.ConnectionOptions;
  return tls.connect({
    ...(options as tls.ConnectionOptions),
    path: undefined,
    servername: servername || servername === "" ? servername : net.isIP(host!) ? "" : host,
  });
}
