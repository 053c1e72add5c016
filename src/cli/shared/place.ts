/** Where a WebSocket is, or a proxy: what to connect to. */
export interface Place {
  readonly isSecure: boolean;
  /** The name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The path of a Unix socket, in the place of host and port. */
  readonly unix: string | undefined;
  /** The value of Host. */
  readonly authority: string;
  /** What to ask for. */
  readonly target: string;
  /** The value of Authorization, where the URL has a user or password. */
  readonly authorization: string | undefined;
}

/** Takes the URL of a WebSocket or an HTTP proxy apart, which `connect` has found to be one. */
export function placeOf(given: string): Place {
  const url = new URL(given);
  if (url.protocol === "ws+unix:") {
    const [path, ...rest] = url.pathname.split(":");
    const target = (rest.join(":") || "/") + url.search;
    const authority = "localhost";
    return {
      isSecure: false,
      host: authority,
      port: 80,
      unix: decodeURIComponent(path!),
      authority,
      target,
      authorization: undefined,
    };
  }
  const isSecure = url.protocol === "wss:" || url.protocol === "https:";
  const byDefault = isSecure ? 443 : 80;
  const account = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    isSecure,
    host: url.hostname.replaceAll(/^\[|\]$/g, ""),
    port: url.port === "" ? byDefault : Number(url.port),
    unix: undefined,
    authority: url.host,
    target: url.pathname + url.search,
    // RFC 7617.
    authorization: account === ":" ? undefined : `Basic ${Buffer.from(account).toString("base64")}`,
  };
}

/** `host:port`, as RFC 3986 section 3.2 has it. */
export function hostAndPort({ host, port }: Pick<Place, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
