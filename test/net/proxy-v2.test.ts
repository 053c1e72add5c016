import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { parseProxyHeader, type ProxyHeader } from "../../src/net/index.ts";
import { crc32c } from "../../src/net/crc32c.ts";
import { addresses4, addresses6, binaryHeader, piece } from "./support/proxy-headers.ts";

/** Parses, and holds the parser to what is true of all: no answer before the last byte, none of what follows matters. */
function parsed(bytes: Buffer): ProxyHeader {
  for (let size = 0; size < bytes.length; size++) assert.equal(parseProxyHeader(bytes.subarray(0, size)), undefined);
  const memory = Buffer.concat([bytes, bytes]);
  const header = parseProxyHeader(memory)!;
  // It keeps none of the bytes.
  memory.fill(0xdb);
  assert.deepEqual(header, parseProxyHeader(bytes));
  assert.equal(header.version, 2);
  assert.equal(header.size, bytes.length);
  return header;
}

/** After how many bytes it is known that a header is malformed, and what is said of it. */
function refused(bytes: Uint8Array, code = "net.bad_proxy_header"): [size: number, message: string] {
  for (let size = 0; size <= bytes.length; size++) {
    try {
      assert.equal(parseProxyHeader(bytes.subarray(0, size)), undefined);
    } catch (error) {
      assert.ok(error instanceof ServalError && error.code === code, String(error));
      assert.throws(() => parseProxyHeader(bytes), { code });
      return [size, error.message];
    }
  }
  throw new Error("it was not refused");
}

/** A header with a checksum. */
function summed(...parts: readonly Buffer[]): Buffer {
  const bytes = binaryHeader(0x21, 0x11, addresses4, piece(3, Buffer.alloc(4)), ...parts);
  bytes.writeUInt32BE(crc32c(bytes), 16 + addresses4.length + 3);
  return bytes;
}

describe("parseProxyHeader, version 2", () => {
  for (const [family, transport] of [
    [0x11, "stream"],
    [0x12, "datagram"],
  ] as const) {
    it(`reads IPv4 addresses, ${transport}`, () => {
      const header = parsed(binaryHeader(0x21, family, addresses4));
      assert.equal(header.command, "proxy");
      assert.equal(header.transport, transport);
      assert.deepEqual(header.source, { address: "192.0.2.1", port: 56324, family: "IPv4" });
      assert.deepEqual(header.destination, { address: "192.0.2.2", port: 443, family: "IPv4" });
      assert.deepEqual(header.tlvs, []);
    });
  }

  it("reads IPv6 addresses", () => {
    const header = parsed(binaryHeader(0x21, 0x21, addresses6));
    assert.deepEqual(header.source, { address: "2001:db8::1", port: 56324, family: "IPv6" });
    assert.deepEqual(header.destination, { address: "192.0.2.2", port: 443, family: "IPv4" });
    assert.equal(parsed(binaryHeader(0x21, 0x22, addresses6)).transport, "datagram");
  });

  it("reads the paths of Unix sockets: the longest, abstract ones, and none", () => {
    const path = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(108)]).subarray(0, 108);
    const header = parsed(binaryHeader(0x21, 0x31, path("/run/client"), path("/run/ü")));
    assert.equal(header.transport, "stream");
    assert.deepEqual(header.source, { unix: "/run/client" });
    assert.deepEqual(header.destination, { unix: "/run/ü" });
    const other = parsed(binaryHeader(0x21, 0x32, path("\0name"), path("/".repeat(108))));
    assert.equal(other.transport, "datagram");
    assert.deepEqual(other.source, { unix: "\0name" });
    assert.deepEqual(other.destination, { unix: "/".repeat(108) });
    const unnamed = parsed(binaryHeader(0x21, 0x31, path(""), path("/a")));
    assert.equal(unnamed.source, undefined);
  });

  it("drops all that comes with a local connection", () => {
    for (const [family, rest] of [
      [0, Buffer.alloc(0)],
      [0x11, addresses4],
      [0x21, Buffer.from("short")],
      [0x31, piece(2, "host")],
    ] as const) {
      const header = parsed(binaryHeader(0x20, family, rest));
      assert.equal(header.command, "local");
      assert.equal(header.transport, undefined);
      assert.equal(header.source, undefined);
      assert.equal(header.destination, undefined);
      assert.deepEqual(header.tlvs, []);
    }
  });

  it("ignores the addresses if family or transport is unspecified, and reads the TLVs after them", () => {
    for (const [family, addresses] of [
      [0x00, Buffer.alloc(0)],
      [0x01, Buffer.alloc(0)],
      [0x10, addresses4],
      [0x20, addresses6],
      [0x30, Buffer.alloc(216)],
    ] as const) {
      const header = parsed(binaryHeader(0x21, family, addresses, piece(5, "id")));
      assert.equal(header.command, "proxy");
      assert.equal(header.transport, undefined);
      assert.equal(header.source, undefined);
      assert.equal(String(Buffer.from(header.uniqueId!)), "id");
    }
  });

  it("reads the TLVs after the addresses, known or not", () => {
    const ssl = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), piece(0x21, "TLSv1.3")]);
    const header = parsed(
      binaryHeader(
        0x21,
        0x11,
        addresses4,
        piece(1, "h2"),
        piece(2, "exämple.com"),
        piece(4, Buffer.alloc(7)),
        piece(5, Buffer.alloc(128, 7)),
        piece(0x20, ssl),
        piece(0xea, "first"),
        piece(0xea, ""),
      ),
    );
    assert.equal(header.alpn, "h2");
    assert.equal(header.authority, "exämple.com");
    assert.deepEqual(Buffer.from(header.uniqueId!), Buffer.alloc(128, 7));
    assert.deepEqual(Buffer.from(header.ssl!), ssl);
    assert.deepEqual(
      header.tlvs.map(({ type }) => type),
      [1, 2, 4, 5, 0x20, 0xea, 0xea],
    );
    assert.equal(String(Buffer.from(header.tlv(0xea)!)), "first");
    assert.equal(header.tlv(0xeb), undefined);
  });

  it("verifies the checksum if there is one", () => {
    const good = summed(piece(2, "example.com"));
    assert.equal(parsed(good).authority, "example.com");
    for (let index = 16; index < good.length; index++) {
      const bad = Buffer.from(good);
      bad[index]! ^= 1;
      refused(bad);
    }
    const wrong = Buffer.from(good);
    wrong[16]! ^= 1;
    assert.match(refused(wrong)[1], /checksum is wrong/);
    assert.match(refused(binaryHeader(0x21, 0x11, addresses4, piece(3, "12345")))[1], /checksum .* four bytes/);
    assert.match(refused(summed(piece(3, "1234")))[1], /two checksums/);
  });

  for (const [what, bytes, size, message] of [
    ["another version", binaryHeader(0x11, 0x11, addresses4), 13, /version is 1/],
    ["an unknown command", binaryHeader(0x22, 0x11, addresses4), 13, /command is 2/],
    ["an unknown family", binaryHeader(0x21, 0x41, addresses4), 14, /family 4 or transport 1 is undefined/],
    ["an unknown transport", binaryHeader(0x21, 0x13, addresses4), 14, /family 1 or transport 3/],
    ["an unknown family of a local connection", binaryHeader(0x20, 0xf0), 14, /family 15 or transport 0/],
    ["too little for IPv4", binaryHeader(0x21, 0x11, addresses4.subarray(1)), 16, /too short for its addresses/],
    ["too little for IPv6", binaryHeader(0x21, 0x21, addresses6.subarray(1)), 16, /too short for its addresses/],
    ["too little for paths", binaryHeader(0x21, 0x31, Buffer.alloc(215)), 16, /too short for its addresses/],
    ["half a piece's head", binaryHeader(0x21, 0x11, addresses4, Buffer.from([4, 0])), 30, /beyond its end/],
    ["half a piece", binaryHeader(0x21, 0x11, addresses4, Buffer.from([4, 0, 2, 1])), 32, /beyond its end/],
    ["a long unique id", binaryHeader(0x21, 0, piece(5, Buffer.alloc(129))), 148, /unique id is longer than 128/],
    ["an authority that is no text", binaryHeader(0x21, 0, piece(2, Buffer.of(0xff))), 20, /authority is not UTF-8/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const [known, said] = refused(bytes);
      assert.equal(known, size);
      assert.match(said, message);
    });
  }

  it("refuses a header over the limit, after 16 bytes", () => {
    const bytes = (size: number): Buffer => binaryHeader(0x21, 0, piece(4, Buffer.alloc(size - 16 - 3)));
    assert.equal(parsed(bytes(4096)).size, 4096);
    const [size, message] = refused(bytes(4097), "net.proxy_header_limit");
    assert.equal(size, 16);
    assert.match(message, /4097 bytes; the option maxSize allows 4096/);
    assert.equal(parseProxyHeader(bytes(65_551), { maxSize: 65_551 })?.size, 65_551);
    assert.throws(() => parseProxyHeader(bytes(30), { maxSize: 29 }), { code: "net.proxy_header_limit" });
    assert.equal(parseProxyHeader(binaryHeader(0x20, 0), { maxSize: 0 })?.size, 16);
  });
});
