// The configurations of docs/behind-a-proxy.md, run as they stand but for ports and paths.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ServeOptions } from "../../../src/server/index.ts";
import { startHaproxyWith } from "../../support/haproxy.ts";
import { localhost } from "../../support/localhost.ts";
import { startNginxWith } from "../../support/nginx.ts";
import type { Cleanup, Daemon, DaemonSetup, ProgramName } from "../../support/programs.ts";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/behind-a-proxy.md", import.meta.url)), "utf8");
/** The configurations of the page, by name. */
export const blocks: ReadonlyMap<string, string> = new Map(
  [...page.matchAll(/<!-- proxy: (.*?) -->\n```\w+\n(.*?)```/gs)].map(([, name, block]) => [name!, block!]),
);

/** A block of the page, in which something may be wrong on purpose. */
function block(name: string, change: (block: string) => string): string {
  const written = blocks.get(name);
  assert.ok(written, `The page has no configuration ${name}`);
  return change(written);
}

/** Replaces something that must be there. */
export function replaced(block: string, from: string | RegExp, to: string | ((...found: string[]) => string)): string {
  const changed = typeof to === "string" ? block.replace(from, to) : block.replace(from, to);
  assert.notEqual(changed, block, `${String(from)} is not in the configuration`);
  return changed;
}

/** A configuration in which the ports of the two servers are those of these. */
function withServers(block: string, servers: readonly Listening[]): string {
  const [first, second = first] = servers;
  return replaced(
    replaced(block, /127\.0\.0\.1:8[04]\d[03]/, `127.0.0.1:${first!.port}`),
    /127\.0\.0\.1:8[04]\d[14]/,
    `127.0.0.1:${second!.port}`,
  );
}

/** A server that listens on a port of 127.0.0.1. */
interface Listening {
  readonly port: number | undefined;
}

/** A proxy with the page's configuration. */
export interface Proxy {
  readonly name: string;
  readonly needs: readonly ProgramName[];
  /** What a server behind it has to know. */
  readonly options: ServeOptions;
  /** The line with how long it waits, and what to put in its place for two seconds. */
  readonly patience: readonly [RegExp, string];
  /** Whether it knows of requests. */
  readonly isHttp: boolean;
  start(test: Cleanup, servers: readonly Listening[], change?: (block: string) => string): Promise<Daemon>;
}

/** For a proxy that sends X-Forwarded-For. */
export const trusting: ServeOptions = { proxies: { trusted: ["127.0.0.1"] } };
const inFront: ServeOptions = { proxyProtocol: true, tls: localhost };

const asWritten = (block: string): string => block;

/** nginx, as a proxy of requests. */
export const nginx: Proxy = {
  name: "nginx",
  needs: ["nginx"],
  options: trusting,
  patience: [/proxy_read_timeout 60s/, "proxy_read_timeout 2s"],
  isHttp: true,
  start: (test, servers, change = asWritten) =>
    startNginxWith(test, ({ folder, port }) => {
      let http = withServers(block("nginx", change), servers);
      http = replaced(http, "listen 443", `listen 127.0.0.1:${port}`);
      http = replaced(http, "/etc/ssl/app.crt", `${folder}/cert.pem`);
      return { http: replaced(http, "/etc/ssl/app.key", `${folder}/key.pem`) };
    }),
};

/** nginx's module stream, as a proxy of connections. */
export const nginxStream: Proxy = {
  name: "nginx's module stream",
  needs: ["nginx", "nginxStream"],
  options: inFront,
  patience: [/proxy_timeout 60s/, "proxy_timeout 2s"],
  isHttp: false,
  start: (test, servers, change = asWritten) =>
    startNginxWith(test, ({ port }) => ({
      stream: replaced(withServers(block("nginx stream", change), servers), "listen 443", `listen 127.0.0.1:${port}`),
    })),
};

/** HAProxy, as a proxy of requests. */
export const haproxy: Proxy = {
  name: "haproxy",
  needs: ["haproxy"],
  options: trusting,
  patience: [/timeout tunnel 60s/, "timeout tunnel 2s"],
  isHttp: true,
  start: (test, servers, change = asWritten) =>
    startHaproxyWith(test, ({ folder, port }) =>
      replaced(bound("haproxy", port, servers, change), "/etc/ssl/app.pem", `${folder}/front.pem`),
    ),
};

/** HAProxy, as a proxy of connections. */
export const haproxyTcp: Proxy = {
  name: "haproxy that balances connections",
  needs: ["haproxy"],
  options: inFront,
  patience: [/timeout client 60s(.*\n.*)timeout server 60s/, "timeout client 2s$1timeout server 2s"],
  isHttp: false,
  start: (test, servers, change = asWritten) =>
    startHaproxyWith(test, ({ port }: DaemonSetup) => bound("haproxy tcp", port, servers, change)),
};

function bound(name: string, port: number, servers: readonly Listening[], change: (block: string) => string): string {
  return replaced(withServers(block(name, change), servers), "bind :443", `bind 127.0.0.1:${port}`);
}

/** All of them. */
export const proxies: readonly Proxy[] = [nginx, nginxStream, haproxy, haproxyTcp];
