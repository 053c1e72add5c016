/** Where a request goes. */
export interface Place {
  readonly isSecure: boolean;
  /** Whether the URL's scheme is ws+unix: a Unix socket or a named pipe. */
  readonly isLocal: boolean;
  readonly host: string;
  readonly port: number | string;
  readonly defaultPort: number;
  readonly path: string;
  readonly socketPath: string | undefined;
  /** Host and port, or the socket's path: another one is not to have the credentials of this one. */
  readonly origin: string;
}

/** An address as a URL: http: becomes ws:, and https: wss:. Throws `SyntaxError` for one that is none. */
export function parsedUrl(address: string | URL): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
  if (/^https?:$/.test(url.protocol)) url.protocol = url.protocol.replace("http", "ws");
  return url;
}

/** Why a WebSocket can't have this URL (RFC 6455 section 3); undefined if it can. */
export function whyInvalid({ protocol, pathname, hash }: URL): string | undefined {
  const isLocal = protocol === "ws+unix:";
  if (protocol !== "ws:" && protocol !== "wss:" && !isLocal) {
    return `The URL's protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"`;
  }
  if (isLocal && pathname === "") return "The URL's pathname is empty";
  return hash === "" ? undefined : "The URL contains a fragment identifier";
}

/** Where the request for a valid URL goes. Of `ws+unix:/socket:/path`, the part after the second colon is the path. */
export function placeOf({ protocol, hostname, host, port, pathname, search }: URL): Place {
  const isSecure = protocol === "wss:";
  const isLocal = protocol === "ws+unix:";
  const defaultPort = isSecure ? 443 : 80;
  const whole = `${pathname}${search}`;
  const [, socketPath, path] = isLocal ? /^([^:]*):?(.*)$/s.exec(whole)! : [whole, undefined, whole];
  return {
    isSecure,
    isLocal,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port || defaultPort,
    defaultPort,
    path: path!,
    socketPath,
    origin: socketPath ?? host,
  };
}
