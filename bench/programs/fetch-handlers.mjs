// Fetch handlers, the same for all servers that take them.
import { greeting } from "./child.mjs";

export const fetchHandlers = {
  get: () => new Response(greeting),
  json: async (request) => Response.json(await request.json()),
  upload: async (request) => new Response(`${(await request.arrayBuffer()).byteLength}`),
};
