import type { Role } from "../../core/index.ts";
import { checkBoolean, checkFunction, checkOptions, invalidArgument, optionSet, show } from "../../core/internal.ts";
import { canTakeOver } from "../deflate/deflate.ts";
import { readKey } from "../frames/frame.ts";
import {
  deflateSettings,
  negotiatedDeflate,
  type DeflateOptions,
  type DeflateParameters,
  type DeflateSettings,
} from "../handshake/permessage-deflate.ts";
import { limits, type Limits } from "./limits.ts";

/** Options of a `Protocol`. Sizes are in bytes; Infinity is no limit. */
export interface ProtocolOptions {
  /** This side's role: a client masks its frames, a server does not (RFC 6455 section 5.1). */
  role: Role;
  /**
   * What the opening handshake negotiated: the value of the response's Sec-WebSocket-Extensions, such as
   * `"permessage-deflate; client_no_context_takeover"`. Default none: messages are not compressed.
   */
  extensions?: string | undefined;
  /** How messages are compressed, if that was negotiated. */
  deflate?: Pick<DeflateOptions, "level" | "memLevel" | "threshold"> | undefined;
  /** The largest message, also after inflating: a larger one is `websocket.message_too_big`. Default 16 MiB. */
  maxMessageSize?: number | undefined;
  /** The most frames of a message: more are `websocket.too_many_fragments`. Default 131,072. */
  maxFragments?: number | undefined;
  /** While more than this waits to be sent, only the last of several pings is answered. Default 64 KiB. */
  highWaterMark?: number | undefined;
  /**
   * Whether pings are answered. If not, the caller has to send the pongs (RFC 6455 section 5.5.2). Default true.
   */
  autoPong?: boolean | undefined;
  /**
   * Whether close frames and violations are answered with a close frame, and data is dropped after our own close frame. If
   * not, the caller conducts the closing handshake (RFC 6455 section 7.1.2): messages come until the peer's close frame,
   * and may be sent until `close` is called. Default true.
   */
  autoClose?: boolean | undefined;
  /** Whether text is received as strings, or as UTF-8 bytes (checked, but not decoded). Default "string". */
  text?: "string" | "bytes" | undefined;
  /** Whether messages are returned in parts, as they arrive. Default false. */
  parts?: boolean | undefined;
  /**
   * Whether the bytes given to `receive` are the protocol's from then on, and their memory its messages': what came whole is
   * unmasked in place, and returned as a part of it, of the same class. So it is not copied, but a message that is kept
   * keeps all of the bytes that came with it. Default false: they are borrowed, and copied.
   */
  inPlace?: boolean | undefined;
  /**
   * Accepts text and close reasons that are not valid UTF-8, which RFC 6455 section 8.1 requires to refuse: for trusted
   * peers only, to save time. Invalid bytes become U+FFFD in strings. Default false.
   */
  skipUtf8Validation?: boolean | undefined;
  /**
   * Fills in the four bytes of a masking key; called once a frame. Keys must be unpredictable (RFC 6455 section 10.3),
   * so other keys are for tests only. Default: the platform's cryptographic source.
   */
  generateMask?: ((mask: Uint8Array) => void) | undefined;
}

/** Options of a `Protocol`, checked, with the defaults filled in. */
export interface ProtocolSettings extends Limits {
  readonly role: Role;
  readonly parameters: DeflateParameters | undefined;
  readonly deflate: DeflateSettings | undefined;
  /** A message is one frame. */
  readonly fragmentSize: number;
  readonly autoPong: boolean;
  readonly autoClose: boolean;
  readonly inPlace: boolean;
  readonly parts: boolean;
  readonly skipUtf8Validation: boolean;
  readonly maskingKey: (() => number) | undefined;
}

const protocolOptions = optionSet(
  "websocket.Protocol",
  [
    "role",
    "extensions",
    "deflate",
    "maxMessageSize",
    "maxFragments",
    "highWaterMark",
    "autoPong",
    "autoClose",
    "text",
    "inPlace",
    "parts",
    "skipUtf8Validation",
    "generateMask",
  ],
  '{ role: "server" }',
);

/** Of a protocol that is not told how to compress: takeover is negotiated elsewhere. */
const defaultDeflate = deflateSettings(true, () => true);

const deflateOptions = optionSet("deflate", ["level", "memLevel", "threshold"], "{ level: 1 }", ["websocket.Protocol"]);

/** Checks the options of a `Protocol`. Throws `core.invalid_argument`. */
export function protocolSettings(options: ProtocolOptions): ProtocolSettings {
  checkOptions(protocolOptions, options);
  const { role, extensions, deflate = {} } = options;
  if (role !== "client" && role !== "server") {
    throw invalidArgument(`role must be "client" or "server", the side that this is, not ${show(role)}`);
  }
  checkOptions(deflateOptions, deflate);
  const parameters = negotiatedDeflate(role, extensions, canTakeOver);
  const { maxMessageSize, maxFragments, highWaterMark, text } = limits(options);
  // Without spreading, which would make a hidden class for each protocol, larger than the object.
  return {
    maxMessageSize,
    maxFragments,
    highWaterMark,
    text,
    role,
    parameters,
    deflate: options.deflate === undefined ? defaultDeflate : deflateSettings(deflate, canTakeOver),
    fragmentSize: Infinity,
    autoPong: checkBoolean("autoPong", options.autoPong, true),
    autoClose: checkBoolean("autoClose", options.autoClose, true),
    inPlace: checkBoolean("inPlace", options.inPlace, false),
    parts: checkBoolean("parts", options.parts, false),
    skipUtf8Validation: checkBoolean("skipUtf8Validation", options.skipUtf8Validation, false),
    maskingKey: keysFrom(checkFunction("generateMask", options.generateMask)),
  };
}

function keysFrom(generateMask: ProtocolOptions["generateMask"]): (() => number) | undefined {
  if (generateMask === undefined) return undefined;
  const mask = new Uint8Array(4);
  return () => {
    generateMask(mask);
    return readKey(mask, 0);
  };
}
