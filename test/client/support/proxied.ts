// Two servers that echo, with and without TLS, which a test reaches through a proxy.
import assert from "node:assert/strict";
import { connect, type ConnectOptions } from "../../../src/client/index.ts";
import type { ServalError } from "../../../src/core/index.ts";
import { converse, failure, trusting } from "./kit.ts";
import { echoing, type Answering } from "./servers.ts";

export type Scheme = "ws" | "wss";

export class Proxied implements AsyncDisposable {
  readonly places: Readonly<Record<Scheme, Answering>>;

  private constructor(places: Readonly<Record<Scheme, Answering>>) {
    this.places = places;
  }

  static async start(): Promise<Proxied> {
    return new Proxied({ ws: await echoing(), wss: await echoing({ secure: true }) });
  }

  /** Talks to a server through the proxy: text, and some bytes both ways. */
  async converses(scheme: Scheme, proxy: string, options: ConnectOptions = {}): Promise<void> {
    // The proxies look up nothing but what is in /etc/hosts.
    const url = `${scheme}://localhost:${this.places[scheme].port}/`;
    await converse(await connect(url, { ...trusting, ...options, proxy }));
    const asked = this.places[scheme].asked.at(-1)!;
    assert.equal(asked.headers["proxy-authorization"], undefined);
    // Not the proxy's name.
    assert.equal(asked.serverName, scheme === "wss" ? "localhost" : undefined);
  }

  /** What connecting to the server without TLS, or to another address, through the proxy fails with. */
  refusal(proxy: string, url = `ws://localhost:${this.places.ws.port}/`): Promise<ServalError> {
    return failure(connect(url, { proxy }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of Object.values(this.places)) await place[Symbol.asyncDispose]();
  }
}
