import type { HttpForm } from "../load/http-forms.ts";
import type { Member, ServerMode } from "../workload.ts";

type Handler = NonNullable<ServerMode["handler"]>;

/** Servers of the same work: without fetch there is one way alone. */
const peersOf = {
  "http.serve": ["node:http", "net"],
  fetch: ["node:http", "hono", "srvx", "bun", "deno"],
  "http.Response": ["node:http", "hono", "srvx"],
} as const;

const handlers = {
  "http.serve": "http.serve",
  fetch: "fetch handler",
  "http.Response": "fetch handler with http.Response",
} as const;

interface Options {
  readonly depth?: number;
  readonly connections?: number;
  readonly peers?: readonly string[];
}

/** Requests on connections that are kept. */
function kept(
  key: string,
  title: string,
  form: HttpForm,
  handler: Handler,
  { depth = 1, connections = 50, peers = peersOf[handler] }: Options = {},
): Member {
  const server = { mode: "http", form, handler } as const;
  const load = { form, depth, connections } as const;
  const named = { key, title: `${title} x ${connections}, ${handlers[handler]}` };
  return { ...named, unit: "request", metric: "cpu", server, peers, kind: "http", ...load };
}

/** A connection for each request. */
function once(key: string, title: string, form: HttpForm, handler: Handler): Member {
  const server = { mode: "http", form, handler } as const;
  const named = { key, title: `${title}, ${handlers[handler]}` };
  return { ...named, unit: "request", metric: "cpu", server, peers: peersOf[handler], kind: "requests", form };
}

/** Of the floor there are GETs alone. */
const bodies = { connections: 16, peers: ["node:http"] };
const fetched = { connections: 16, peers: ["node:http", "hono", "srvx", "bun"] };

/** Requests and responses without WebSockets. */
export const http: readonly Member[] = [
  kept("get", "GET kept alive", "get", "http.serve"),
  kept("get-fetch", "GET kept alive", "get", "fetch"),
  kept("get-response", "GET kept alive", "get", "http.Response"),
  kept("get-pipelined", "GET pipelined, 16 deep", "get", "http.serve", { depth: 16 }),
  once("get-new", "GET on a new connection", "get", "http.serve"),
  kept("json", "1 KiB of JSON in and out", "json", "http.serve", bodies),
  kept("json-fetch", "1 KiB of JSON in and out", "json", "fetch", fetched),
  kept("upload", "request bodies of 64 KiB", "upload", "http.serve", bodies),
  kept("upload-fetch", "request bodies of 64 KiB", "upload", "fetch", fetched),
  kept("file", "file of 64 KiB", "file", "http.serve", { ...bodies, peers: ["node:http", "bun"] }),
];
