// haproxy as a load balancer that puts a header of the PROXY protocol in front of each connection.
import { localhost } from "../certificates/localhost.ts";
import { startDaemon, type Cleanup, type Daemon } from "./programs.ts";

/** How {@link startHaproxy} balances. */
export interface Balancing {
  /** Where its connections go: `127.0.0.1:80`, or the path of a Unix socket. */
  readonly upstream: string;
  /** What is said of the upstream: `send-proxy`, `send-proxy-v2`, `check`. */
  readonly server: string;
  /** Whether its port takes TLS, which ends there. Default false. */
  readonly tls?: boolean;
}

/** Starts haproxy, which takes TCP connections on its port and passes them on. */
export function startHaproxy(test: Cleanup, balancing: Balancing): Promise<Daemon> {
  return startDaemon(test, "haproxy", {
    args: ({ folder }) => ["-db", "-f", `${folder}/haproxy.cfg`],
    files: ({ folder, port }) => ({
      "front.pem": localhost.cert + "\n" + localhost.key,
      "haproxy.cfg": configuration(folder, port, balancing),
    }),
  });
}

const configuration = (folder: string, port: number, { upstream, server, tls = false }: Balancing): string => `
  global
    # One process, one thread: nothing is left when it is killed.
    nbthread 1
    maxconn 100
  defaults
    mode tcp
    timeout connect 10s
    timeout client 10s
    timeout server 10s
  listen front
    bind 127.0.0.1:${port}${tls ? ` ssl crt ${folder}/front.pem alpn http/1.1` : ""}
    unique-id-format %{+X}o%ci:%cp
    server back ${upstream.startsWith("/") ? "unix@" : ""}${upstream} ${server}
`;
