import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { describe, test } from "node:test";
import { customerOf, Networks } from "../../src/server/networks.ts";
import { fc } from "../support/property.ts";

function networks(...texts: string[]): Networks {
  const made = new Networks();
  for (const text of texts) assert.ok(made.add(text), text);
  return made;
}

describe("Networks", () => {
  for (const [network, address, isIn] of [
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.1", "::192.0.2.1", false],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["172.16.0.0/12", "172.31.255.255", true],
    ["172.16.0.0/12", "172.32.0.0", false],
    ["0.0.0.0/0", "192.0.2.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "192.0.2.1", true],
    ["::/0", "2001:db8::1", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["fe80::/10", "febf::1%eth0", true],
    ["fe80::/10", "fec0::1", false],
    ["::1/128", "::1", true],
    ["::1/128", "::2", false],
    ["::/0", "no address", false],
    ["::/0", "192.0.2.01", false],
    ["::/0", "", false],
  ] as const) {
    test(`${address} is ${isIn ? "" : "not "}of ${network}`, () => assert.equal(networks(network).has(address), isIn));
  }

  test("an address in any of several is found, and none is in no network", () => {
    const several = networks("10.0.0.0/8", "2001:db8::/32");
    assert.ok(several.has("10.0.0.1") && several.has("2001:db8::1"));
    assert.ok(!several.has("192.0.2.1"));
    assert.ok(!new Networks().has("10.0.0.1"));
  });

  for (const wrong of [
    "",
    "localhost",
    "10.0.0",
    "10",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "fe80::1%eth0",
  ]) {
    test(`${JSON.stringify(wrong)} is not a network`, () => assert.ok(!new Networks().add(wrong)));
  }

  test("the result is that of node:net for any network and address", () => {
    const v4 = fc.ipV4().map((address) => ({ address, family: "ipv4" as const, longest: 32 }));
    const v6 = fc.ipV6().map((address) => ({ address, family: "ipv6" as const, longest: 128 }));
    const clothed = v4.map(({ address }) => ({ address: `::ffff:${address}`, family: "ipv6" as const, longest: 128 }));
    const any = fc.oneof(v4, v6, clothed);
    fc.assert(
      fc.property(any, any, fc.boolean(), fc.nat(128), (network, other, isSame, length) => {
        const prefix = Math.min(length, network.longest);
        const { address, family } = isSame ? network : other;
        const list = new BlockList();
        list.addSubnet(network.address, prefix, network.family);
        assert.equal(networks(`${network.address}/${prefix}`).has(address), list.check(address, family));
      }),
    );
  });
});

test("customerOf: one key for all addresses of a customer", () => {
  for (const [address, ...same] of [
    ["2001:db8:1:2::1", "2001:0DB8:1:2:ffff::", "2001:db8:1:2::1%eth0"],
    ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"],
  ] as const) {
    for (const other of same) assert.equal(customerOf(other), customerOf(address), other);
  }
  const others = ["2001:db8:1:2::1", "2001:db8:1:3::1", "192.0.2.1", "192.0.2.2", "::1", "name"].map(customerOf);
  assert.equal(new Set(others).size, others.length);
  assert.equal(customerOf("name"), "name");
});
