// HTTP and WebSocket on one plain port, with every connection in your own hands.
//   npm run example http-and-websocket -- 8080
import { http, net, websocket } from "serval";

const [port = "8080"] = process.argv.slice(2);
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`"${port}" is no port: the first argument is a number from 0 to 65535, such as 8080`);
  process.exit(1);
}

const stopping = new AbortController();
const sockets = new Set<websocket.Stream>();
const listener = await net.listen({ port: Number(port) }, (stream) => {
  http.serve(stream, answer, { stop: stopping.signal }, (error) => {
    if (error !== undefined) console.error(`${stream.peer.address}: ${error.code}: ${error.message}`);
  });
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on http://localhost:${listener.port}/`);

async function answer(
  request: http.IncomingRequest,
  exchange: http.Exchange,
): Promise<http.Response<http.Body> | undefined> {
  if (websocket.isUpgrade(request)) {
    const ws = new websocket.Stream(exchange.stream, {
      open: (ws) => void sockets.add(ws),
      message: (ws, message) => ws.write(message),
      close: (ws) => void sockets.delete(ws),
    });
    await ws.accept(request, { buffered: exchange.release() });
    return undefined;
  }
  switch (request.path) {
    case "/":
      return new http.Response({ body: "Hello. There is an echo at /echo, by POST, and a WebSocket anywhere.\n" });
    case "/echo":
      // Back as it comes: nothing is read that the client has not taken yet.
      return new http.Response({ body: request.body });
    case "/sum": {
      const sum = sumOf(await request.text());
      if (sum === undefined) return new http.Response({ status: 422, body: "An array of numbers, please\n" });
      return new http.Response({ headers: { "Content-Type": "application/json" }, body: JSON.stringify({ sum }) });
    }
    default:
      return new http.Response({ status: 404, body: "There is nothing here\n" });
  }
}

function sumOf(json: string): number | undefined {
  try {
    const numbers = JSON.parse(json) as number[];
    return numbers.reduce((total, each) => total + Number(each), 0);
  } catch {
    return undefined;
  }
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), 10_000).unref(); // what is unfinished then is cut off
  await listener.close(); // new connections are refused
  stopping.abort(); // each open one ends after the response being made
  for (const ws of sockets) void ws.close({ code: 1001 });
}
