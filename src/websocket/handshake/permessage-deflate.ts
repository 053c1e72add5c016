import type { Role, ServalError } from "../../core/index.ts";
import { checkBoolean, checkNumber, checkOptions, invalidArgument, optionSet, show } from "../../core/internal.ts";
import { websocketError } from "../frames/errors.ts";
import { formatExtensions, parseExtensions, type Extension, type ExtensionParameter } from "./extensions.ts";

// Negotiation of permessage-deflate (RFC 7692 section 7.1). Pure.

/**
 * Options of permessage-deflate (RFC 7692), the same for both roles.
 *
 * Without context takeover each message is compressed separately, and no connection holds memory for it. With it, a
 * message may refer to earlier ones, which makes small similar messages much smaller; then a connection holds about 220
 * KiB to compress and 60 KiB to decompress, and about half of that with windows of 12 bits.
 */
export interface DeflateOptions {
  /**
   * The server compresses each message separately. Default true. Always so if the client asks for it. A client asks by
   * default, but takes a server that does not do it, which costs it about 60 KiB; if this is set to true, the handshake
   * with such a server fails.
   */
  serverNoContextTakeover?: boolean;
  /** The client compresses each message separately. Default true. Always so if the server asks for it. */
  clientNoContextTakeover?: boolean;
  /** How far back the server's messages may refer, as a power of 2 in bytes: 8 to 15. Default 15. */
  serverMaxWindowBits?: number;
  /**
   * How far back the client's messages may refer, as a power of 2 in bytes: 8 to 15. Default 15. If it is smaller and
   * the client does not support the parameter, a server agrees to no compression with that client.
   */
  clientMaxWindowBits?: number;
  /**
   * How hard to compress, from 0 (not at all) and 1 (fast) to 9 (small). Default 5: for small messages as good as
   * zlib's default, 6, and a quarter faster for large messages and with takeover.
   */
  level?: number;
  /**
   * How much memory a compressor takes besides its window, 1 to 9: 2 to the power of `memLevel + 9` bytes. Default 5.
   */
  memLevel?: number;
  /** Messages of fewer bytes are sent uncompressed. Default 256; with takeover, 64 may pay off. */
  threshold?: number;
}

/** The options, all set. */
type Values = Readonly<Required<DeflateOptions>>;

/** Checked options with defaults filled in. */
export interface DeflateSettings extends Values {
  /** Client: whether the server may keep its context, since the application has not asked for one that doesn't. */
  readonly takesServerContext: boolean;
}

/** The negotiated parameters. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number;
  readonly clientMaxWindowBits: number;
}

const smallest: Values = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 8,
  clientMaxWindowBits: 8,
  level: 0,
  memLevel: 1,
  threshold: 0,
};
const largest: Values = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  level: 9,
  memLevel: 9,
  threshold: Infinity,
};
/** The options by default. */
export const defaultDeflate: Values = { ...largest, level: 5, memLevel: 5, threshold: 256 };

/**
 * Checks the option `deflate`: true means the defaults; undefined or false means no compression, and returns undefined.
 * If the platform can't keep contexts (`canTakeOver`), takeover is never negotiated. Throws `core.invalid_argument`,
 * naming the option, for an invalid value.
 */
export function deflateSettings(
  options: boolean | DeflateOptions | undefined,
  canTakeOver: () => boolean,
): DeflateSettings | undefined {
  if (options === undefined || options === false) return undefined;
  const set = options === true ? {} : given(options);
  const settings: DeflateSettings = {
    ...defaultDeflate,
    ...set,
    takesServerContext: set.serverNoContextTakeover !== true,
  };
  if (canTakeOver()) return settings;
  return { ...settings, serverNoContextTakeover: true, clientNoContextTakeover: true, takesServerContext: false };
}

const deflateOptions = optionSet("deflate", Object.keys(defaultDeflate), "{ level: 1 }");

/** The options that are set. */
function given(options: DeflateOptions): DeflateOptions {
  checkOptions(deflateOptions, options);
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries as [string, unknown][]) check(name, value);
  return Object.fromEntries(entries);
}

function check(name: string, value: unknown): void {
  const key = name as keyof Values;
  const low = smallest[key];
  const high = largest[key];
  if (typeof low === "boolean") checkBoolean(`deflate.${name}`, value as boolean, low);
  // A threshold need not be a whole number; Infinity compresses nothing.
  else
    checkNumber(`deflate.${name}`, value as number, low, {
      least: low,
      most: high as number,
      isWhole: key !== "threshold",
    });
}

// ---- headers ----

const extensionName = "permessage-deflate";
const serverNoContextTakeover = "server_no_context_takeover";
const clientNoContextTakeover = "client_no_context_takeover";
const serverMaxWindowBits = "server_max_window_bits";
const clientMaxWindowBits = "client_max_window_bits";

/** The parameters in an offer or a response; window bits are 0 for a parameter without a value. */
interface Said {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  clientMaxWindowBits: number | undefined;
}

/** Section 7.1.2: a decimal integer from 8 to 15 without leading zeros. */
const windowBits = /^(?:[89]|1[0-5])$/;

/**
 * Reads the parameters of an offer or a response. Undefined if one is unknown, repeated, or has an invalid value; then
 * an offer is declined, and a response fails the connection (section 7.1).
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
      case clientMaxWindowBits: // section 7.1.2.2: in an offer it may have no value
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
 * Server: agrees to the client's first acceptable offer, with the value of the response's Sec-WebSocket-Extensions.
 * Undefined if there is none; then the connection has no compression (RFC 7692 section 5.1).
 */
export function acceptDeflate(
  settings: DeflateSettings,
  offers: readonly Extension[],
): { readonly parameters: DeflateParameters; readonly response: string } | undefined {
  for (const { name, parameters } of offers) {
    if (name !== extensionName) continue;
    const offer = read(parameters, true);
    if (offer === undefined) continue;
    // Section 7.1.2.2: without this parameter in the offer, the client can't be limited.
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
      // Section 7.1.2.1: accepting this parameter requires it in the response.
      serverMaxWindowBits:
        offer.serverMaxWindowBits === undefined ? limit(agreed.serverMaxWindowBits) : agreed.serverMaxWindowBits,
      clientMaxWindowBits: limit(agreed.clientMaxWindowBits),
    });
    return { parameters: agreed, response };
  }
  return undefined;
}

/** The window bits to write; 15 is the default and left out. */
function limit(bits: number): number | undefined {
  return bits === 15 ? undefined : bits;
}

/**
 * Client: the value of the request's Sec-WebSocket-Extensions: what the client prefers, and then a plain offer for
 * servers that decline the first (section 5.2), unless the application requires more.
 */
export function offerDeflate(settings: DeflateSettings): string {
  const preferred = format({
    ...settings,
    serverMaxWindowBits: limit(settings.serverMaxWindowBits),
    // Always included: it allows the server to limit the client, which the client can always do.
    clientMaxWindowBits: limit(settings.clientMaxWindowBits) ?? 0,
  });
  const isPlainEnough = settings.takesServerContext && settings.serverMaxWindowBits === 15;
  return isPlainEnough ? `${preferred}, ${extensionName}` : preferred;
}

/**
 * Client: what the response's Sec-WebSocket-Extensions agrees to, after {@link offerDeflate} with `settings`, or after
 * no offer if they are undefined. Undefined if the server declined. The error `websocket.bad_sec_extensions` if it is
 * invalid or was not offered: then the connection must fail (RFC 6455 section 4.1, RFC 7692 sections 5.1 and 7.1).
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
    return bad(`agrees to something that was not offered: ${value}`);
  }
  const response = read(extension.parameters, false);
  if (response === undefined) return bad(`has invalid parameters: ${value}`);

  // A server that can't meet a requirement of the offer must decline it, not accept without it. What costs only a context
  // is taken all the same.
  const { serverMaxWindowBits = 15, clientMaxWindowBits = settings.clientMaxWindowBits } = response;
  const isMet =
    (response.serverNoContextTakeover || !settings.serverNoContextTakeover || settings.takesServerContext) &&
    serverMaxWindowBits <= settings.serverMaxWindowBits &&
    clientMaxWindowBits <= settings.clientMaxWindowBits;
  if (!isMet)
    return bad(`is ${JSON.stringify(value)}, which does not meet the offer ${JSON.stringify(offerDeflate(settings))}`);
  return {
    serverNoContextTakeover: response.serverNoContextTakeover,
    // Section 7.1.1.2: the client keeps its own announcement, whatever the server answers.
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
