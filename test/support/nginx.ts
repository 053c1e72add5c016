// nginx as a reverse proxy: TLS in front, and one upstream behind.
import { localhost } from "./localhost.ts";
import { installed, startDaemon, type Cleanup, type Daemon, type DaemonSetup } from "./programs.ts";

/**
 * Starts nginx, which takes TLS connections on its port and passes them to `upstream`, an URL as `proxy_pass` has it:
 * `http://127.0.0.1:80`, `https://127.0.0.1:443` (whose certificate must be ours), `http://unix:/path`.
 */
export function startNginx(test: Cleanup, upstream: string): Promise<Daemon> {
  return startDaemon(test, "nginx", {
    args: ({ folder }) => ["-p", folder, "-c", "nginx.conf", "-e", "stderr"],
    files: ({ folder, port }) => ({
      "cert.pem": localhost.cert,
      "key.pem": localhost.key,
      "nginx.conf": configuration(folder, port, upstream),
    }),
  });
}

/** Starts nginx, which serves the files in the folder `www` of its own, without TLS. */
export function startFileServer(test: Cleanup, files: Readonly<Record<string, string>>): Promise<Daemon> {
  return startDaemon(test, "nginx", {
    args: ({ folder }) => ["-p", folder, "-c", "nginx.conf", "-e", "stderr"],
    files: ({ folder, port }) => ({
      ...files,
      "nginx.conf": framed(
        folder,
        `server {
          listen 127.0.0.1:${port};
          root ${folder};
          location = /moved { return 302 /elsewhere; }
          location = /old { chunked_transfer_encoding off; gzip on; gzip_min_length 1; gzip_types *; try_files /page =404; }
        }`,
      ),
    }),
  });
}

/** What a configuration says in each of nginx's two worlds: requests, and connections. */
export interface Blocks {
  /** What stands in `http`. */
  readonly http?: string;
  /** A block `stream`. */
  readonly stream?: string;
}

/** Starts nginx with a configuration; its folder has `cert.pem` and `key.pem`. */
export function startNginxWith(test: Cleanup, blocks: (setup: DaemonSetup) => Blocks): Promise<Daemon> {
  return startDaemon(test, "nginx", {
    args: ({ folder }) => ["-p", folder, "-c", "nginx.conf", "-e", "stderr"],
    files: (setup) => {
      const { http = "", stream } = blocks(setup);
      const module = stream === undefined ? "" : `load_module ${installed("nginxStream")};`;
      return {
        "cert.pem": localhost.cert,
        "key.pem": localhost.key,
        "nginx.conf": `${module}\n${framed(setup.folder, http)}\n${stream ?? ""}`,
      };
    },
  });
}

const configuration = (folder: string, port: number, upstream: string): string =>
  framed(
    folder,
    `map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
    upstream behind { server ${upstream.replace(/^https?:\/\//, "")}; keepalive 4; }
    server {
      listen 127.0.0.1:${port} ssl;
      ssl_certificate ${folder}/cert.pem;
      ssl_certificate_key ${folder}/key.pem;
      client_max_body_size 100m;
      location / {
        proxy_pass ${upstream.startsWith("https:") ? "https" : "http"}://behind;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_ssl_name localhost;
        proxy_ssl_server_name on;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate ${folder}/cert.pem;
      }
      location /unbuffered/ {
        proxy_pass ${upstream.startsWith("https:") ? "https" : "http"}://behind/;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_set_header Connection "";
      }
    }`,
  );

/** What every configuration has. */
const framed = (folder: string, servers: string): string => `
  daemon off;
  # One process: nothing is left when it is killed.
  master_process off;
  pid ${folder}/pid;
  error_log stderr warn;
  events {}
  http {
    access_log off;
    default_type text/plain;
    ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
    ${servers}
  }
`;
