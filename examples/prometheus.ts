// What a chat server counts, at /metrics for Prometheus. Reading it costs something, counting does not.
//   npm run example prometheus -- 8080
import { Counter, Gauge, register } from "prom-client";
import { serve } from "serval";
import type { ServerStatistics } from "serval/server";

const server = await serve({
  port: Number(process.argv[2] ?? 8080),
  async fetch(request) {
    if (new URL(request.url).pathname !== "/metrics") return new Response("There is nothing here\n", { status: 404 });
    return new Response(await register.metrics(), { headers: { "Content-Type": register.contentType } });
  },
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message);
  },
});

gauge("serval_connections", "Connections that are open", (now) => now.connections);
gauge("serval_websockets", "WebSockets among them", (now) => now.sockets);
gauge("serval_subscriptions", "Subscriptions to topics", (now) => now.subscriptions);
gauge("serval_buffered_bytes", "Bytes that wait to be sent to WebSockets", (now) => now.bufferedAmount);

counter("serval_accepted_total", "Connections accepted", (now) => now.accepted);
counter("serval_requests_total", "Plain requests answered", (now) => now.requests);
counter("serval_opened_total", "WebSockets opened", (now) => now.opened);
counter("serval_messages_received_total", "Messages received", (now) => now.messagesReceived);
counter("serval_messages_sent_total", "Messages sent", (now) => now.messagesSent);
counter("serval_messages_dropped_total", "Messages not sent, for want of room", (now) => now.messagesDropped);
counter("serval_received_bytes_total", "Bytes received by WebSockets", (now) => now.bytesReceived);
counter("serval_sent_bytes_total", "Bytes sent by WebSockets", (now) => now.bytesSent);

counterBy("code", "serval_closed_total", "WebSockets that have ended", (now) => now.closed);
counterBy("reason", "serval_refused_total", "Connections and requests refused", (now) => now.refused);
counterBy("limit", "serval_limits_total", "How often a limit took hold", (now) => now.limits);
counterBy("code", "serval_errors_total", "Connections that failed", (now) => now.errors);

process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on ${server.url}`);

function gauge(name: string, help: string, read: (now: ServerStatistics) => number): void {
  new Gauge({
    name,
    help,
    collect() {
      this.set(read(statistics()));
    },
  });
}

function counter(name: string, help: string, read: (now: ServerStatistics) => number): void {
  new Counter({
    name,
    help,
    collect() {
      this.reset();
      this.inc(read(statistics()));
    },
  });
}

function counterBy(
  label: string,
  name: string,
  help: string,
  read: (now: ServerStatistics) => Readonly<Record<string, number>>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read(statistics()))) this.inc({ [label]: value }, count);
    },
  });
}

let reading: ServerStatistics | undefined;

/** The same for all metrics of a reading: every socket is asked once. */
function statistics(): ServerStatistics {
  if (reading === undefined) {
    reading = server.stats();
    setImmediate(() => (reading = undefined));
  }
  return reading;
}

async function stop(): Promise<void> {
  await server.drain({ timeout: 10_000 });
}
