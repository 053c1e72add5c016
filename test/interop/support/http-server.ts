// A server of ours for programs to talk to.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileBody, parseRange, Response, serve, type Body, type IncomingRequest } from "../../../src/http/index.ts";
import { listen } from "../../../src/net/index.ts";
import type { Cleanup } from "../../support/programs.ts";

/** What `/file` has. */
export const content: Buffer = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 253));

/** Starts it; returns its port, and how many connections have come. */
export async function startServer(test: Cleanup): Promise<{ port: number; connections: () => number }> {
  const folder = await mkdtemp(path.join(tmpdir(), "serval-http-"));
  const file = path.join(folder, "file");
  await writeFile(file, content);
  let connections = 0;
  const open = new AbortController();
  const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
    connections++;
    serve(
      stream,
      (request) => answer(request, file),
      { signal: open.signal, maxBodySize: 8_000_000 },
      () => {},
    );
  });
  test.after(async () => {
    await listener.close();
    open.abort();
    await rm(folder, { recursive: true });
  });
  return { port: listener.port!, connections: () => connections };
}

async function answer(request: IncomingRequest, file: string): Promise<Response<Body>> {
  switch (request.path) {
    case "/file":
      return ranged(request, file);
    case "/echo":
      return new Response({ headers: { "X-Method": request.method }, body: request.body });
    case "/size":
      return new Response({ body: String((await request.bytes()).length) });
    case "/ignore":
      return new Response({ status: 403, body: "No\n" });
    case "/parts":
      return new Response<Body>({ body: parts() });
    case "/fail":
      throw new TypeError("as asked for");
    default:
      return new Response({ body: "hello\n" });
  }
}

async function ranged(request: IncomingRequest, file: string): Promise<Response<Body>> {
  const range = request.headers.get("Range");
  const [first] = (range === undefined ? undefined : parseRange(range, content.length)) ?? [];
  if (first === undefined) return new Response<Body>({ body: await fileBody(file) });
  const headers = { "Content-Range": `bytes ${first.start}-${first.end}/${content.length}` };
  return new Response<Body>({ status: 206, headers, body: await fileBody(file, first) });
}

async function* parts(): AsyncGenerator<Uint8Array> {
  for (const part of ["one ", "two ", "three\n"]) yield Buffer.from(part);
}
