const inTls = "tls: it is part of tls, as in { tls: { cert, key } }";
const mounts = "port: mount(server, options) takes an existing server";
const byUpgrade = "upgrade: the hook upgrade chooses, by { protocol } in its result";
const byControl = "control: the handler control gets pings and pongs";
const inUrl = "redirects: it is part of the URL";
const forever = "redirects: connect.forever connects again";

/**
 * Options of `ws`, Bun, uWebSockets.js, Socket.IO, fetch and `node:http`, in lower case, with their equivalents here. A
 * hint applies if the taker has the option that it begins with; text after a colon is shown unchanged.
 */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  agent: ["proxy"],
  auth: ["redirects: put user and password into the URL, a token into headers, as in { headers: { Authorization } }"],
  autoreconnect: [forever],
  backpressurelimit: ["maxBufferedAmount"],
  binary: ["kind: bytes are sent as binary and strings as text, unless kind says otherwise"],
  binarytype: ['text: binary messages are Uint8Arrays; with { text: "bytes" } so are texts'],
  cert: [inTls],
  clienttracking: ["open: server.sockets has all open connections"],
  closeonbackpressurelimit: ["overflow"],
  closetimeout: ["timeouts.handshake"],
  compression: ["deflate"],
  connecttimeout: ["timeouts.handshake"],
  cors: ["origins"],
  disconnect: ["close"],
  dropped: ["overflow"],
  extraheaders: ["headers"],
  fields: ["headers"],
  followredirects: ["redirects"],
  handleprotocols: [byUpgrade],
  handler: ["message"],
  handshaketimeout: ["timeouts.handshake"],
  headers: ["upgrade: the result of upgrade has headers, and decorate can add to every response"],
  headerstimeout: ["timeouts.header"],
  heartbeat: ["timeouts.idle"],
  hostname: ["host"],
  idletimeout: ["timeouts.idle"],
  keepalivetimeout: ["timeouts.keepAlive"],
  key: [inTls],
  maxbackpressure: ["maxBufferedAmount"],
  maxhttpbuffersize: ["maxMessageSize"],
  maxpayload: ["maxMessageSize"],
  maxpayloadlength: ["maxMessageSize"],
  maxredirects: ["redirects"],
  noserver: [mounts],
  origin: ["redirects: it is a header, as in { headers: { Origin } }", "origins"],
  path: ["unix: the path of a Unix socket is unix", inUrl],
  permessagedeflate: ["deflate"],
  ping: [byControl],
  pinginterval: ["timeouts.idle"],
  pingtimeout: ["timeouts.idle"],
  pong: [byControl],
  protocol: [byUpgrade, "protocols"],
  protocols: [byUpgrade],
  publishtoself: ["message: server.publish sends to all subscribers, ws.publish to the others"],
  query: [inUrl],
  reconnect: [forever],
  reconnection: [forever],
  requesttimeout: ["timeouts.body"],
  retries: ["retry: retry(error, { attempt }) returns false to give up", forever],
  routes: ["fetch: the handler fetch answers every plain request"],
  sendpings: ["timeouts.keepAlivePings"],
  sendpingsautomatically: ["timeouts.keepAlivePings"],
  server: [mounts],
  skiputf8validation: ["message: text is always checked, as RFC 6455 section 8.1 requires"],
  ssl: [inTls],
  status: ["code"],
  subprotocols: ["protocols", byUpgrade],
  subscription: ["open: ws.subscribe(topic) subscribes, ws.unsubscribe(topic) unsubscribes"],
  timeout: ["timeouts", "signal: a signal ends it, as in { signal: AbortSignal.timeout(5000) }"],
  trustproxy: ["proxies"],
  verifyclient: ["upgrade: the hook upgrade decides, and refuses by returning a response"],
  websocket: ["message: handlers are among the other options, as in { port, message(ws, message) { … } }"],
  zlibdeflateoptions: ["level: level and memLevel are in deflate itself"],
  zlibinflateoptions: ["level: inflating needs no options"],
};

/** Advice for an option name of another library, for a taker with these options; undefined if there is none. */
export function ofOtherLibraries(name: string, names: readonly string[]): string | undefined {
  const hints = Object.hasOwn(elsewhere, name.toLowerCase()) ? elsewhere[name.toLowerCase()] : [];
  const hint = hints.find((each) => names.includes(/^\w+/.exec(each)![0]));
  if (hint === undefined) return undefined;
  const words = /^\w+: (.*)$/.exec(hint);
  return words === null ? `did you mean ${hint}?` : words[1];
}
