// Hono on its own server for Node.js: fetch handlers over node:http.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { greeting, host, ready, versionOf } from "./child.mjs";

const version = versionOf("@hono/node-server");
const app = new Hono().get("/", (context) => context.text(greeting));
serve({ fetch: app.fetch, port: 0, hostname: host }, ({ port }) => ready({ version, port }));
