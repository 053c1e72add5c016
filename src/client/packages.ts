// The packages that few programs need and those install themselves: optional peer dependencies, imported by this file
// alone, when they are needed. What is used of them is written down here, so that the types do not need them either.
import type { Duplex } from "node:stream";
import { clientError } from "./errors.ts";

/** What is used of the package `socks`. */
export interface Socks {
  readonly SocksClient: {
    createConnection(options: {
      command: "connect";
      proxy: { host: string; port: number; type: 5; userId?: string; password?: string };
      destination: { host: string; port: number };
      existing_socket: Duplex;
      timeout: number;
    }): Promise<unknown>;
  };
}

/** What is used of the package `proxy-from-env`. */
export interface ProxyFromEnv {
  getProxyForUrl(url: string): string;
}

/** Loads the package `socks`. Throws `client.missing_package`. */
export function loadSocks(): Promise<Socks> {
  return load("socks", "a socks5: proxy", () => import("socks"));
}

/** Loads the package `proxy-from-env`. Throws `client.missing_package`. */
export function loadProxyFromEnv(): Promise<ProxyFromEnv> {
  return load("proxy-from-env", 'the option proxy: "environment"', () => import("proxy-from-env"));
}

async function load<Exports>(name: string, what: string, importIt: () => Promise<Exports>): Promise<Exports> {
  try {
    return await importIt();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    const message = `The package ${name} is not installed, and ${what} needs it: npm install ${name}`;
    throw clientError("client.missing_package", { cause, message });
  }
}
