// A file server with ranges and conditional requests, and a list of what is in a folder.
//   npm run example file-server -- 8080 ./public
import { readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { http, net } from "serval";

const [port = "8080", folder = "."] = process.argv.slice(2);
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`"${port}" is no port: the first argument is a number from 0 to 65535, such as 8080`);
  process.exit(1);
}
const root = await realpath(folder).catch(() => {
  console.error(`There is no folder ${folder} to serve`);
  process.exit(1);
});

const stopping = new AbortController();
const listener = await net.listen({ port: Number(port) }, (stream) => {
  http.serve(stream, answer, { stop: stopping.signal }, () => {});
});
process.on("SIGINT", stop).on("SIGTERM", stop);
console.log(`listening on http://localhost:${listener.port}/`);

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

async function answer(request: http.IncomingRequest): Promise<http.Response<http.Body>> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new http.Response({ status: 405, headers: { Allow: "GET, HEAD" } });
  }
  const file = locate(request.path);
  if (file === undefined) return new http.Response({ status: 400, body: "The path is malformed\n" });
  let whole: http.FileBody;
  try {
    whole = await http.fileBody(await inside(file));
  } catch {
    const list = request.path.endsWith("/") ? await listOf(path.dirname(file)) : undefined;
    if (list !== undefined) return new http.Response({ headers: { "Content-Type": types[".html"]! }, body: list });
    return new http.Response({ status: 404, body: "There is no such file\n" });
  }
  const { size, modified } = whole.file;
  const etag = `"${size.toString(36)}-${Math.floor(modified).toString(36)}"`;
  const headers = new http.Fields({
    "Accept-Ranges": "bytes",
    "Content-Type": types[path.extname(file)] ?? "application/octet-stream",
    "Last-Modified": new Date(modified).toUTCString(),
    ETag: etag,
  });
  if (isUnchanged(request.headers, etag, modified)) return new http.Response({ status: 304, headers });

  // RFC 9110 14.2: ranges are for GET alone; several at once are answered with the whole.
  const range =
    request.method === "GET" && isSame(request.headers, etag, modified) ? request.headers.get("Range") : undefined;
  const ranges = range === undefined ? undefined : http.parseRange(range, size);
  if (ranges?.length === 0) {
    return new http.Response({ status: 416, headers: { "Content-Range": `bytes */${size}` } });
  }
  if (ranges?.length === 1) {
    const { start, end } = ranges[0]!;
    headers.set("Content-Range", `bytes ${start}-${end}/${size}`);
    return new http.Response<http.Body>({
      status: 206,
      headers,
      body: await http.fileBody(await inside(file), { start, end }),
    });
  }
  return new http.Response<http.Body>({ headers, body: whole });
}

/** The file that a path means; never one outside the folder. */
function locate(target: string): string | undefined {
  try {
    const decoded = decodeURIComponent(target);
    if (!decoded.startsWith("/") || decoded.includes("\0")) return undefined;
    const file = path.join(root, path.normalize(decoded));
    return decoded.endsWith("/") ? path.join(file, "index.html") : file;
  } catch {
    return undefined;
  }
}

/** The same without symbolic links. Throws where one of them leads out of the folder, or there is nothing. */
async function inside(file: string): Promise<string> {
  const real = await realpath(file);
  if (real !== root && !real.startsWith(path.join(root, path.sep))) throw new Error(`${file} is not in ${root}`);
  return real;
}

/** A page with links to what is in a folder, save what is hidden and symbolic links; undefined where there is none. */
async function listOf(folder: string): Promise<string | undefined> {
  try {
    const entries = await readdir(await inside(folder), { withFileTypes: true });
    const names = entries
      .filter((entry) => !entry.name.startsWith(".") && (entry.isFile() || entry.isDirectory()))
      .map((entry) => ({ name: entry.name, end: entry.isDirectory() ? "/" : "" }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const title = escapeHtml(path.join("/", path.relative(root, folder), "/"));
    const links = names.map(
      ({ name, end }) => `<li><a href="${encodeURIComponent(name)}${end}">${escapeHtml(name)}${end}</a>`,
    );
    return `<!doctype html>\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n${links.join("\n")}\n</ul>\n`;
  } catch {
    return undefined;
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Whether the client has it already: RFC 9110 13.1.2 and 13.1.3. */
function isUnchanged(headers: http.Fields, etag: string, modified: number): boolean {
  const known = headers.get("If-None-Match");
  if (known !== undefined)
    return known === "*" || known.split(",").some((each) => each.trim().replace(/^W\//, "") === etag);
  const since = Date.parse(headers.get("If-Modified-Since") ?? "");
  return Math.floor(modified / 1000) * 1000 <= since;
}

/** Whether a range is of the file as it is now: RFC 9110 13.1.5. */
function isSame(headers: http.Fields, etag: string, modified: number): boolean {
  const condition = headers.get("If-Range");
  if (condition === undefined || condition === etag) return true;
  return Date.parse(condition) === Math.floor(modified / 1000) * 1000;
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), 10_000).unref(); // what is unfinished then is cut off
  await listener.close(); // new connections are refused
  stopping.abort(); // each open one ends after the response being made
}
