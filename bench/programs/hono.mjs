// Hono on its own server for Node.js: fetch handlers over node:http.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { greeting, host, options, ready, versionOf } from "./child.mjs";

const handlers = {
  get: (context) => context.text(greeting),
  json: async (context) => context.json(await context.req.json()),
  upload: async (context) => context.text(`${(await context.req.arrayBuffer()).byteLength}`),
};

const version = versionOf("@hono/node-server");
const app = new Hono().all("/", handlers[options.form]);
serve({ fetch: app.fetch, port: 0, hostname: host }, ({ port }) => ready({ version, port }));
