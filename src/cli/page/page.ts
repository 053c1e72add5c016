import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The page, and the headers to send with it. */
export interface Page {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page's scripts, the other `.js` files here, each after the files that it imports. */
const scripts = ["format", "plot", "viewer", "log", "connection", "composer", "panel", "main"];

/** Reads the parts of the page, which stand beside this file, and joins them into one document. */
export function loadPage(): Page {
  const body = read("page.html")
    .replace("<style></style>", () => `<style>\n${read("page.css")}</style>`)
    .replace("<script></script>", () => `<script>\n"use strict";\n{\n${scripts.map(part).join("\n")}}\n</script>`);
  return { body, headers: headersOf(body) };
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

/** A module as part of a single script: its imports and exports are removed. */
function part(name: string): string {
  return read(`${name}.js`)
    .replaceAll(/^import [^;]*;\n/gm, "")
    .replaceAll(/^export /gm, "");
}

/**
 * A policy that allows the page only its own inline styles and scripts, requests to its own server, and the WebSockets
 * that its user names.
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

/** Hashes that allow exactly the inline elements of this name. The elements must have no attributes. */
function hashes(body: string, element: "style" | "script"): string {
  const found = [...body.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))];
  const sources = found.map(([, text]) => `'sha256-${createHash("sha256").update(text!).digest("base64")}'`);
  return sources.length === 0 ? "'none'" : sources.join(" ");
}
