import type { Peer } from "../core/index.ts";
import { decodeLatin1, decodeUtf8 } from "../core/internal.ts";

/** A TLV (type, length, value) of a version 2 header of the PROXY protocol. */
export interface ProxyTlv {
  /** The type, 0 to 255. The specification has a list, and leaves 0xe0 to 0xef to applications. */
  readonly type: number;
  /** The value, possibly empty: a view into the header's own copy, which does not change. */
  readonly value: Uint8Array;
}

/** The types that this library uses (section 2.2). */
export const tlvTypes = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20 } as const;

/** A header of the PROXY protocol, in either version. Made by `parseProxyHeader` or `acceptProxy`. */
export class ProxyHeader {
  /** The size of the header, in bytes. */
  readonly size: number;
  /** 1 for the text form, 2 for the binary form. */
  readonly version: 1 | 2;
  /** `proxy` for a forwarded connection, `local` for one of the proxy's own, such as a health check. */
  readonly command: "local" | "proxy";
  /** The client's transport; undefined if the proxy does not name it, as for `local`. */
  readonly transport: "stream" | "datagram" | undefined;
  /** The client's address; undefined if the proxy does not name it. */
  readonly source: Peer | undefined;
  /** The address that the client connected to; undefined if the proxy does not name it. */
  readonly destination: Peer | undefined;
  /** All TLVs of version 2, in order. */
  readonly tlvs: readonly ProxyTlv[];

  /** @internal */
  constructor(facts: ProxyFacts) {
    this.size = facts.size;
    this.version = facts.version;
    this.command = facts.command ?? "proxy";
    this.transport = facts.transport;
    this.source = facts.source;
    this.destination = facts.destination;
    this.tlvs = facts.tlvs ?? [];
  }

  /** The value of the first TLV of a type; undefined if there is none. */
  tlv(type: number): Uint8Array | undefined {
    return this.tlvs.find((tlv) => tlv.type === type)?.value;
  }

  /** The application protocol negotiated between client and proxy, such as `h2` (section 2.2.1). */
  get alpn(): string | undefined {
    const value = this.tlv(tlvTypes.alpn);
    return value && decodeLatin1(value);
  }

  /** The host that the client asked for, such as TLS's server name (section 2.2.2). */
  get authority(): string | undefined {
    const value = this.tlv(tlvTypes.authority);
    return value && decodeUtf8(value);
  }

  /** An id of the connection that is unique across several proxies: up to 128 bytes (section 2.2.5). */
  get uniqueId(): Uint8Array | undefined {
    return this.tlv(tlvTypes.uniqueId);
  }

  /** The client's TLS facts, in the header's binary form (section 2.2.6). */
  get ssl(): Uint8Array | undefined {
    return this.tlv(tlvTypes.ssl);
  }
}

/** The parts of a {@link ProxyHeader}. */
export interface ProxyFacts {
  readonly size: number;
  readonly version: 1 | 2;
  readonly command?: "local" | "proxy";
  readonly transport?: "stream" | "datagram" | undefined;
  readonly source?: Peer | undefined;
  readonly destination?: Peer | undefined;
  readonly tlvs?: readonly ProxyTlv[];
}
