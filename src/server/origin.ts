import { invalidArgument } from "../core/errors.ts";
import { runReported } from "../core/report.ts";
import type { Request } from "../http/index.ts";

/**
 * Which pages may open a WebSocket: the option `origins`. A browser says in Origin whose page it is, and lets any page of
 * the world connect (RFC 6455 section 10.2): with the user's cookies, if the server goes by these. Besides the server's own
 * host, an origin is allowed that is in the list: as `https://app.example`, with any subdomain as
 * `https://*.app.example`, by a pattern, or "*" for all; or that the function says true to.
 */
export type Origins = "*" | readonly (string | RegExp)[] | ((origin: string, request: Request) => boolean);

/** Whether a request's Origin, if it has one, may open a WebSocket. */
export type OriginRule = (request: Request) => boolean;

/** Makes a rule of the option `origins`. Throws `core.invalid_argument` for one that can't be meant. */
export function originRule(origins: Origins | undefined): OriginRule {
  if (origins === "*") return () => true;
  if (typeof origins === "function") {
    return (request) => {
      const origin = request.fields.get("Origin");
      if (isSameHost(request, origin)) return true;
      let isAllowed = false;
      // What throws allows nothing.
      runReported(() => void (isAllowed = origins(origin!, request) === true));
      return isAllowed;
    };
  }
  if (origins !== undefined && !Array.isArray(origins)) {
    throw invalidArgument(`origins must be a list such as ["https://app.example"], a function, or "*" for all`);
  }
  const allowed = (origins ?? []).map((one: unknown) => matcherOf(one));
  return (request) => {
    const origin = request.fields.get("Origin");
    return isSameHost(request, origin) || allowed.some((isAllowed) => isAllowed(origin!.toLowerCase()));
  };
}

/** Whether the page is of the host that it connects to; what is no browser says nothing. */
function isSameHost({ fields }: Request, origin: string | undefined): boolean {
  if (origin === undefined) return true;
  // Two of them are of no browser's making.
  if (fields.getAll("Origin").length > 1) return false;
  const parts = /^(https?):\/\/([^/?#@\s]+)$/i.exec(origin);
  const host = fields.get("Host");
  if (parts === null || host === undefined) return false;
  const [, scheme, originHost] = parts;
  const defaultPort = scheme!.toLowerCase() === "https" ? ":443" : ":80";
  // A proxy may have ended the TLS: so only the host counts, and its port, of which the default one is left out.
  const named = host.toLowerCase();
  return (named.endsWith(defaultPort) ? named.slice(0, -defaultPort.length) : named) === originHost!.toLowerCase();
}

function matcherOf(allowed: unknown): (origin: string) => boolean {
  if (allowed instanceof RegExp) {
    // Without its state, and only as a whole: `evil-app.example` must not pass for `app.example`.
    const whole = new RegExp(`^(?:${allowed.source})$`, allowed.flags.replaceAll(/[gy]/g, ""));
    return (origin) => whole.test(origin);
  }
  if (allowed === "*") return () => true;
  if (allowed === "null") return (origin) => origin === "null";
  if (typeof allowed === "string") {
    const parts = /^([a-z][a-z\d+.-]*:\/\/)(\*\.)?([^*/?#@\s]+)$/.exec(allowed.toLowerCase());
    if (parts !== null) {
      const [, scheme, anySub, host] = parts as unknown as [string, string, string | undefined, string];
      if (anySub === undefined) return (origin) => origin === scheme + host;
      return (origin) => origin.startsWith(scheme) && origin.endsWith(`.${host}`) && !origin.includes("@");
    }
  }
  throw invalidArgument(
    `origins has ${String(allowed)}; an origin is a scheme and a host, such as "https://app.example", with no path`,
  );
}
