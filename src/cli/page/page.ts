import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The page, and the headers that it is sent with. */
export interface Page {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page's scripts, the other `.js` files here: each after the files that it imports from. */
const scripts = ["format", "plot", "viewer", "log", "connection", "composer", "panel", "main"];

/** Reads the page that stands beside this file, in parts, and makes one file of them. */
export function loadPage(): Page {
  const body = read("page.html")
    .replace("<style></style>", () => `<style>\n${read("page.css")}</style>`)
    .replace("<script></script>", () => `<script>\n"use strict";\n{\n${scripts.map(part).join("\n")}}\n</script>`);
  return { body, headers: headersOf(body) };
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

/** A module as part of a script that holds them all: there is nothing to import any more, nor anyone to export to. */
function part(name: string): string {
  return read(`${name}.js`)
    .replaceAll(/^import [^;]*;\n/gm, "")
    .replaceAll(/^export /gm, "");
}

/**
 * Headers under which a page can do nothing but run its own inline styles and scripts, ask where it came from, and connect
 * to the WebSockets that its user names.
 */
export function headersOf(body: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src ${hashes(body, "style")}`,
    `script-src ${hashes(body, "script")}`,
    "img-src data:",
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy.join("; "),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
  };
}

/** The sources that allow exactly the inline elements of this name; they have no attributes. */
function hashes(body: string, element: "style" | "script"): string {
  const found = [...body.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))];
  const sources = found.map(([, text]) => `'sha256-${createHash("sha256").update(text!).digest("base64")}'`);
  return sources.length === 0 ? "'none'" : sources.join(" ");
}
