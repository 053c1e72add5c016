import type { ProtocolOptions } from "../websocket/index.ts";
import type { ConnectionOptions } from "./opening.ts";
import type { Compression } from "./output.ts";
import { PerMessageDeflate } from "./permessage-deflate.ts";

const unlimited = (limit: number | undefined): number => (limit === undefined || limit <= 0 ? Infinity : limit);

/** The options of the `Protocol` of a connection. */
export function protocolOptions(
  isServer: boolean,
  options: ConnectionOptions,
  negotiated: PerMessageDeflate | undefined,
): ProtocolOptions {
  const { generateMask } = options;
  return {
    role: isServer ? "server" : "client",
    text: "bytes",
    inPlace: true,
    autoPong: false,
    autoClose: false,
    maxMessageSize: unlimited(options.maxPayload),
    maxFragments: unlimited(options.maxFragments),
    skipUtf8Validation: options.skipUTF8Validation === true,
    ...(generateMask === undefined ? {} : { generateMask: maskingBuffer(generateMask) }),
    ...(negotiated === undefined ? {} : deflateOptions(isServer, negotiated)),
  };
}

/** Calls a function that fills in a Buffer. */
function maskingBuffer(generateMask: (mask: Buffer) => void): (mask: Uint8Array) => void {
  const key = Buffer.alloc(4);
  return (mask) => {
    generateMask(key);
    mask.set(key);
  };
}

function takesOver(isServer: boolean, { params }: PerMessageDeflate): boolean {
  return params?.[isServer ? "server_no_context_takeover" : "client_no_context_takeover"] !== true;
}

/** How this side compresses by what was negotiated. */
export function compressionOf(isServer: boolean, negotiated: PerMessageDeflate): Compression {
  return { takeover: takesOver(isServer, negotiated), threshold: negotiated._threshold };
}

/**
 * How far back our messages refer with takeover, as a power of 2 in bytes, if `zlibDeflateOptions` has no `windowBits`: less
 * than was agreed is always allowed (RFC 7692 section 7.1.2). The search takes much longer, and 96 KB more for each
 * connection, in a window of 15, for a few percent fewer bytes.
 */
const defaultWindowBits = 13;

/** The parameters for the `Protocol`: with takeover, the window of our own messages may be smaller than agreed. */
function parametersOf(isServer: boolean, negotiated: PerMessageDeflate): Record<string, unknown> {
  const { params, _options } = negotiated;
  if (!takesOver(isServer, negotiated)) return { ...params };
  const own = isServer ? "server_max_window_bits" : "client_max_window_bits";
  const agreed = params?.[own];
  const wanted = _options.zlibDeflateOptions?.windowBits ?? defaultWindowBits;
  return { ...params, [own]: Math.min(typeof agreed === "number" ? agreed : 15, wanted) };
}

function deflateOptions(
  isServer: boolean,
  negotiated: PerMessageDeflate,
): Pick<ProtocolOptions, "extensions" | "deflate"> {
  const { takeover, threshold } = compressionOf(isServer, negotiated);
  const { level, memLevel } = negotiated._options.zlibDeflateOptions ?? {};
  const parameters = Object.entries(parametersOf(isServer, negotiated)).map(([name, value]) =>
    value === true ? name : `${name}=${value}`,
  );
  return {
    extensions: [PerMessageDeflate.extensionName, ...parameters].join("; "),
    deflate: {
      // With takeover, later messages may refer to a small one.
      threshold: takeover ? 0 : threshold,
      ...(level === undefined || level < 0 ? {} : { level }),
      ...(memLevel === undefined ? {} : { memLevel }),
    },
  };
}
