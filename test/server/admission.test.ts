import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Admission, uncounted, type Place } from "../../src/server/admission.ts";
import { fc } from "../support/property.ts";

const one = { maxConnectionsPerAddress: 1 };

/** Whether the second of two addresses counts as the first. */
function isOne(first: string, second: string): boolean {
  const admission = new Admission(one);
  assert.ok(admission.enter({ address: first }));
  return admission.enter({ address: second }) === undefined;
}

describe("one address", () => {
  for (const [first, ...others] of [
    ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "::FFFF:192.0.2.1", "::ffff:c000:201", "0:0:0:0:0:ffff:192.0.2.1"],
    [
      "2001:db8:1:2::1",
      "2001:db8:1:2::2",
      "2001:DB8:1:2:3:4:5:6",
      "2001:0db8:0001:0002::",
      "2001:db8:1:2:ffff:ffff:255.255.255.255",
      "2001:db8:1:2::1%eth0",
    ],
    ["2001:db8::1", "2001:db8:0:0:1::", "2001:db8:0:0::", "2001:db8:0000:0::9"],
    ["1::", "1:0:0:0:5:6:7:8", "1::5:6:7:8"],
    ["::5:6:7:8", "::1", "0::", "0:0:0:0:9::"],
    ["::1:2:3:4:5:6:7", "0:1:2:3::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::"],
    ["fe80::1%eth0", "fe80::2%eth1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::1"],
  ] as const) {
    for (const other of others) test(`${other} counts as ${first}`, () => assert.ok(isOne(first, other)));
  }

  for (const [first, other] of [
    ["192.0.2.1", "192.0.2.2"],
    ["192.0.2.1", "::192.0.2.1"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.2"],
    ["::ffff:c000:201", "::1"],
    ["2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:db8:0:1::1"],
    ["1::2:3:4:5:6:7", "1:2:3:4:5:6:7:8"],
    ["::1:2:3:4:5:6:7", "1:2:3:4::"],
  ] as const) {
    test(`${other} does not count as ${first}`, () => assert.ok(!isOne(first, other)));
  }

  test("is the first 64 bits of an IPv6 address, however it is written", () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, groups, (some, others) => {
        const network = some.slice(0, 4);
        const second = [...network, ...others.slice(4)];
        const long = some.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
        const short = new URL(`http://[${second.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
        if (network.some((group) => group !== 0)) assert.ok(isOne(long, short));
      }),
    );
  });
});

test("by default 1,000 of one address of the Internet may connect, and any number of local ones", () => {
  const admission = new Admission({});
  for (let count = 0; count < 1000; count++) assert.ok(admission.enter({ address: "192.0.2.1" }));
  assert.equal(admission.enter({ address: "192.0.2.1" }), undefined);
  assert.ok(admission.enter({ address: "192.0.2.2" }));
  const local = ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "fd00::1"];
  for (const address of [...local, "fe80::1%eth0", "::ffff:127.0.0.1", "::ffff:10.0.0.1"]) {
    for (let count = 0; count < 1001; count++) assert.equal(admission.enter({ address }), uncounted);
  }
  for (const address of ["172.32.0.1", "11.0.0.1", "fec0::1", "::ffff:11.0.0.1", "::2"]) {
    assert.notEqual(admission.enter({ address }), uncounted);
  }
});

test("local ones are counted if a limit is given", () => {
  const admission = new Admission(one);
  for (const address of ["127.0.0.1", "::1", "10.0.0.1"]) {
    assert.ok(admission.enter({ address }));
    assert.equal(admission.enter({ address }), undefined);
  }
});

test("a connection without an address is not counted, nor any without a limit", () => {
  const admission = new Admission(one);
  for (const peer of [undefined, {}, { unix: "/run/x.sock" }]) assert.equal(admission.enter(peer), uncounted);
  assert.equal(new Admission({ maxConnectionsPerAddress: Infinity }).enter({ address: "192.0.2.1" }), uncounted);
  uncounted.leave();
});

test("leaving makes room for one, however often leave is called; nothing stays of those that have left", () => {
  const admission = new Admission({ maxConnectionsPerAddress: 2 });
  const peer = { address: "192.0.2.1" };
  const [first, second] = [admission.enter(peer)!, admission.enter(peer)!];
  first.leave();
  first.leave();
  const third = admission.enter(peer)!;
  assert.equal(admission.enter(peer), undefined);
  second.leave();
  third.leave();
  assert.equal(admission.addresses, 0);
});

test("any sequence of coming and going counts right", () => {
  const step = fc.record({
    address: fc.constantFrom("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "::1"),
    n: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const admission = new Admission({ maxConnectionsPerAddress: 3 });
      const here: { place: Place; address: string }[] = [];
      for (const { address, n } of steps) {
        if (n % 2 === 0 && here.length > 0) here.splice(n % here.length, 1)[0]!.place.leave();
        const of = (each: string): string => each.replace("::ffff:", "");
        const before = here.filter((each) => of(each.address) === of(address)).length;
        const place = admission.enter({ address });
        assert.equal(place === undefined, before === 3);
        if (place !== undefined) here.push({ place, address });
      }
      for (const { place } of here) place.leave();
      assert.equal(admission.addresses, 0);
    }),
  );
});

test("in all 100,000 may connect by default, or as many as the option says", () => {
  assert.ok(new Admission({}).hasRoom(99_999));
  assert.ok(!new Admission({}).hasRoom(100_000));
  assert.ok(new Admission({ maxConnections: 2 }).hasRoom(1));
  assert.ok(!new Admission({ maxConnections: 2 }).hasRoom(2));
  assert.ok(new Admission({ maxConnections: Infinity }).hasRoom(1e9));
});

for (const name of ["maxConnections", "maxConnectionsPerAddress"] as const) {
  for (const wrong of [0, -1, Number.NaN, "5", null, {}]) {
    test(`${name}: ${JSON.stringify(wrong)} is refused`, () => {
      assert.throws(() => new Admission({ [name]: wrong }), {
        code: "core.invalid_argument",
        message: new RegExp(`^${name} must be a number, 1 or more`),
      });
    });
  }
}
