import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { isProxyHeader, parseProxyHeader } from "../../src/net/index.ts";
import { fc, runs } from "../support/property.ts";
import { addresses4, addresses6, binaryHeader, piece, signature } from "./support/proxy-headers.ts";

const line = (text: string): Buffer => Buffer.from(text, "latin1");

/** Parses, and holds the parser to what is true of all: no answer before the last byte, none of what follows matters. */
function parsed(bytes: Uint8Array): ReturnType<typeof parseProxyHeader> {
  for (let size = 0; size < bytes.length; size++) assert.equal(parseProxyHeader(bytes.subarray(0, size)), undefined);
  const header = parseProxyHeader(bytes);
  const more = parseProxyHeader(Buffer.concat([bytes, Buffer.from("\r\nPROXY TCP4 more")]));
  assert.deepEqual(more, header);
  assert.equal(header?.size, bytes.length);
  return header;
}

/** The error of what is malformed, and after how many bytes it is known. */
function refused(bytes: Uint8Array): [code: string, size: number, message: string] {
  for (let size = 0; size <= bytes.length; size++) {
    try {
      assert.equal(parseProxyHeader(bytes.subarray(0, size)), undefined);
    } catch (error) {
      assert.ok(error instanceof ServalError, String(error));
      assert.throws(() => parseProxyHeader(bytes), { code: error.code });
      return [error.code, size, error.message];
    }
  }
  throw new Error("it was not refused");
}

describe("isProxyHeader", () => {
  const answers = (bytes: Uint8Array): unknown[] =>
    Array.from({ length: bytes.length + 1 }, (_, size) => isProxyHeader(bytes.subarray(0, size)));
  const none = (count: number): unknown[] => Array.from({ length: count }, () => undefined);

  it("recognises both versions by their first bytes", () => {
    assert.deepEqual(answers(line("PROXY T")), [...none(6), true, true]);
    assert.deepEqual(answers(signature), [...none(12), true]);
  });

  it("rejects other bytes at the first that differs", () => {
    assert.deepEqual(answers(line("GE")), [undefined, false, false]);
    assert.deepEqual(answers(line("POST")), [...none(2), false, false, false]);
    assert.deepEqual(answers(line("PROXY\t")), [...none(6), false]);
    assert.deepEqual(answers(line("\r\n\r\nG")), [...none(5), false]);
    assert.deepEqual(answers(line("proxy")), [undefined, false, false, false, false, false]);
  });
});

describe("parseProxyHeader, version 1", () => {
  it("reads IPv4 addresses", () => {
    const header = parsed(line("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"))!;
    assert.equal(header.version, 1);
    assert.equal(header.command, "proxy");
    assert.equal(header.transport, "stream");
    assert.deepEqual(header.source, { address: "192.168.0.1", port: 56324, family: "IPv4" });
    assert.deepEqual(header.destination, { address: "192.168.0.11", port: 443, family: "IPv4" });
    assert.deepEqual(header.tlvs, []);
    assert.equal(header.authority, undefined);
    assert.equal(header.alpn, undefined);
    assert.equal(header.uniqueId, undefined);
    assert.equal(header.ssl, undefined);
  });

  it("reads IPv6 addresses, and normalizes them", () => {
    const header = parsed(line("PROXY TCP6 2001:0DB8:0:0:0::1 ::ffff:1.2.3.4 0 65535\r\n"))!;
    assert.deepEqual(header.source, { address: "2001:db8::1", port: 0, family: "IPv6" });
    assert.deepEqual(header.destination, { address: "1.2.3.4", port: 65535, family: "IPv4" });
  });

  it("reads the longest lines", () => {
    const longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    parsed(line(`PROXY TCP6 ${longest} ${longest} 65535 65535\r\n`));
    const header = parsed(line(`PROXY UNKNOWN ${longest} ${longest} 65535 65535\r\n`))!;
    assert.equal(header.size, 107);
  });

  it("has no addresses for UNKNOWN, and ignores the rest of the line", () => {
    for (const rest of ["", " ", " 1 2 3", " \0\t\xff", " TCP4 1.2.3.4 1.2.3.4 1 2"]) {
      const header = parsed(line(`PROXY UNKNOWN${rest}\r\n`))!;
      assert.equal(header.command, "proxy");
      assert.equal(header.transport, undefined);
      assert.equal(header.source, undefined);
      assert.equal(header.destination, undefined);
    }
  });

  for (const text of [
    "PROXY \r\n",
    "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY TCP4\r\n",
    "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 0x2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1\t2\r\n",
    "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n",
    "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP6 ::1%lo ::1 1 2\r\n",
    "PROXY TCP6 1:2 ::1 1 2\r\n",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const [code, size] = refused(line(text));
      assert.equal(code, "net.bad_proxy_header");
      assert.equal(size, text.length);
    });
  }

  it("accepts only CR LF as the end of a line", () => {
    for (const [text, size] of [
      ["PROXY UNKNOWN\n", 14],
      ["PROXY UNKNOWN\rX", 15],
      ["PROXY UNKNOWN\r\r\n", 15],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n", 31],
    ] as const) {
      assert.deepEqual(refused(line(text)).slice(0, 2), ["net.bad_proxy_header", size], JSON.stringify(text));
    }
  });

  it("waits for the end of a line for at most 107 bytes", () => {
    assert.equal(refused(line(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`))[1], 106);
    assert.equal(refused(line(`PROXY ${"x".repeat(200)}`))[1], 106);
    parsed(line(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`));
  });
});

describe("parseProxyHeader", () => {
  it("refuses at once what is no header", () => {
    for (const [text, size] of [
      ["GET / HTTP/1.1\r\n", 1],
      ["PRI * HTTP/2.0\r\n", 3],
      ["\x16\x03\x01", 1],
      ["\r\n\r\n\0\r\nQUITX", 12],
    ] as const) {
      assert.deepEqual(refused(line(text)).slice(0, 2), ["net.no_proxy_header", size]);
    }
  });

  it("refuses NaN as a limit", () => {
    for (const maxSize of [NaN, -1, "4096" as never]) {
      assert.throws(() => parseProxyHeader(signature, { maxSize }), { code: "core.invalid_argument" });
    }
  });

  it("says the same of a header however its bytes come, for any bytes", () => {
    const said = (bytes: Uint8Array): unknown => {
      try {
        return parseProxyHeader(bytes);
      } catch (error) {
        return (error as ServalError).code;
      }
    };
    const sound = [
      line("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
      line("PROXY TCP6 2001:db8::1 ::1 56324 443\r\n"),
      line("PROXY UNKNOWN rest of it\r\n"),
      binaryHeader(0x21, 0x11, addresses4, piece(4, "ab")),
      binaryHeader(0x20, 0x00),
      binaryHeader(0x21, 0x21, addresses6),
    ];
    const changed = fc
      .tuple(fc.constantFrom(...sound), fc.nat(200), fc.constantFrom(...Buffer.from(" .:0\r\nP\0\xff\x21", "latin1")))
      .map(([header, at, byte]) => {
        const bytes = Buffer.concat([header, line("more")]);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(changed, (bytes) => {
        // After some number of bytes it knows, and never says anything else from there on.
        const all = Array.from({ length: bytes.length + 1 }, (_, size) => said(bytes.subarray(0, size)));
        const known = all.findIndex((answer) => answer !== undefined);
        if (known < 0) return;
        for (let size = 0; size < all.length; size++) {
          assert.deepEqual(all[size], size < known ? undefined : all.at(-1), `${size} bytes`);
        }
      }),
      { numRuns: runs(1000) },
    );
  });

  it("throws only its own errors, for any bytes", () => {
    const lines = fc.string({ unit: fc.constantFrom(..." .:019aTCPUNKNOWN46\r\n\0"), maxLength: 120 });
    const headers = fc
      .tuple(fc.constantFrom(0x20, 0x21), fc.constantFrom(0, 0x11, 0x12, 0x21, 0x31), fc.uint8Array({ maxLength: 300 }))
      .map(([start, family, rest]) => binaryHeader(start, family, rest));
    fc.assert(
      fc.property(
        fc.oneof(
          lines.map((text) => line(`PROXY ${text}`)),
          headers,
        ),
        (bytes) => {
          try {
            const header = parseProxyHeader(bytes);
            assert.ok(header === undefined || header.size <= bytes.length);
          } catch (error) {
            assert.ok(error instanceof ServalError);
            assert.match(error.code, /^net\.(bad|no)_proxy_header$/);
          }
        },
      ),
      { numRuns: runs(2000) },
    );
  });
});
