// haproxy as a load balancer that puts a header of the PROXY protocol in front of each connection.
import { localhost } from "./localhost.ts";
import { startDaemon, type Cleanup, type Daemon, type DaemonSetup } from "./programs.ts";

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
  return startHaproxyWith(test, ({ folder, port }) => configuration(folder, port, balancing));
}

/** Starts haproxy with a configuration, behind what all of them have; its folder has the certificate `front.pem`. */
export function startHaproxyWith(test: Cleanup, configured: (setup: DaemonSetup) => string): Promise<Daemon> {
  return startDaemon(test, "haproxy", {
    args: ({ folder }) => ["-db", "-f", `${folder}/own.cfg`, "-f", `${folder}/haproxy.cfg`],
    files: (setup) => ({
      "front.pem": localhost.cert + "\n" + localhost.key,
      // One process, one thread: nothing is left when it is killed.
      "own.cfg": "global\n  nbthread 1\n  maxconn 100\n",
      "haproxy.cfg": configured(setup),
    }),
  });
}

const configuration = (folder: string, port: number, { upstream, server, tls = false }: Balancing): string => `
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
