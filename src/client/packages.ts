// Packages that few programs need, as optional peer dependencies. Only this file imports them, when they are needed.
// Their types are declared here, so that compiling does not need them either.
import type { Duplex } from "node:stream";
import { clientError } from "./errors.ts";

/** The part of the package `socks` that is used. */
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

/** The part of the package `proxy-from-env` that is used. */
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
