// Traces and metrics of a chat server, for OpenTelemetry: from the channels that servers publish what happens on, and
// which cost nothing while nobody listens.
//   npm run example opentelemetry -- 8080
import { subscribe } from "node:diagnostics_channel";
import { context, SpanKind, SpanStatusCode, trace, type Span } from "@opentelemetry/api";
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { ConsoleSpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { serve, type core, type http, type ServerWebSocket } from "serval";
import type { ChannelMessages } from "serval/server";

// Exporters to a collector go in the place of those to the console.
const traces = new TracerProvider({
  spanProcessors: [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })],
});
const reader = new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() });
const metrics = new MeterProvider({ readers: [reader] });

const tracer = traces.getTracer("serval");
const meter = metrics.getMeter("serval");
const open = meter.createUpDownCounter("serval.websockets", { description: "WebSockets that are open" });
const sizes = meter.createHistogram("serval.message.size", { unit: "By", description: "Messages received" });
const refused = meter.createCounter("serval.refusals", { description: "Connections and requests refused" });
const slow = meter.createCounter("serval.backpressure", { description: "How often a peer read slowly" });

/** The span of a connection: that of its handshake, and once it is open one of its own within that. */
const spans = new WeakMap<ServerWebSocket, Span>();

on("serval:handshake", ({ ws, request }) => {
  const span = handshake(request, ws.peer);
  spans.set(ws, span);
  // A client that leaves meanwhile is neither let in nor refused.
  void ws.closed.then(() => span.isRecording() && span.end());
});

on("serval:open", ({ ws }) => {
  open.add(1);
  const opening = spans.get(ws);
  if (opening === undefined) return; // it began before anyone listened
  opening.end();
  spans.set(ws, tracer.startSpan("websocket connection", {}, trace.setSpan(context.active(), opening)));
});

on("serval:message", ({ message }) => {
  sizes.record(Buffer.byteLength(message));
});

on("serval:backpressure", ({ ws, bufferedAmount }) => {
  slow.add(1);
  spans.get(ws)?.addEvent("backpressure", { "serval.buffered_amount": bufferedAmount });
});

on("serval:close", ({ ws, code, clean }) => {
  open.add(-1);
  const span = spans.get(ws)?.setAttribute("websocket.close_code", code);
  if (!clean) span?.setStatus({ code: SpanStatusCode.ERROR, message: "There was no close handshake" });
  span?.end();
});

on("serval:refusal", ({ ws, reason, peer, request }) => {
  refused.add(1, { reason });
  const span = (ws && spans.get(ws)) ?? handshake(request, peer);
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason }).end();
});

function handshake(request: http.Request | undefined, peer: core.Peer | undefined): Span {
  const attributes = { "url.path": request?.path, "client.address": peer?.address };
  return tracer.startSpan("websocket handshake", { kind: SpanKind.SERVER, attributes });
}

function on<Name extends keyof ChannelMessages>(name: Name, listener: (message: ChannelMessages[Name]) => void): void {
  subscribe(name, (message) => listener(message as ChannelMessages[Name]));
}

const server = await serve({
  port: Number(process.argv[2] ?? 8080),
  open(ws) {
    ws.subscribe("chat");
  },
  message(ws, message) {
    ws.publish("chat", message);
  },
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on ${server.url}`);

async function stop(): Promise<void> {
  await server.drain({ timeout: 10_000 });
  await Promise.all([traces.shutdown(), metrics.shutdown()]);
}
