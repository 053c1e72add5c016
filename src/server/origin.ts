import { invalidArgument, isPromise, runReported, show } from "../core/internal.ts";
import type { Request } from "../http/index.ts";

/**
 * The pages that may open a WebSocket: the option `origins`. A browser lets any page connect, with the user's cookies,
 * and names the page's origin in Origin (RFC 6455 section 10.2). The server's own host, as Host has it (a proxy in
 * front must not change that), is always allowed. So are the origins in the list: `https://app.example`, any subdomain
 * as `https://*.app.example`, a pattern for the whole origin, "null", or "*" for all; or the origins for which the
 * function returns true. The function can't be async; the hook `upgrade` can.
 */
export type Origins = "*" | readonly (string | RegExp)[] | ((origin: string, request: Request) => boolean);

/** Whether a request may open a WebSocket by its Origin, or without one. */
export type OriginRule = (request: Request) => boolean;

/** Makes a rule from the option `origins`. Throws `core.invalid_argument` if it is invalid. */
export function originRule(origins: Origins | undefined): OriginRule {
  if (origins === "*") return () => true;
  const isAllowed = typeof origins === "function" ? askedOf(origins) : listed(origins);
  return (request) => {
    const given = request.headers.first("Origin");
    // Clients other than browsers send no Origin, and no browser sends several.
    if (given === undefined) return true;
    if (request.headers.count("Origin") > 1) return false;
    return isSameHost(request, given) || isAllowed(given, request);
  };
}

type Matcher = (origin: string, request: Request) => boolean;

function askedOf(origins: Matcher): Matcher {
  return (origin, request) => {
    let isAllowed = false;
    // A function that throws allows nothing.
    runReported(() => {
      const result: unknown = origins(origin, request);
      if (isPromise(result)) {
        result.then(undefined, () => {});
        throw invalidArgument("The function origins can't be async: the hook upgrade can");
      }
      isAllowed = result === true;
    });
    return isAllowed;
  };
}

function listed(origins: unknown = []): Matcher {
  if (!Array.isArray(origins)) {
    throw invalidArgument(`origins must be a list such as ["https://app.example"], a function, or "*" for all`);
  }
  const allowed = origins.map((one: unknown) => matcherOf(one));
  return (given) => {
    const origin = normalized(given);
    return allowed.some((isAllowed) => isAllowed(origin));
  };
}

/** Whether the page comes from the host that it connects to. */
function isSameHost({ headers }: Request, given: string): boolean {
  const own = headers.first("Host");
  if (own !== undefined && isAlike(given, own)) return true;
  const [, scheme, originHost] = /^(https?:\/\/)([^/]+)$/.exec(normalized(given)) ?? [];
  // A proxy may have terminated TLS, so the page's scheme decides which port is the default.
  return originHost !== undefined && own !== undefined && normalized(scheme + own) === scheme + originHost;
}

/** Whether an origin has this very host. Nearly always both are written alike, and need not be taken apart. */
function isAlike(origin: string, host: string): boolean {
  const start = origin.length - host.length;
  if (host === "" || !origin.endsWith(host) || host.includes("/")) return false;
  return (start === 8 && origin.startsWith("https://")) || (start === 7 && origin.startsWith("http://"));
}

/**
 * An origin as browsers write it (RFC 6454 section 6.2), in lower case and without the default port; other text is
 * returned unchanged.
 */
function normalized(origin: string): string {
  const parts = /^([a-z][a-z\d+.-]*:\/\/)([^/\\?#@\s]+)$/.exec(origin.toLowerCase());
  if (parts === null) return origin;
  const [, scheme, host] = parts as unknown as [string, string, string];
  const port = scheme === "https://" ? ":443" : scheme === "http://" ? ":80" : undefined;
  return scheme + (port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host);
}

function matcherOf(allowed: unknown): (origin: string) => boolean {
  if (allowed instanceof RegExp) {
    // Without the pattern's state, and for the whole origin: `evil-app.example` must not match `app.example`.
    const whole = new RegExp(`^(?:${allowed.source})$`, `${allowed.flags.replaceAll(/[gimy]/g, "")}i`);
    return (origin) => whole.test(origin);
  }
  if (allowed === "*") return () => true;
  if (allowed === "null") return (origin) => origin === "null";
  if (typeof allowed === "string") {
    const parts = /^([a-z][a-z\d+.-]*:\/\/)(\*\.)?([^*/\\?#@\s]+)$/.exec(ascii(allowed));
    if (parts !== null) {
      const [, scheme, anySub, host] = parts as unknown as [string, string, string | undefined, string];
      if (anySub === undefined) return (origin) => origin === scheme + host;
      const end = `.${host}`;
      return (origin) =>
        origin.startsWith(scheme) &&
        origin.endsWith(end) &&
        /^[\w.-]*\w$/.test(origin.slice(scheme.length, -end.length));
    }
  }
  throw invalidArgument(
    `origins has ${show(allowed)}; an origin is a scheme and a host, such as "https://app.example", without a path`,
  );
}

/** An origin of the list as browsers write it, with international names in Punycode. */
function ascii(origin: string): string {
  const [, scheme] = /^(https?:\/\/)[^/\\?#@\s]+$/i.exec(origin) ?? [];
  if (scheme === undefined) return origin.toLowerCase();
  return URL.canParse(origin) ? scheme.toLowerCase() + new URL(origin).host : normalized(origin);
}
