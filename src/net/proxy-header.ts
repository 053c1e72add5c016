import type { Peer } from "../core/index.ts";
import { decodeLatin1, decodeUtf8 } from "../core/internal.ts";

/** A piece of information in a header of the PROXY protocol's version 2. */
export interface ProxyTlv {
  /** What it is, 0 to 255: the specification has a list, and leaves 0xe0 to 0xef to applications. */
  readonly type: number;
  /** Its bytes, possibly none; they are the header's own and stay as they are. */
  readonly value: Uint8Array;
}

/** The types that mean something here; section 2.2. */
export const tlvTypes = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20 } as const;

/** What a header of the PROXY protocol says, in either version. It comes from `parseProxyHeader` or `acceptProxy`. */
export class ProxyHeader {
  /** How many bytes the header took. */
  readonly size: number;
  /** 1 for the line of text, 2 for the binary form. */
  readonly version: 1 | 2;
  /** `proxy` for a connection that is passed on, `local` for one of the proxy's own, such as a health check. */
  readonly command: "local" | "proxy";
  /** What the client used; undefined where the proxy does not say, as for `local`. */
  readonly transport: "stream" | "datagram" | undefined;
  /** Where the client is; undefined where the proxy does not say. */
  readonly source: Peer | undefined;
  /** What the client connected to; undefined where the proxy does not say. */
  readonly destination: Peer | undefined;
  /** All that version 2 says besides, in order. */
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

  /** The value of the first piece of information of a type. */
  tlv(type: number): Uint8Array | undefined {
    return this.tlvs.find((tlv) => tlv.type === type)?.value;
  }

  /** The application protocol that the client and the proxy agreed on, such as `h2` (section 2.2.1). */
  get alpn(): string | undefined {
    const value = this.tlv(tlvTypes.alpn);
    return value && decodeLatin1(value);
  }

  /** The host that the client asked for, such as by TLS's server name (section 2.2.2). */
  get authority(): string | undefined {
    const value = this.tlv(tlvTypes.authority);
    return value && decodeUtf8(value);
  }

  /** What tells the connection from all others across several proxies: up to 128 bytes (section 2.2.5). */
  get uniqueId(): Uint8Array | undefined {
    return this.tlv(tlvTypes.uniqueId);
  }

  /** What the proxy says of the client's TLS, as it stands in the header (section 2.2.6). */
  get ssl(): Uint8Array | undefined {
    return this.tlv(tlvTypes.ssl);
  }
}

/** What a {@link ProxyHeader} is made of. */
export interface ProxyFacts {
  readonly size: number;
  readonly version: 1 | 2;
  readonly command?: "local" | "proxy";
  readonly transport?: "stream" | "datagram" | undefined;
  readonly source?: Peer | undefined;
  readonly destination?: Peer | undefined;
  readonly tlvs?: readonly ProxyTlv[];
}
