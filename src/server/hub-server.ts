import type { BufferSource } from "../core/index.ts";
import { checkNoArguments } from "../core/internal.ts";
import type { PreparedMessage, PrepareOptions } from "../websocket/index.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { Hub } from "./hub.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { MountedServer } from "./server.ts";
import type { ServerStatistics } from "./statistics.ts";

/** The application's view of a hub, common to `serve` and `mount`. */
export abstract class HubServer<Data> implements MountedServer<Data> {
  abstract readonly hub: Hub<Data>;

  abstract drain(options?: DrainOptions): Promise<DrainReport>;

  get sockets(): ReadonlySet<ServerWebSocket<Data | undefined>> {
    return this.hub.sockets;
  }

  get connections(): number {
    return this.hub.connections;
  }

  publish(topic: string, data: string | BufferSource | PreparedMessage, options?: PrepareOptions): number {
    return this.hub.publish(topic, data, options);
  }

  subscribers(topic: string): ReadonlySet<ServerWebSocket<Data>> {
    return this.hub.subscribers(topic);
  }

  stats(): ServerStatistics {
    return this.hub.statistics();
  }

  async close(...rest: unknown[]): Promise<void> {
    checkNoArguments("close", rest, "drain takes a timeout, a code and a reason");
    await this.drain({ timeout: this.hub.settings.timeouts.server.handshake });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
