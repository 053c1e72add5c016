import assert from "node:assert/strict";
import { test } from "node:test";
import { ProxyHeader } from "../../src/net/proxy-header.ts";

test("what a header does not have is undefined", () => {
  const header = new ProxyHeader({ version: 1, size: 15 });
  assert.deepEqual(
    { ...header },
    {
      version: 1,
      size: 15,
      command: "proxy",
      transport: undefined,
      source: undefined,
      destination: undefined,
      tlvs: [],
    },
  );
  const { alpn, authority, uniqueId, ssl } = header;
  assert.deepEqual(
    [alpn, authority, uniqueId, ssl, header.tlv(1)],
    [undefined, undefined, undefined, undefined, undefined],
  );
});

test("of several TLVs of a type, the first counts", () => {
  const tlvs = ["one", "two"].map((text) => ({ type: 2, value: Buffer.from(text) }));
  assert.equal(new ProxyHeader({ version: 2, size: 28, tlvs }).authority, "one");
});

test("a TLV may be empty", () => {
  const header = new ProxyHeader({ version: 2, size: 19, tlvs: [{ type: 2, value: new Uint8Array(0) }] });
  assert.equal(header.authority, "");
});
