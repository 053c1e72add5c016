import type { Role } from "../../core/index.ts";
import { Deflater, Inflater } from "../deflate/deflate.ts";
import { defaultDeflate, type DeflateParameters } from "../handshake/permessage-deflate.ts";

/** Compresses a role's messages and decompresses its peer's, according to the negotiated permessage-deflate. */
export interface Compression {
  readonly inflater: Inflater | undefined;
  readonly deflater: Deflater | undefined;
}

const none: Compression = { inflater: undefined, deflater: undefined };

/**
 * The compression for a role by the negotiated parameters (RFC 7692 section 7.1); `level` and `memLevel` are the role's
 * own choice. A connection has another class of deflaters, which use other threads too.
 */
export function compressionOf(
  role: Role,
  agreed: DeflateParameters | undefined,
  { level, memLevel }: { readonly level: number; readonly memLevel: number } = defaultDeflate,
  OurDeflater: typeof Deflater = Deflater,
): Compression {
  if (agreed === undefined) return none;
  const ofServer = { windowBits: agreed.serverMaxWindowBits, takeover: !agreed.serverNoContextTakeover };
  const ofClient = { windowBits: agreed.clientMaxWindowBits, takeover: !agreed.clientNoContextTakeover };
  const [ours, theirs] = role === "server" ? [ofServer, ofClient] : [ofClient, ofServer];
  return { inflater: new Inflater(theirs), deflater: new OurDeflater({ ...ours, level, memLevel }) };
}
