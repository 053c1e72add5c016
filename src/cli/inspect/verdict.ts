import { escapedLine, escapedWords } from "../shared/escape.ts";
import type { Failure, Inspection, TlsFindings } from "./inspection.ts";

// The conclusion of an inspection in a sentence or two: what it means, and what to do about it. Pure.

/** The conclusion from what was found. */
export function verdictOf(found: Inspection): string {
  const { failure } = found;
  if (failure === undefined) return success(found);
  const isSecure = /^(?:wss|https):/i.test(found.url);
  switch (failure.step) {
    case "dns":
      return failure.code === "core.timeout"
        ? "The name server did not answer in time: check the machine's network and DNS settings."
        : "The name has no address: check its spelling, and the machine's DNS settings.";
    case "tcp":
      return unreachable(failure, found);
    case "proxy":
      return throughProxy(failure);
    case "tls":
      return badTls(failure, found.tls);
    case "handshake":
      return failure.response === undefined
        ? noAnswer(failure, found, isSecure)
        : refused(failure, failure.response, found.url);
    case "ping":
      return failure.code === "core.timeout"
        ? "The WebSocket opened, but no pong came: the server does not answer pings, or something between holds frames back. Peers that check connections by pings will consider them dead."
        : `The WebSocket opened, but ended at once: ${sentence(failure.message)} Look into the server's log; it may want a subprotocol (-p), a token or an Origin (-H, --origin).`;
    case "close":
      return "The WebSocket opened and answers pings, but the server did not answer the close frame: it drops connections instead of closing them. Messages still get through.";
  }
}

function success({ tls, handshake, ping }: Inspection): string {
  const agreed = [
    handshake?.protocol && `with the subprotocol ${escapedLine(handshake.protocol)}`,
    handshake?.extensions && "with an extension",
  ].filter(Boolean);
  const how = agreed.length > 0 ? ` ${agreed.join(" and ")}` : "";
  const warning =
    tls?.trusted === false ? " But the certificate can't be trusted; it was accepted only because of --insecure." : "";
  return `All is well: the WebSocket opens${how}, answers pings (${ping!.median.toFixed(1)} ms) and closes cleanly.${warning}`;
}

function unreachable({ code, message }: Failure, { dns }: Inspection): string {
  const several = dns !== undefined && dns.addresses.length > 1 ? " at any of the addresses" : "";
  switch (code) {
    case "net.connection_refused":
      return `Nothing listens there${several}: is the server running, and is this its port?`;
    case "core.timeout":
      return `Nothing answers there${several}: a firewall drops the connection, or the address is wrong.`;
    default:
      return `No connection could be made: ${sentence(message)}`;
  }
}

function throughProxy({ code, message, response }: Failure): string {
  if (response?.status === 407)
    return "The proxy requires a user and password: put them into its URL, http://USER:PASSWORD@HOST:PORT.";
  if (response !== undefined) {
    return `The proxy refused to connect (${statusOf(response)}): it can't reach the server, or does not allow its port.`;
  }
  if (code === "core.timeout")
    return "The proxy did not answer in time: is it an HTTP proxy, and can it reach the server?";
  return `This does not work as an HTTP proxy: ${sentence(message)}`;
}

/** What OpenSSL's errors mean. */
const certificates: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "has expired: the server needs a new one"],
  [/^CERT_NOT_YET_VALID$/, "is not valid yet: compare the clocks of both machines"],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "is for another host: use one of the names in it, or get one issued for this name",
  ],
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, "is self-signed: if it is the one you expect, pass it with --ca"],
  [/^SELF_SIGNED_CERT_IN_CHAIN$/, "is of an unknown authority: if you trust it, pass its certificate with --ca"],
  [
    /^UNABLE_TO_/,
    "is of an unknown authority: if you trust it, pass its certificate with --ca; if the authority is a public one, the server does not send the intermediate certificates",
  ],
];

function badTls({ code, message }: Failure, tls: TlsFindings | undefined): string {
  if (code === "net.bad_certificate") {
    const [, why] = certificates.find(([word]) => word.test(tls?.reason ?? "")) ?? [];
    return `The server's certificate ${why ?? `is not accepted (${tls?.reason})`}. --insecure connects without checking it.`;
  }
  if (message.includes("does not speak TLS")) {
    return "The port does not speak TLS: try the same URL with ws: instead of wss:, or the port that speaks TLS.";
  }
  if (code === "core.timeout") {
    return "The server did not answer the TLS handshake in time: the port may not speak TLS; try ws:, or another port.";
  }
  return `TLS failed: ${sentence(message)} Perhaps the port does not speak TLS (try ws:), or the two sides have no version or cipher in common.`;
}

/** What is wrong with a 101 response, by error code. */
const broken: Readonly<Record<string, string>> = {
  "websocket.bad_sec_accept":
    "The server answered the handshake with a wrong Sec-WebSocket-Accept: it is broken, or a cache between returned the response to another connection.",
  "websocket.no_sec_accept":
    "The server switched protocols without a Sec-WebSocket-Accept: it switched to another protocol, or is no WebSocket server.",
  "websocket.bad_sec_protocol":
    "The server chose a subprotocol that was not offered: offer that one with -p, or fix the server.",
  "websocket.bad_sec_extensions": "The server agreed to an extension that was not offered: fix the server.",
};

function noAnswer({ code, message, speaksTls }: Failure, { handshake }: Inspection, isSecure: boolean): string {
  if (speaksTls === true) return "The port speaks TLS: use wss: instead of ws:.";
  if (code in broken) return broken[code]!;
  const nothing = handshake === undefined || handshake.response === "";
  if (code === "core.timeout") {
    return nothing
      ? "The server accepted the connection and sent nothing: it does not speak HTTP on this port, or hangs."
      : "The server began to answer the handshake, but did not complete the response in time.";
  }
  if (nothing) {
    const tls = isSecure ? "" : " It may expect TLS (try wss:).";
    return `The server ended the connection without a response: it may not speak HTTP on this port.${tls}`;
  }
  if (handshake.response.startsWith("HTTP/2") || handshake.response.startsWith("\0\0")) {
    return "The port speaks only HTTP/2: the handshake needs HTTP/1.1.";
  }
  return `This is no WebSocket server: ${sentence(message)}`;
}

function refused({ code, speaksTls }: Failure, response: NonNullable<Failure["response"]>, url: string): string {
  // A 101 response that breaks the rules.
  if (response.status === 101) {
    return (
      broken[code] ??
      "The server switched protocols, but not to WebSocket: Upgrade or Connection is missing or wrong in its response. A proxy between may have removed them."
    );
  }
  if (speaksTls === true)
    return "The port speaks TLS, as its response to a plain request says: use wss: instead of ws:.";
  return `The server answered ${statusOf(response)}: ${meaning(response, url)}`;
}

const notPassedOn =
  "a proxy in front that does not pass Upgrade on (nginx: proxy_http_version 1.1, and proxy_set_header for Upgrade and Connection)";

function meaning({ status, headers }: NonNullable<Failure["response"]>, url: string): string {
  const location = headers["location"];
  if (location !== undefined && status >= 300 && status < 400) {
    // Resolved as the client resolves it. http: and ws: mean the same here, but `URL` compares them as different.
    const place = URL.canParse(location, url) ? new URL(location, url).href : location;
    return `the WebSocket is elsewhere; try ${escapedLine(place).replace(/^http/i, "ws")}.`;
  }
  switch (status) {
    case 200:
      return `an ordinary page is there, no WebSocket: check the path, or look for ${notPassedOn}.`;
    case 400:
      return `the request arrived, but the server does not accept it as a handshake: read its response, and look for ${notPassedOn}.`;
    case 401:
      return `it requires credentials: send them with -H "Authorization: …", a Cookie, or user and password in the URL.`;
    case 403:
      return "access is denied: credentials are missing or wrong (-H), or it accepts connections from certain pages only (--origin).";
    case 404:
      return "there is nothing at this path: check it; many servers have their WebSocket at /ws or the like.";
    case 407:
      return "a proxy between requires a user and password: put them into --proxy.";
    case 426:
      return headers["sec-websocket-version"] === undefined
        ? `it requires an upgrade although one was requested: look for ${notPassedOn}.`
        : `it speaks other versions of WebSocket (${escapedLine(headers["sec-websocket-version"])}) than 13.`;
    case 429:
      return "there were too many requests: wait, and try again.";
    case 502:
    case 504:
      return "a proxy in front can't reach its server: is that running, and does the proxy pass Upgrade on to it?";
    case 503:
      return "it is overloaded or down for now: try again later.";
    default:
      return status >= 500
        ? "it failed: read its log."
        : `this is no WebSocket; the path may be wrong, or there is ${notPassedOn}.`;
  }
}

function statusOf({ status, reason }: { status: number; reason: string }): string {
  return escapedLine(`${status} ${reason}`.trimEnd());
}

/** The message on one line, with a full stop. */
function sentence(message: string): string {
  const line = escapedWords(message);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
