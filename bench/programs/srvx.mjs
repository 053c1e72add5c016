// srvx: fetch handlers over node:http.
import { FastResponse, serve } from "srvx/node";
import { greeting, host, options, ready, versionOf } from "./child.mjs";
import { fetchHandlers } from "./fetch-handlers.mjs";

/** It has a light Response too, which must be asked for. */
const light = { get: () => new FastResponse(greeting) };
const { [options.form]: fetch } = options.handler === "http.Response" ? light : fetchHandlers;

const server = serve({ fetch, port: 0, hostname: host, silent: true, gracefulShutdown: false });
await server.ready();
ready({ version: versionOf("srvx"), port: Number(new URL(server.url).port) });
