// What a test and the server in its child process tell each other.
import type { DrainReport, ServeOptions, ServerStatistics } from "../../../src/server/index.ts";

/** Which server is started, and how; all of it passes through JSON. */
export interface Setup {
  /** What it does with messages. */
  readonly kind: "echo" | "acknowledge" | "topics" | "hang";
  readonly options?: Partial<ServeOptions> | undefined;
  /** Whether it speaks TLS. */
  readonly tls?: boolean | undefined;
  /** Whether it is mounted on a server of Node's. */
  readonly mounted?: boolean | undefined;
  /** Whether it counts its handles and timers; that costs time. */
  readonly counts?: boolean | undefined;
}

/** What a server says of itself. */
export interface Health {
  /** Memory of the process in bytes: when it had started, and the most since. */
  readonly memoryAtStart: number;
  readonly memory: number;
  /**
   * For how many milliseconds it was kept from its timers, at most: by its own work, as its processor time says, and by whatever,
   * as `monitorEventLoopDelay` says. On a busy machine only the former is the server's fault.
   */
  readonly blocked: number;
  readonly delay: number;
  /** The most bytes that waited to be sent on one connection; looked at while there are less than a thousand. */
  readonly bufferedAmount: number;
  /** Sockets and timers that there are, if they are counted. */
  readonly handles: number;
  /** How many descriptors are open; 0 where there is no /proc to count them in. */
  readonly descriptors: number;
  readonly timers: number;
}

/** What is asked of a server. */
export interface Questions {
  stats: [undefined, ServerStatistics];
  health: [undefined, Health];
  /** Lets the upgrades go on that wait for it, those of `/held`; says how many. */
  release: [undefined, number];
  /**
   * Publishes numbered messages, as fast as those that read take them, until so many have found no room with a subscriber, and a
   * hundred more; says how many.
   */
  publish: [{ size: number; overflows: number }, number];
}

/** What a server has to say at its end. */
export interface Farewell {
  readonly report: DrainReport;
  readonly stats: ServerStatistics;
  /** Of each client the number of the last message that was handled; all before it were too. */
  readonly handled: Readonly<Record<string, number>>;
}
