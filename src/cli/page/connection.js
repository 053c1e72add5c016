// A WebSocket and its measurements, without any element of the page.
import { meaning, milliseconds, newId, sizeOf } from "./format.js";
import { Series } from "./plot.js";

/** The echo of the page's own server, which also reports on its connections. */
const home = new URL("/echo", location.href);
home.protocol = location.protocol === "https:" ? "wss:" : "ws:";

/** The URL that a new connection begins with. */
export const defaultUrl = home.href;

/** Parses a URL of ws, wss, http or https, or a path on the page's server. Throws if it is invalid. */
export function parseUrl(text) {
  let url;
  try {
    url = new URL(text.trim(), home);
  } catch {
    throw new Error("This is not a URL. A URL looks like wss://host/path.");
  }
  if (!["ws:", "wss:", "http:", "https:"].includes(url.protocol)) {
    throw new Error(`“${url.protocol}” is not the scheme of a WebSocket: use ws: or wss:.`);
  }
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url;
}

/** Whether the URL is the echo of the page's own server. */
export const isHome = (url) => url.origin === home.origin && url.pathname === home.pathname;

/** At most this many messages, and bytes of them, are remembered to time their echoes. */
const mostUnderway = 100_000;
const mostBytesUnderway = 16 * 1024 * 1024;

/** Close codes of a server that is expected back: it restarts, or the connection was lost (RFC 6455 section 7.4.1). */
const comesBack = [1001, 1006, 1012, 1013];
/** The wait before the first attempt to connect again, and the longest wait, in milliseconds. */
const firstWait = 500;
const longestWait = 10_000;

export class Connection {
  /** "idle" before the first attempt, "connecting", "open", "closing", "closed", "waiting" to connect again. */
  state = "idle";
  /** How the connection was closed, or could not be opened; undefined until then. */
  close;
  /** How often it has been tried to connect again since the last connection ended. */
  attempts = 0;
  openedAt;
  protocol = "";
  extensions = "";
  offered = [];
  isHome = false;
  /** Whether the round trip is measured every second. */
  isProbing = false;
  sent = { messages: 0, bytes: 0 };
  received = { messages: 0, bytes: 0 };
  /** Round trips in milliseconds, and messages a second. */
  echo = new Series();
  ping = new Series();
  sentRate = new Series();
  receivedRate = new Series();
  /** The server's statistics of the connection, and the heads of the handshake. */
  statistics;
  handshake;

  #listener;
  #ws;
  #id;
  #begunAt;
  #target;
  #retry;
  #wasOpen = false;
  /** Whether the user has ended it. */
  #isEnded = false;
  #underway = [];
  #firstUnderway = 0;
  #bytesUnderway = 0;
  #probes = new Map();
  #probeCount = 0;
  #isAsking = false;
  #lastTick = { at: 0, sent: 0, received: 0 };

  /** The listener has `log(entry)`, `changed()` for a new state, and `measured()`. */
  constructor(listener) {
    this.#listener = listener;
  }

  get bufferedAmount() {
    return this.#ws?.bufferedAmount ?? 0;
  }

  /** The command that shows why the last attempt failed, for a shell. */
  get inspection() {
    return inspection(this.#target);
  }

  /** How many probes have not returned. */
  get probesUnderway() {
    return this.#probes.size;
  }

  /** Connects to a URL, and again when the server has gone for a while. Throws if the browser refuses the arguments. */
  open(url, protocols) {
    this.#target = { url, protocols };
    this.#isEnded = false;
    this.attempts = 0;
    this.close = undefined;
    this.#begin();
  }

  #begin() {
    const { url, protocols } = this.#target;
    const isHere = isHome(url);
    this.#id = newId();
    const target = new URL(url);
    if (isHere) target.searchParams.set("id", this.#id);
    const ws = new WebSocket(target, protocols);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.#opened(ws);
    ws.onmessage = ({ data }) => this.#received(data);
    ws.onclose = (event) => this.#closed(event);
    this.#ws = ws;
    this.#begunAt = performance.now();
    this.#wasOpen = false;
    this.#forget();
    Object.assign(this, { isHome: isHere, offered: protocols, protocol: "", extensions: "", openedAt: undefined });
    Object.assign(this, { sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 } });
    Object.assign(this, { echo: new Series(), ping: new Series(), sentRate: new Series(), receivedRate: new Series() });
    Object.assign(this, { statistics: undefined, handshake: undefined });
    this.#lastTick = { at: this.#begunAt, sent: 0, received: 0 };
    this.#become("connecting");
  }

  /** Sends a message; false if there is no connection. */
  send(data) {
    if (this.#ws?.readyState !== WebSocket.OPEN) return false;
    const at = performance.now();
    this.#ws.send(data);
    const size = sizeOf(data);
    this.sent.messages++;
    this.sent.bytes += size;
    this.#remember({ data, at, size });
    this.#listener.log({ way: "sent", at, data, size });
    return true;
  }

  /** Closes the connection, or abandons one that is not open yet. */
  end(code, reason) {
    this.#isEnded = true;
    if (this.state === "waiting") {
      clearTimeout(this.#retry);
      this.#log("event", "not connecting again", [], "");
      this.#become("closed");
      return;
    }
    const wasOpen = this.state === "open";
    this.#ws.close(code, reason);
    if (this.#ws.readyState !== WebSocket.CLOSING) return;
    if (wasOpen) this.#log("event", "close sent", [String(code), meaning(code)], reason);
    this.#become("closing");
  }

  /** Forgets the connection: the listener hears nothing more of it. */
  drop() {
    clearTimeout(this.#retry);
    if (this.#ws === undefined) return;
    this.#ws.onopen = this.#ws.onmessage = this.#ws.onclose = null;
    this.#ws.close();
  }

  /** Sends a message of the page itself to time its echo. It is neither logged nor counted. */
  probe() {
    if (this.#ws?.readyState !== WebSocket.OPEN) return false;
    const text = `serval.probe ${this.#id} ${++this.#probeCount}`;
    // The oldest probe is dropped: its answer would be too late to be useful.
    if (this.#probes.size >= 60) this.#probes.delete(this.#probes.keys().next().value);
    this.#probes.set(text, performance.now());
    this.#ws.send(text);
    return true;
  }

  /** Called once a second: records the message rate and measures the round trip. */
  tick(now) {
    if (this.state !== "open") return;
    const { at, sent, received } = this.#lastTick;
    this.#lastTick = { at: now, sent: this.sent.messages, received: this.received.messages };
    this.sentRate.add(now, ((this.sent.messages - sent) * 1000) / (now - at));
    this.receivedRate.add(now, ((this.received.messages - received) * 1000) / (now - at));
    if (this.isProbing) this.probe();
    if (this.isHome) void this.#ask();
  }

  #opened(ws) {
    this.openedAt = performance.now();
    this.#wasOpen = true;
    this.attempts = 0;
    this.close = undefined;
    this.protocol = ws.protocol;
    this.extensions = ws.extensions;
    this.#lastTick.at = this.openedAt;
    const facts = [`after ${milliseconds(this.openedAt - this.#begunAt)}`];
    if (ws.protocol !== "") facts.push(`subprotocol ${ws.protocol}`);
    this.#log("event", "open", facts, "");
    this.#become("open");
    if (this.isProbing) this.probe();
    if (this.isHome) void this.#fetchHandshake();
  }

  #received(data) {
    const at = performance.now();
    const probedAt = typeof data === "string" ? this.#probes.get(data) : undefined;
    if (probedAt !== undefined) {
      this.#probes.delete(data);
      this.echo.add(at, at - probedAt);
      this.#listener.measured();
      return;
    }
    const size = sizeOf(data);
    this.received.messages++;
    this.received.bytes += size;
    this.#listener.log({ way: "received", at, data, size, trip: this.#recall(data, size, at) });
  }

  #closed({ code, reason, wasClean }) {
    this.#forget();
    // The end of the connection stays in view while others are tried.
    const isAgain = this.attempts > 0;
    if (!isAgain) this.close = { code, reason, wasClean, wasOpen: this.#wasOpen, isEnded: this.#isEnded };
    if (this.#wasOpen) {
      const facts = [String(code), meaning(code), wasClean ? "clean" : "not clean"];
      this.#log(wasClean ? "event" : "problem", "closed", facts, reason);
    } else if (this.#isEnded) {
      this.#log("event", "cancelled", [], "");
    } else if (!isAgain) {
      // The code is 1006 for every cause, so it would tell nothing.
      this.#log("problem", "could not connect", ["the browser does not tell why"], this.inspection);
    }
    const returns = this.#wasOpen ? comesBack.includes(code) : isAgain;
    if (returns && !this.#isEnded) this.#wait();
    else this.#become("closed");
  }

  /** Connects again, later each time, but not at once with all other pages. */
  #wait() {
    const longest = Math.min(longestWait, firstWait * 2 ** this.attempts++);
    this.#retry = setTimeout(() => this.#begin(), longest * (0.5 + Math.random() / 2));
    if (this.attempts === 1) this.#log("event", "connecting again", [], "");
    this.#become("waiting");
  }

  #log(way, title, facts, text) {
    this.#listener.log({ way, at: performance.now(), title, facts, text });
  }

  #become(state) {
    this.state = state;
    this.#listener.changed();
  }

  #forget() {
    this.#underway = [];
    this.#firstUnderway = this.#bytesUnderway = 0;
    this.#probes.clear();
  }

  /**
   * Remembers a message until its echo arrives. If there are too many, all are forgotten: no time is better than a
   * wrong one.
   */
  #remember(message) {
    this.#underway?.push(message);
    this.#bytesUnderway += message.size;
    const count = (this.#underway?.length ?? 0) - this.#firstUnderway;
    if (count > mostUnderway || this.#bytesUnderway > mostBytesUnderway) this.#underway = undefined;
  }

  /** The round trip of a message if it is the echo of the oldest one remembered; echoes keep the order. */
  #recall(data, size, at) {
    const oldest = this.#underway?.[this.#firstUnderway];
    if (oldest === undefined || oldest.size !== size || !isSame(oldest.data, data)) return undefined;
    this.#firstUnderway++;
    this.#bytesUnderway -= size;
    if (this.#firstUnderway > 1000) {
      this.#underway.splice(0, this.#firstUnderway);
      this.#firstUnderway = 0;
    } else {
      // Frees the data at once; the array's entry is removed later.
      this.#underway[this.#firstUnderway - 1] = undefined;
    }
    return at - oldest.at;
  }

  /** Asks the server for its statistics of the connection. The server also pings the page, for the next answer. */
  async #ask() {
    // One request at a time, even if the answer is slow.
    if (this.#isAsking) return;
    this.#isAsking = true;
    const id = this.#id;
    try {
      const statistics = await getJson(`/stats?id=${id}`);
      if (id !== this.#id) return;
      const { roundTripTime } = statistics;
      // An identical value is the same measurement, not a new one.
      if (roundTripTime !== undefined && roundTripTime !== this.statistics?.roundTripTime) {
        this.ping.add(performance.now(), roundTripTime);
      }
      this.statistics = statistics;
      this.#listener.measured();
    } catch {
      // The connection is closing or the server is gone; the WebSocket's own events report it.
    } finally {
      this.#isAsking = false;
    }
  }

  /** Fetches the handshake's bytes from the server, since browsers hide them. */
  async #fetchHandshake() {
    const id = this.#id;
    let handshake;
    try {
      handshake = await getJson(`/handshake?id=${id}`);
    } catch (error) {
      handshake = { problem: `This is not known: ${error.message}.` };
    }
    if (id !== this.#id) return;
    this.handshake = handshake;
    this.#listener.changed();
  }
}

/** The command that shows why a connection is not made; it asks as this page did. */
function inspection({ url, protocols }) {
  const offers = protocols.map((protocol) => `--protocol ${quoted(protocol)} `).join("");
  return `serval inspect --origin ${location.origin} ${offers}${quoted(url.href)}`;
}

/** An argument for a shell, which leaves what stands in single quotes as it is. */
function quoted(argument) {
  return /^[\w:/.,@%+=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

async function getJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

function isSame(one, other) {
  if (typeof one === "string" || typeof other === "string") return one === other;
  const [a, b] = [new Uint8Array(one), new Uint8Array(other)];
  return a.every((byte, i) => byte === b[i]);
}
