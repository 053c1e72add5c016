// The same with TLS detected on that port: http, https, ws and wss at once.
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
//     -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
//   npm run example tls-and-plain -- 8443 key.pem cert.pem
import { readFileSync } from "node:fs";
import { core, http, net, websocket } from "serval";

const [port = "8443", key = "key.pem", cert = "cert.pem"] = process.argv.slice(2);
const certificate = { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ["http/1.1"] };

const listener = await net.listen({ port: Number(port) }, (socket) => {
  handle(socket).catch((error: unknown) => console.error(`${socket.peer.address}: ${error}`));
});
console.log(`listening on port ${listener.port}`);

async function handle(socket: net.SocketStream): Promise<void> {
  // Until it is known who speaks: one deadline for the first bytes and the TLS handshake.
  const opening = new net.TimeoutStream(socket);
  opening.expiresAfter(10_000);
  const buffer = new core.FlatBuffer();
  const isTls = await net.detectTls(opening, buffer);
  const seen = new core.PrefixedStream(opening, buffer.data());
  const stream = isTls ? await net.acceptTls(seen, certificate) : seen;
  opening.expiresNever();
  await http.serve(stream, async (request, exchange) => {
    if (request.isUpgrade) {
      const ws = new websocket.Stream(exchange.stream, { message: (ws, message) => ws.write(message) });
      await ws.accept(request, { buffered: exchange.release() });
      return undefined;
    }
    return new http.Response({ body: `You speak ${isTls ? "HTTPS" : "HTTP"}\n` });
  });
}
