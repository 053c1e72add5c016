import type { Role, ServalError } from "../../core/index.ts";
import { checkBoolean, checkNumber, checkOptions, invalidArgument, optionSet, show } from "../../core/internal.ts";
import { websocketError } from "../frames/errors.ts";
import { formatExtensions, parseExtensions, type Extension, type ExtensionParameter } from "./extensions.ts";

// What the two sides of permessage-deflate say to each other (RFC 7692 section 7.1), pure.

/**
 * Options of permessage-deflate (RFC 7692), the same in both roles.
 *
 * Without context takeover each message is compressed by itself, and no connection holds memory for it. With it, a
 * message may refer to those before, which makes small similar messages much smaller, and the connection holds some
 * 220 KiB to compress and 60 KiB to decompress; with windows of 12 bits about half of that.
 */
export interface DeflateOptions {
  /** The server compresses each message by itself. Default true. A server does so anyway for a client that asks. */
  serverNoContextTakeover?: boolean;
  /** The client compresses each message by itself. Default true. A client does so anyway for a server that asks. */
  clientNoContextTakeover?: boolean;
  /** How far back the server's messages may refer: 2 to the power of this, in bytes; 8 to 15. Default 15. */
  serverMaxWindowBits?: number;
  /**
   * How far back the client's messages may refer, likewise. Default 15. Below that, a server sends and receives
   * uncompressed messages with a client that can't be told of it.
   */
  clientMaxWindowBits?: number;
  /**
   * How hard to compress, from 0 (not at all) and 1 (fast) to 9 (small). Default 5: for small messages as good as zlib's
   * own default, 6, and a quarter faster for large ones and with takeover.
   */
  level?: number;
  /** How much memory a compressor takes besides its window, from 1 to 9: 2 to the power of `memLevel + 9` bytes. Default 5. */
  memLevel?: number;
  /** Messages of fewer bytes are sent as they are. Default 256; with takeover, 64 may pay. */
  threshold?: number;
}

/** Options with the defaults filled in, checked. */
export type DeflateSettings = Readonly<Required<DeflateOptions>>;

/** What the two sides have agreed on. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number;
  readonly clientMaxWindowBits: number;
}

const smallest: DeflateSettings = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 8,
  clientMaxWindowBits: 8,
  level: 0,
  memLevel: 1,
  threshold: 0,
};
const largest: DeflateSettings = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  level: 9,
  memLevel: 9,
  threshold: Infinity,
};
const defaults: DeflateSettings = { ...largest, level: 5, memLevel: 5, threshold: 256 };

/**
 * The option `deflate`, checked: true for the defaults; undefined or false for no compression, which is undefined.
 * Where the platform can't keep contexts, which `canTakeOver` is asked for, no takeover is agreed on, whatever the options say.
 * Throws `core.invalid_argument`, naming the option, for what can't be meant.
 */
export function deflateSettings(
  options: boolean | DeflateOptions | undefined,
  canTakeOver: () => boolean,
): DeflateSettings | undefined {
  if (options === undefined || options === false) return undefined;
  const settings: DeflateSettings = { ...defaults, ...(options === true ? {} : given(options)) };
  if (canTakeOver()) return settings;
  return { ...settings, serverNoContextTakeover: true, clientNoContextTakeover: true };
}

const deflateOptions = optionSet("deflate", Object.keys(defaults), "{ level: 1 }");

/** The options that have a value. */
function given(options: DeflateOptions): DeflateOptions {
  checkOptions(deflateOptions, options);
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries as [string, unknown][]) check(name, value);
  return Object.fromEntries(entries);
}

function check(name: string, value: unknown): void {
  const key = name as keyof DeflateSettings;
  const low = smallest[key];
  const high = largest[key];
  if (typeof low === "boolean") checkBoolean(`deflate.${name}`, value as boolean, low);
  // A threshold need not be whole, and Infinity is one that nothing reaches.
  else
    checkNumber(`deflate.${name}`, value as number, low, {
      least: low,
      most: high as number,
      isWhole: key !== "threshold",
    });
}

// ---- on the wire ----

const extensionName = "permessage-deflate";
const serverNoContextTakeover = "server_no_context_takeover";
const clientNoContextTakeover = "client_no_context_takeover";
const serverMaxWindowBits = "server_max_window_bits";
const clientMaxWindowBits = "client_max_window_bits";

/** What an offer or a response says: whether a parameter is there, and the bits; 0 for a parameter without its value. */
interface Said {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  clientMaxWindowBits: number | undefined;
}

/** Section 7.1.2: a decimal integer from 8 to 15 without leading zeros. */
const windowBits = /^(?:[89]|1[0-5])$/;

/**
 * Reads the parameters of an offer or a response. Undefined for one that is unknown, repeated, or has no valid value,
 * which an offer is declined for, and a connection failed for its response (section 7.1).
 */
function read(parameters: readonly ExtensionParameter[], isOffer: boolean): Said | undefined {
  const said: Said = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  for (const [name, value] of parameters) {
    switch (name) {
      case serverNoContextTakeover: // section 7.1.1.1
        if (said.serverNoContextTakeover || value !== undefined) return undefined;
        said.serverNoContextTakeover = true;
        break;
      case clientNoContextTakeover: // section 7.1.1.2
        if (said.clientNoContextTakeover || value !== undefined) return undefined;
        said.clientNoContextTakeover = true;
        break;
      case serverMaxWindowBits: // section 7.1.2.1
        if (said.serverMaxWindowBits !== undefined || value === undefined || !windowBits.test(value)) return undefined;
        said.serverMaxWindowBits = Number(value);
        break;
      case clientMaxWindowBits: // section 7.1.2.2: in an offer, it may come without a value
        if (said.clientMaxWindowBits !== undefined) return undefined;
        if (value === undefined ? !isOffer : !windowBits.test(value)) return undefined;
        said.clientMaxWindowBits = Number(value ?? 0);
        break;
      default:
        return undefined;
    }
  }
  return said;
}

function format(said: Said): string {
  const parameters: ExtensionParameter[] = [];
  if (said.serverNoContextTakeover) parameters.push([serverNoContextTakeover, undefined]);
  if (said.clientNoContextTakeover) parameters.push([clientNoContextTakeover, undefined]);
  if (said.serverMaxWindowBits !== undefined) parameters.push([serverMaxWindowBits, `${said.serverMaxWindowBits}`]);
  if (said.clientMaxWindowBits !== undefined) {
    parameters.push([clientMaxWindowBits, said.clientMaxWindowBits === 0 ? undefined : `${said.clientMaxWindowBits}`]);
  }
  return formatExtensions([{ name: extensionName, parameters }]);
}

/**
 * In the server role: agrees to the first of the client's offers that can be met, and gives the value of the response's
 * Sec-WebSocket-Extensions. Undefined where there is none, and the connection goes without (RFC 7692 section 5.1).
 */
export function acceptDeflate(
  settings: DeflateSettings,
  offers: readonly Extension[],
): { readonly parameters: DeflateParameters; readonly response: string } | undefined {
  for (const { name, parameters } of offers) {
    if (name !== extensionName) continue;
    const offer = read(parameters, true);
    if (offer === undefined) continue;
    // Section 7.1.2.2: a client that does not offer it can't be told to use a smaller window.
    const canLimitClient = offer.clientMaxWindowBits !== undefined;
    if (!canLimitClient && settings.clientMaxWindowBits < 15) continue;

    const agreed: DeflateParameters = {
      serverNoContextTakeover: offer.serverNoContextTakeover || settings.serverNoContextTakeover,
      clientNoContextTakeover: offer.clientNoContextTakeover || settings.clientNoContextTakeover,
      serverMaxWindowBits: Math.min(offer.serverMaxWindowBits ?? 15, settings.serverMaxWindowBits),
      clientMaxWindowBits: Math.min(offer.clientMaxWindowBits || 15, settings.clientMaxWindowBits),
    };
    const response = format({
      ...agreed,
      // Section 7.1.2.1: to accept what was offered is to say it.
      serverMaxWindowBits:
        offer.serverMaxWindowBits === undefined ? limit(agreed.serverMaxWindowBits) : agreed.serverMaxWindowBits,
      clientMaxWindowBits: limit(agreed.clientMaxWindowBits),
    });
    return { parameters: agreed, response };
  }
  return undefined;
}

/** A window to speak of: 15 bits is what goes without saying. */
function limit(bits: number): number | undefined {
  return bits === 15 ? undefined : bits;
}

/**
 * In the client role: the value of the request's Sec-WebSocket-Extensions. It is one offer: each thing that it asks of
 * the server is something that the options ask for, so there is no second one to fall back to.
 */
export function offerDeflate(settings: DeflateSettings): string {
  return format({
    ...settings,
    serverMaxWindowBits: limit(settings.serverMaxWindowBits),
    // Always there, since it lets the server limit us, which we can always do.
    clientMaxWindowBits: limit(settings.clientMaxWindowBits) ?? 0,
  });
}

/**
 * In the client role: what the response's Sec-WebSocket-Extensions agrees to, where {@link offerDeflate} was sent with
 * `settings`, or nothing where they are undefined; undefined where the server has declined. An error,
 * `websocket.bad_sec_extensions`, for what was not offered or is invalid: the connection must be failed then (RFC 6455
 * section 4.1, RFC 7692 sections 5.1 and 7.1).
 */
export function agreedDeflate(
  settings: DeflateSettings | undefined,
  value: string | undefined,
): DeflateParameters | undefined | ServalError {
  const extensions = parseExtensions(value ?? "");
  if (extensions === undefined) return bad("is malformed");
  const [extension, another] = extensions;
  if (extension === undefined) return undefined;
  if (settings === undefined || extension.name !== extensionName || another !== undefined) {
    return bad(`agrees to what was not offered: ${value}`);
  }
  const response = read(extension.parameters, false);
  if (response === undefined) return bad(`has invalid parameters: ${value}`);

  // A server that can't meet what the offer asks has to decline it; these have accepted without.
  const { serverMaxWindowBits = 15, clientMaxWindowBits = settings.clientMaxWindowBits } = response;
  const isMet =
    (response.serverNoContextTakeover || !settings.serverNoContextTakeover) &&
    serverMaxWindowBits <= settings.serverMaxWindowBits &&
    clientMaxWindowBits <= settings.clientMaxWindowBits;
  if (!isMet) return bad(`does not agree to what was offered: ${value}`);
  return {
    serverNoContextTakeover: response.serverNoContextTakeover,
    // Section 7.1.1.2: what the client has said of itself holds, whatever the server answers.
    clientNoContextTakeover: response.clientNoContextTakeover || settings.clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
}

/**
 * What a handshake that was made elsewhere has agreed on: `value` is its response's Sec-WebSocket-Extensions, `role` ours.
 * Undefined where the header is missing or empty. Throws `core.invalid_argument` for anything but a response of
 * permessage-deflate, and for one that lets the peer take contexts over where the platform can't keep them, which
 * `canTakeOver` is asked for.
 */
export function negotiatedDeflate(
  role: Role,
  value: string | undefined,
  canTakeOver: () => boolean,
): DeflateParameters | undefined {
  if (value !== undefined && typeof value !== "string") {
    throw invalidArgument(`extensions must be the response's Sec-WebSocket-Extensions, a string, not ${show(value)}`);
  }
  if (value === undefined || value === "") return undefined;
  const [extension, another] = parseExtensions(value) ?? [];
  const said =
    extension?.name === extensionName && another === undefined ? read(extension.parameters, false) : undefined;
  if (said === undefined) {
    throw invalidArgument(
      `extensions must be what a response says of permessage-deflate, and nothing else, not ${JSON.stringify(value)}`,
    );
  }
  const isPeerFree = role === "server" ? !said.clientNoContextTakeover : !said.serverNoContextTakeover;
  if (isPeerFree && !canTakeOver()) {
    const name = role === "server" ? clientNoContextTakeover : serverNoContextTakeover;
    throw invalidArgument(`extensions must have ${name}: this platform can't keep contexts of zlib`);
  }
  const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = said;
  return { ...said, serverMaxWindowBits, clientMaxWindowBits };
}

function bad(what: string): ServalError {
  return websocketError("websocket.bad_sec_extensions", {
    message: `The WebSocket handshake Sec-WebSocket-Extensions header ${what}`,
  });
}
