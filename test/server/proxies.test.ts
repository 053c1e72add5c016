import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Peer } from "../../src/core/index.ts";
import { Request } from "../../src/http/index.ts";
import { clientOf, isLocal, trusts, type ProxyOptions } from "../../src/server/proxies.ts";
import { fc } from "../support/property.ts";

const proxy: Peer = { address: "10.0.0.1", port: 5000, family: "IPv4" };

/** In short: whom a request comes from that a trusted proxy sends with this header. */
function seen(header: "X-Forwarded-For" | "Forwarded", ...values: string[]): string {
  const request = new Request({ headers: { Host: "h", [header]: values } });
  const { address, port } = clientOf({ trusted: ["10.0.0.0/8", "2001:db8::/32"], header })(request, proxy)!;
  return port === undefined ? address! : `${address} ${port}`;
}

const itself = "10.0.0.1 5000";

describe("X-Forwarded-For", () => {
  for (const [value, client] of [
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:4711", "192.0.2.1 4711"],
    ["2001:db9::1", "2001:db9::1"],
    ["[2001:db9::1]", "2001:db9::1"],
    ["[2001:db9::1]:4711", "2001:db9::1 4711"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["[::FFFF:c000:201]:80", "192.0.2.1 80"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["2001:0DB8::0:1", "2001:db8::1"],
    ["  192.0.2.1\t", "192.0.2.1"],
    // Whoever stands in front of the last one that is not trusted was named by that one.
    ["198.51.100.9, 192.0.2.1", "192.0.2.1"],
    ["10.0.0.7, 192.0.2.1", "192.0.2.1"],
    ["10.0.0.7, 198.51.100.9, 192.0.2.1", "192.0.2.1"],
    // The chain of those that are.
    ["198.51.100.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"],
    ["192.0.2.1, [2001:db8::5]:80, 10.0.0.3,10.0.0.2", "192.0.2.1"],
    ["192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"],
    // Nobody but those.
    ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
    // What is no address ends the chain: the client is the last that is known.
    ["unknown", itself],
    ["192.0.2.1, unknown", itself],
    ["192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"],
    ["192.0.2.1, 10.0.0.2, ", "192.0.2.1"],
    ["192.0.2.1,, 10.0.0.2", "192.0.2.1"],
    ["", itself],
    [",", itself],
    ["app.example", itself],
    ["192.0.2.256", itself],
    ["192.0.2", itself],
    ["192.0.2.01", itself],
    ["192.0.2.1:", itself],
    ["192.0.2.1 192.0.2.2", itself],
    ["[192.0.2.1]", itself],
    ["[2001:db9::1", itself],
    ["2001:db9::1]", itself],
    ["[]", itself],
    ["fe80::1%eth0", itself],
    ["[fe80::1%eth0]:80", itself],
    ['"192.0.2.1"', itself],
    ["192.0.2.1:99999", "192.0.2.1"],
    ["192.0.2.1:123456", itself],
  ] as const) {
    test(`${JSON.stringify(value)} is from ${client}`, () => assert.equal(seen("X-Forwarded-For", value), client));
  }

  test("several headers are one list, in order", () => {
    assert.equal(seen("X-Forwarded-For", "198.51.100.9", "192.0.2.1"), "192.0.2.1");
    assert.equal(seen("X-Forwarded-For", "198.51.100.9", "192.0.2.1", "10.0.0.2"), "192.0.2.1");
    assert.equal(seen("X-Forwarded-For", "198.51.100.9, 10.0.0.4", "10.0.0.2"), "198.51.100.9");
  });

  test("only the other header counts then", () => {
    const request = new Request({ headers: { "X-Forwarded-For": "192.0.2.1", Forwarded: "for=192.0.2.2" } });
    const options = { trusted: ["10.0.0.0/8"] };
    assert.equal(clientOf(options)(request, proxy)!.address, "192.0.2.1");
    assert.equal(clientOf({ ...options, header: "Forwarded" })(request, proxy)!.address, "192.0.2.2");
  });

  test("without it the client is the connection's peer", () => {
    assert.equal(clientOf({ trusted: ["10.0.0.0/8"] })(new Request({}), proxy), proxy);
  });

  test("the family is the address's", () => {
    const from = (value: string): Peer =>
      clientOf({ trusted: ["10.0.0.0/8"] })(new Request({ headers: { "X-Forwarded-For": value } }), proxy)!;
    assert.deepEqual(from("192.0.2.1:1"), { address: "192.0.2.1", port: 1, family: "IPv4" });
    assert.deepEqual(from("[::5]:1"), { address: "::5", port: 1, family: "IPv6" });
    assert.deepEqual(from("::5"), { address: "::5", family: "IPv6" });
  });
});

describe("Forwarded (RFC 7239)", () => {
  for (const [value, client] of [
    // The RFC's own examples, sections 4 and 6.
    ["for=192.0.2.43", "192.0.2.43"],
    ['For="[2001:db9:cafe::17]:4711"', "2001:db9:cafe::17 4711"],
    ["for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"],
    ["for=192.0.2.43, for=198.51.100.17", "198.51.100.17"],
    ['for="_gazonk"', itself],
    ["for=_hidden, for=_SEVKISEK", itself],
    ["for=unknown", itself],
    ['for="192.0.2.43:47011"', "192.0.2.43 47011"],
    ['for="192.0.2.43:_port"', "192.0.2.43"],
    ['for="[2001:db9::1]:_p.o-r_t"', "2001:db9::1"],
    ['for="unknown:80"', itself],
    // Chains.
    ["for=198.51.100.9, for=192.0.2.1, for=10.0.0.2", "192.0.2.1"],
    ['for=198.51.100.9,for="[2001:db8::2]",for=10.0.0.2;by=10.0.0.1', "198.51.100.9"],
    ["for=198.51.100.9, for=unknown, for=10.0.0.2", "10.0.0.2"],
    ["for=198.51.100.9, by=10.0.0.9, for=10.0.0.2", "10.0.0.2"],
    // Order, case, and what may be left out of the pairs.
    ["by=203.0.113.43;proto=https;FOR=192.0.2.1", "192.0.2.1"],
    [";for=192.0.2.1;;", "192.0.2.1"],
    ["  for=192.0.2.1\t", "192.0.2.1"],
    ['for=192.0.2.1;ext=""', "192.0.2.1"],
    // Without the quotes that they need.
    ["for=192.0.2.1:80", "192.0.2.1 80"],
    ["for=[2001:db9::1]:80", "2001:db9::1 80"],
    // In quoted strings nothing is what it would be otherwise.
    ['host="a,for=198.51.100.9";for=192.0.2.1', "192.0.2.1"],
    ['host="a;for=198.51.100.9";for=192.0.2.1', "192.0.2.1"],
    ['host="a;for=198.51.100.9;b";for=192.0.2.1', "192.0.2.1"],
    ['host="\\";for=198.51.100.9;";for=192.0.2.1', "192.0.2.1"],
    ['host="a\\\\";for=192.0.2.1', "192.0.2.1"],
    ['host="\\\\\\", for=198.51.100.9";for=192.0.2.1', "192.0.2.1"],
    ['for="19\\2.0.2.1"', "192.0.2.1"],
    // What others left open in front of what a proxy appended.
    ['for="x, for=192.0.2.1', "192.0.2.1"],
    ['for="x, for="192.0.2.1"', "192.0.2.1"],
    ['for="x, for="[2001:db9::1]:80";by="[::1]"', "2001:db9::1 80"],
    ['"\\, for="192.0.2.1"', "192.0.2.1"],
    ['for="x\\", for=192.0.2.1', "192.0.2.1"],
    // Malformed ones.
    ["", itself],
    ["for", itself],
    ["for=", itself],
    ['for=""', itself],
    ["for=192.0.2.1;for=192.0.2.2", itself],
    ["for=192.0.2.1 for=192.0.2.2", itself],
    ["for=192.0.2.1;by", itself],
    ["for=192.0.2.1;=x", itself],
    ["for=192.0.2.1x", itself],
    ['for="192.0.2.1"x', itself],
    ['for="192.0.2.1', itself],
    ["for = 192.0.2.1", itself],
    ["xfor=192.0.2.1", itself],
    ["by=192.0.2.1", itself],
    ["192.0.2.1", itself],
    ['for="[fe80::1%eth0]"', itself],
    ['for="[192.0.2.1]"', itself],
  ] as const) {
    test(`${value} is from ${client}`, () => assert.equal(seen("Forwarded", value), client));
  }

  test("several headers are one list, in order", () => {
    assert.equal(seen("Forwarded", "for=198.51.100.9", "for=192.0.2.1;by=x"), "192.0.2.1");
    assert.equal(seen("Forwarded", 'for="198.51.100.9', 'for="192.0.2.1"'), "192.0.2.1");
  });

  test("a long one is read in linear time", () => {
    for (const filler of ['"', "\\", '\\"', ",", ";", "for=", 'for="\\', " ", 'a="', '"\\",']) {
      assert.equal(seen("Forwarded", filler.repeat(1_000_000), "for=192.0.2.1"), "192.0.2.1");
      assert.match(seen("Forwarded", filler.repeat(1_000_000), "for=10.0.0.2"), /^10\.0\.0\.2$/);
    }
  });
});

describe("whatever comes in front", () => {
  const hostile = fc.array(
    fc.constantFrom("for=", 'For="', '"', "\\", ",", ";", " ", "10.0.0.2", "198.51.100.9", "[::1]", ":80", "=", "x"),
    { maxLength: 30 },
  );
  const address = fc.constantFrom("192.0.2.1", "[2001:db9::1]", "192.0.2.1:4711", "[2001:db9::1]:4711");
  const names = fc.constantFrom("X-Forwarded-For" as const, "Forwarded" as const);
  const appended = (header: string, node: string): string => (header === "Forwarded" ? `for="${node}"` : node);

  test("an untrusted peer is the client itself", () => {
    fc.assert(
      fc.property(hostile, names, fc.constantFrom("192.0.2.1", "::1", "::ffff:192.0.2.1"), (words, header, own) => {
        const peer = { address: own };
        const request = new Request({ headers: { [header]: words.join("").trim() } });
        assert.equal(clientOf({ trusted: ["10.0.0.0/8"], header })(request, peer), peer);
      }),
    );
  });

  for (const joined of [true, false]) {
    test(`a proxy's client is believed to be the one it names, in ${joined ? "the same header" : "a header of its own"}`, () => {
      fc.assert(
        fc.property(hostile, names, address, fc.boolean(), (words, header, node, isTwo) => {
          const noise = words.join("").trim();
          // Two proxies, the first of which was asked by the client.
          const said = [appended(header, node), ...(isTwo ? [appended(header, "10.0.0.2")] : [])];
          const values = joined ? [[noise, ...said].join(", ")] : [noise, ...said];
          assert.equal(seen(header, ...values), node.replaceAll(/[[\]]/g, "").replace(/:4711$/, " 4711"));
        }),
      );
    });
  }
});

describe("which peers are trusted", () => {
  const isTrusted = (trusted: string[], peer: Peer): boolean => trusts({ trusted })(peer);

  for (const [network, address] of [
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1", "::ffff:192.0.2.1"],
    ["192.0.2.1", "::ffff:c000:201"],
    ["192.0.2.0/24", "192.0.2.255"],
    ["192.0.2.0/24", "::ffff:192.0.2.255"],
    ["192.0.2.77/24", "192.0.2.1"],
    ["0.0.0.0/0", "192.0.2.1"],
    ["2001:db8::/32", "2001:db8:ffff::1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["::/0", "2001:db8::1"],
    ["loopback", "127.0.0.1"],
    ["loopback", "127.255.255.255"],
    ["loopback", "::1"],
    ["loopback", "::ffff:127.0.0.1"],
    ["private", "::1"],
    ["private", "::ffff:10.1.2.3"],
    ["private", "172.31.255.255"],
    ["private", "192.168.0.1"],
    ["private", "169.254.0.1"],
    ["private", "fd12::1"],
    ["private", "fe80::1%eth0"],
  ] as const) {
    test(`${address} is of ${network}`, () => assert.ok(isTrusted([network], { address })));
  }

  for (const [network, address] of [
    ["192.0.2.1", "192.0.2.2"],
    ["192.0.2.1", "::192.0.2.1"],
    ["192.0.2.0/24", "192.0.3.0"],
    ["2001:db8::/32", "2001:db9::1"],
    ["0.0.0.0/0", "2001:db8::1"],
    ["loopback", "128.0.0.1"],
    ["loopback", "::2"],
    ["loopback", "10.0.0.1"],
    ["private", "172.32.0.0"],
    ["private", "11.0.0.1"],
    ["private", "fec0::1"],
    ["private", "2001:db8::1"],
  ] as const) {
    test(`${address} is not of ${network}`, () => assert.ok(!isTrusted([network], { address })));
  }

  test("a Unix socket is this machine", () => {
    const peer = { unix: "/run/app.sock" };
    assert.ok(isTrusted(["loopback"], peer));
    assert.ok(isTrusted(["private"], peer));
    assert.ok(!isTrusted(["127.0.0.0/8"], peer));
    const request = new Request({ headers: { "X-Forwarded-For": "192.0.2.1" } });
    assert.equal(clientOf({ trusted: ["loopback"] })(request, peer)?.address, "192.0.2.1");
    assert.equal(clientOf({ trusted: ["10.0.0.0/8"] })(request, peer), peer);
  });

  test("a peer without an address is not, nor is any without the option", () => {
    const request = new Request({ headers: { "X-Forwarded-For": "192.0.2.1" } });
    for (const peer of [undefined, {}]) {
      assert.equal(clientOf({ trusted: ["0.0.0.0/0", "::/0", "private"] })(request, peer), peer);
    }
    assert.equal(clientOf(undefined)(request, proxy), proxy);
    assert.ok(!trusts(undefined)(proxy));
    assert.ok(!isTrusted([], proxy));
  });

  test("local is this machine, and private networks", () => {
    for (const peer of [{ unix: "/x" }, {}, { address: "127.0.0.1" }, { address: "::ffff:192.168.1.1" }]) {
      assert.ok(isLocal(peer));
    }
    for (const address of ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "no address"])
      assert.ok(!isLocal({ address }));
  });
});

for (const [wrong, message] of [
  ["10.0.0.0/8", /proxies takes a plain object/],
  [[], /proxies takes a plain object/],
  [null, /proxies takes a plain object/],
  [{}, /trusted must be a list/],
  [{ trusted: "loopback" }, /trusted must be a list/],
  [{ trusted: [], headers: "Forwarded" }, /did you mean header/],
  [{ trusted: [], header: "X-Real-IP" }, /"X-Forwarded-For" or "Forwarded", not "X-Real-IP"/],
  [{ trusted: [], header: "forwarded" }, /not "forwarded"/],
  ...[
    "localhost",
    "",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "10.0.0.0/8x",
    "10.0.0",
  ].map((one) => [{ trusted: [one] }, /proxies\.trusted has .*; it takes IP addresses/] as const),
  [{ trusted: ["10.0.0.1", " 10.0.0.2"] }, /proxies\.trusted has " 10\.0\.0\.2"/],
  [{ trusted: ["fe80::1%eth0"] }, /proxies\.trusted has "fe80::1%eth0"/],
  [{ trusted: [undefined] }, /proxies\.trusted has undefined/],
  [{ trusted: [Symbol("x")] }, /proxies\.trusted has Symbol\(x\)/],
  [{ trusted: [Object.create(null)] }, /proxies\.trusted has an object/],
] as const) {
  test(`${Array.isArray(wrong) ? "[]" : typeof wrong === "object" ? JSON.stringify(wrong) : wrong}: ${message.source}`, () => {
    for (const make of [clientOf, trusts]) {
      assert.throws(() => make(wrong as unknown as ProxyOptions), { code: "core.invalid_argument", message });
    }
  });
}
