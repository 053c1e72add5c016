import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The page, and the headers that it is sent with. */
export interface Page {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads the page that stands beside this file. */
export function loadPage(): Page {
  const body = readFileSync(new URL("page.html", import.meta.url), "utf8");
  return { body, headers: headersOf(body) };
}

/** Headers under which a page can do nothing but run its own inline styles and scripts, and connect to where it came from. */
export function headersOf(body: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src ${hashes(body, "style")}`,
    `script-src ${hashes(body, "script")}`,
    "img-src data:",
    // Of http: and https: pages this is also their own host's ws: and wss:.
    "connect-src 'self'",
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
