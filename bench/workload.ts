import type { FloodKind } from "./load/flood-forms.ts";
import type { Deflate } from "./load/frames.ts";
import type { HttpForm } from "./load/http-forms.ts";
import type { Metric } from "./results.ts";

/** What a program of `programs/` is told to do. */
export interface ServerMode {
  readonly mode:
    | "echo"
    | "pulled"
    | "pulledSent"
    | "flooded"
    | "floodedSink"
    | "floodedParts"
    | "floodedHttp"
    | "broadcast"
    | "http"
    | "client"
    | "clientClose"
    | "clientIdle"
    | "request"
    | "accept"
    | "socketIo";
  /** The program of all contenders, where they differ by a module alone. */
  readonly program?: string;
  readonly deflate?: Deflate;
  readonly tls?: boolean;
  /** With `http`: what the requests are. */
  readonly form?: HttpForm;
  /** With `http`: what the handler is written for, for servers that have several ways. */
  readonly handler?: "http.serve" | "fetch" | "http.Response";
}

/** Messages to an echo server. */
export interface EchoLoad {
  /** Bytes of each message. */
  readonly size: number;
  /** Messages that each connection has in flight. */
  readonly depth: number;
  readonly connections: number;
  readonly text?: boolean;
  /** Whether each is an event of Socket.IO, whose size is `size`. */
  readonly isEvent?: boolean;
}

/** A workload without what its group adds. */
interface Named {
  /** The name that `--only` and files know it by. */
  readonly key: string;
  /** What it is, for people. */
  readonly title: string;
  readonly unit: string;
  /** What contenders are compared by. */
  readonly metric: Metric;
  /** What the ratio to the peers is to be at most. */
  readonly bar?: number;
  readonly server: ServerMode;
  readonly peers: readonly string[];
}

type Kind =
  | { readonly kind: "echo"; readonly load: EchoLoad }
  | { readonly kind: "churn"; readonly end: "reset" | "handshake" }
  | { readonly kind: "cold"; readonly connections: number }
  | { readonly kind: "idle"; readonly connections: number }
  | { readonly kind: "broadcast"; readonly connections: number; readonly size: number; readonly each: number }
  | { readonly kind: "http"; readonly form: HttpForm; readonly connections: number; readonly depth: number }
  | { readonly kind: "requests"; readonly form: HttpForm }
  | { readonly kind: "flood"; readonly flood: FloodKind; readonly connections: number }
  | { readonly kind: "client"; readonly load: EchoLoad }
  | { readonly kind: "clientIdle"; readonly connections: number }
  | { readonly kind: "alone" };

/** A workload of a group. */
export type Member = Named & Kind;

/** A workload. */
export type Workload = Member & {
  /** A word that selects all workloads of a kind of work. */
  readonly group: string;
};

export const kibibyte = 1024;

/** Servers of WebSockets. */
export const servers: readonly string[] = ["ws", "bun", "deno"];
/** And sockets without a library: a floor where the protocol is little of the work. */
export const smallServers: readonly string[] = ["ws", "net", "bun", "deno"];
/** And what is below the sockets: a floor where they are most of the work. */
export const leastServers: readonly string[] = ["ws", "net", "handle", "bun", "deno"];
