import { escapedLine, escapedWords } from "../shared/escape.ts";
import type { Failure, Inspection, TlsFindings } from "./inspection.ts";

// What an inspection comes to, in a sentence or two: what it means, and what to do about it. Pure.

/** The verdict on what was found. */
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
        ? "The WebSocket opened, but no pong came: the server does not answer pings, or something on the way holds frames back. Connections will look dead to peers that check them by pings."
        : `The WebSocket opened, but ended at once: ${sentence(failure.message)} Look into the server's log; it may want a subprotocol (-p), a token or an Origin (-H, --origin).`;
    case "close":
      return "The WebSocket opened and answers pings, but the server did not answer the close frame: it drops connections where it should close them. Messages get through all the same.";
  }
}

function success({ tls, handshake, ping }: Inspection): string {
  const agreed = [
    handshake?.protocol && `with the subprotocol ${escapedLine(handshake.protocol)}`,
    handshake?.extensions && "with an extension",
  ].filter(Boolean);
  const how = agreed.length > 0 ? ` ${agreed.join(" and ")}` : "";
  const warning =
    tls?.trusted === false
      ? " But the certificate is not to be trusted, and was accepted only since --insecure said so."
      : "";
  return `All is well: the WebSocket opens${how}, answers pings (${ping!.median.toFixed(1)} ms) and closes in order.${warning}`;
}

function unreachable({ code, message }: Failure, { dns }: Inspection): string {
  const several = dns !== undefined && dns.addresses.length > 1 ? " at any of the addresses" : "";
  switch (code) {
    case "net.connection_refused":
      return `Nobody listens there${several}: is the server running, and is this its port?`;
    case "core.timeout":
      return `Nothing answers there${several}: a firewall drops the connection, or the address is wrong.`;
    default:
      return `No connection could be made: ${sentence(message)}`;
  }
}

function throughProxy({ code, message, response }: Failure): string {
  if (response?.status === 407)
    return "The proxy wants a user and password: put them into its URL, http://USER:PASSWORD@HOST:PORT.";
  if (response !== undefined) {
    return `The proxy refused to connect (${statusOf(response)}): it does not reach the server, or does not allow its port.`;
  }
  if (code === "core.timeout")
    return "The proxy did not answer in time: is it an HTTP proxy, and can it reach the server?";
  return `What is there does not work as an HTTP proxy: ${sentence(message)}`;
}

/** What OpenSSL's words for a certificate mean. */
const certificates: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "has expired: the server needs a new one"],
  [/^CERT_NOT_YET_VALID$/, "is not valid yet: compare the clocks of both machines"],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "is for another host: use a name that stands in it, or have one issued for this name",
  ],
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, "is self-signed: if it is the one you expect, pass it with --ca"],
  [
    /^SELF_SIGNED_CERT_IN_CHAIN$/,
    "is of an authority that is not known here: if you trust it, pass its certificate with --ca",
  ],
  [
    /^UNABLE_TO_/,
    "is of an authority that is not known here: if you trust that, pass its certificate with --ca; if it is a public one, the server does not send the certificates between",
  ],
];

function badTls({ code, message }: Failure, tls: TlsFindings | undefined): string {
  if (code === "net.bad_certificate") {
    const [, why] = certificates.find(([word]) => word.test(tls?.reason ?? "")) ?? [];
    return `The server's certificate ${why ?? `is not accepted (${tls?.reason})`}. --insecure goes on without looking at it.`;
  }
  if (message.includes("does not speak TLS")) {
    return "The port does not speak TLS: try the same URL with ws: in the place of wss:, or the port that TLS is on.";
  }
  if (code === "core.timeout") {
    return "The server did not answer the TLS handshake in time: the port may speak something else; try ws:, or another port.";
  }
  return `TLS failed: ${sentence(message)} Perhaps the port does not speak TLS (try ws:), or the two sides have no version or cipher in common.`;
}

/** What breaks the rules in a 101. */
const broken: Readonly<Record<string, string>> = {
  "websocket.bad_sec_accept":
    "The server answered the handshake with a wrong Sec-WebSocket-Accept: it is broken, or a cache in between gave the answer of another connection.",
  "websocket.no_sec_accept":
    "The server switched protocols without a Sec-WebSocket-Accept: it upgrades to something else, or is no WebSocket server.",
  "websocket.bad_sec_protocol":
    "The server chose a subprotocol that was not offered: offer the one it wants with -p, or mend the server.",
  "websocket.bad_sec_extensions": "The server agreed to an extension that was not offered: the server is to be mended.",
};

function noAnswer({ code, message, speaksTls }: Failure, { handshake }: Inspection, isSecure: boolean): string {
  if (speaksTls === true) return "The port speaks TLS: use wss: in the place of ws:.";
  if (code in broken) return broken[code]!;
  const nothing = handshake === undefined || handshake.response === "";
  if (code === "core.timeout") {
    return nothing
      ? "The server took the connection and said nothing: it does not speak HTTP on this port, or is stuck."
      : "The server began to answer the handshake, but did not end it in time.";
  }
  if (nothing) {
    const tls = isSecure ? "" : " It may expect TLS (try wss:).";
    return `The server ended the connection without an answer: it may not speak HTTP on this port.${tls}`;
  }
  if (handshake.response.startsWith("HTTP/2") || handshake.response.startsWith("\0\0")) {
    return "The port speaks HTTP/2 alone: WebSockets of this kind need HTTP/1.1 there.";
  }
  return `What answers is no WebSocket server: ${sentence(message)}`;
}

function refused({ code, speaksTls }: Failure, response: NonNullable<Failure["response"]>, url: string): string {
  // A 101 that is wrong.
  if (response.status === 101) {
    return (
      broken[code] ??
      "The server switched protocols, but not to WebSocket: Upgrade or Connection are missing or wrong in its answer. A proxy in between may take them out."
    );
  }
  if (speaksTls === true)
    return "The port speaks TLS, as its answer to a plain request says: use wss: in the place of ws:.";
  return `The server answered ${statusOf(response)}: ${meaning(response, url)}`;
}

const notPassedOn =
  "a proxy in front that does not pass Upgrade on (nginx: proxy_http_version 1.1, and proxy_set_header for Upgrade and Connection)";

function meaning({ status, headers }: NonNullable<Failure["response"]>, url: string): string {
  const location = headers["location"];
  if (location !== undefined && status >= 300 && status < 400) {
    // As the client itself would have it; ws: and http: are the same, but not to the platform's URL.
    const place = URL.canParse(location, url) ? new URL(location, url).href : location;
    return `the WebSocket is elsewhere; try ${escapedLine(place).replace(/^http/i, "ws")}.`;
  }
  switch (status) {
    case 200:
      return `an ordinary page is there, no WebSocket: check the path, or look for ${notPassedOn}.`;
    case 400:
      return `the request arrived, but not as a handshake that the server takes: look at what it says, and for ${notPassedOn}.`;
    case 401:
      return `it wants to know who you are: give it what it takes, with -H "Authorization: …", a Cookie, or user and password in the URL.`;
    case 403:
      return "you may not: credentials are missing or wrong (-H), or it takes connections of certain pages alone (--origin).";
    case 404:
      return "there is nothing at this path: check it; many servers have their WebSocket at /ws or the like.";
    case 407:
      return "a proxy on the way wants a user and password: put them into --proxy.";
    case 426:
      return headers["sec-websocket-version"] === undefined
        ? `it wants an upgrade that it has been asked for already: look for ${notPassedOn}.`
        : `it speaks other versions of WebSocket (${escapedLine(headers["sec-websocket-version"])}) than 13.`;
    case 429:
      return "there were too many requests: wait, and try again.";
    case 502:
    case 504:
      return "a proxy in front does not reach the server behind it: is that running, and does the proxy pass Upgrade on to it?";
    case 503:
      return "it is overloaded or down for now: try again later.";
    default:
      return status >= 500
        ? "it failed: look into its log."
        : `no WebSocket; the path may be wrong, or there is ${notPassedOn}.`;
  }
}

function statusOf({ status, reason }: { status: number; reason: string }): string {
  return escapedLine(`${status} ${reason}`.trimEnd());
}

/** With a full stop, on one line. */
function sentence(message: string): string {
  const line = escapedWords(message);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
