// The same with TLS detected on that port: http, https, ws and wss at once.
//   npm run example tls-and-plain -- 8443 key.pem cert.pem
// Without the two files it says how to make them.
import { existsSync, readFileSync } from "node:fs";
import { core, http, net, websocket } from "serval";

const [port = "8443", key = "key.pem", cert = "cert.pem"] = process.argv.slice(2);
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`"${port}" is no port: the first argument is a number from 0 to 65535, such as 8443`);
  process.exit(1);
}
if (!existsSync(key) || !existsSync(cert)) {
  console.error(`There is no ${existsSync(key) ? cert : key}. To make a key and a certificate to try this with:
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \\
    -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`);
  process.exit(1);
}
const certificate = { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ["http/1.1"] };

const stopping = new AbortController();
const sockets = new Set<websocket.Stream>();
const listener = await net.listen({ port: Number(port) }, (socket) => {
  handle(socket).catch((error: unknown) => console.error(`${socket.peer.address}: ${error}`));
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on https://localhost:${listener.port}/ and http://localhost:${listener.port}/`);

async function handle(socket: net.SocketStream): Promise<void> {
  // Until it is known who speaks: one deadline for the first bytes and the TLS handshake.
  const opening = new net.TimeoutStream(socket);
  opening.expiresAfter(10_000);
  const buffer = new core.FlatBuffer();
  const isTls = await net.detectTls(opening, buffer);
  const seen = new core.PrefixedStream(opening, buffer.data());
  const stream = isTls ? await net.acceptTls(seen, certificate) : seen;
  opening.expiresNever();
  const answer: http.RequestHandler = async (request, exchange) => {
    if (websocket.isUpgrade(request)) {
      const ws = new websocket.Stream(exchange.stream, {
        open: (ws) => void sockets.add(ws),
        message: (ws, message) => ws.write(message),
        close: (ws) => void sockets.delete(ws),
      });
      await ws.accept(request, { buffered: exchange.release() });
      return undefined;
    }
    return new http.Response({ body: `You speak ${isTls ? "HTTPS" : "HTTP"}\n` });
  };
  await http.serve(stream, answer, { stop: stopping.signal });
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), 10_000).unref(); // what is unfinished then is cut off
  await listener.close(); // new connections are refused
  stopping.abort(); // each open one ends after the response being made
  for (const ws of sockets) void ws.close({ code: 1001 });
}
