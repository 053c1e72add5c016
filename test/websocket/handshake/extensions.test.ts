import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatExtensions, parseExtensions, type Extension } from "../../../src/websocket/handshake/extensions.ts";
import { fc, runs } from "../../support/property.ts";

/** An extension: its name, then `name` or `[name, value]` of each parameter. */
const ext = (name: string, ...parameters: (string | [string, string])[]): Extension => ({
  name,
  parameters: parameters.map((one) => (typeof one === "string" ? [one, undefined] : one)),
});

describe("RFC 6455 9.1: extension-list", () => {
  const values: [value: string, extensions: Extension[] | undefined][] = [
    ["a", [ext("a")]],
    ["a, b", [ext("a"), ext("b")]],
    ["a,b,a", [ext("a"), ext("b"), ext("a")]],
    ["a; b", [ext("a", "b")]],
    ["a;b;c=1", [ext("a", "b", ["c", "1"])]],
    ["a; b; b", [ext("a", "b", "b")]],
    ["a; b=1; b=2", [ext("a", ["b", "1"], ["b", "2"])]],
    ["a; b, c; d=e", [ext("a", "b"), ext("c", ["d", "e"])]],
    // The examples of section 9.1.
    ["foo", [ext("foo")]],
    ["bar; baz=2", [ext("bar", ["baz", "2"])]],
    ["foo, bar; baz=2", [ext("foo"), ext("bar", ["baz", "2"])]],
    ["deflate-stream", [ext("deflate-stream")]],
    [
      "mux; max-channels=4; flow-control, deflate-stream",
      [ext("mux", ["max-channels", "4"], "flow-control"), ext("deflate-stream")],
    ],
    ["private-extension", [ext("private-extension")]],
    // A quoted-string is another way to write a token.
    ['a; b="1"', [ext("a", ["b", "1"])]],
    ['a; b="\\1\\2"; c', [ext("a", ["b", "12"], "c")]],
    ['a; b="x", c', [ext("a", ["b", "x"]), ext("c")]],
    ["!#$%&'*+-.^_`|~09azAZ; !=~", [ext("!#$%&'*+-.^_`|~09azAZ", ["!", "~"])]],
    // Space, and RFC 9110 5.6.1.2: empty elements.
    ["", []],
    [" \t", []],
    [", ,,", []],
    [",a,,b,", [ext("a"), ext("b")]],
    ['\ta\t;\tb = c ; d = "e" , f ', [ext("a", ["b", "c"], ["d", "e"]), ext("f")]],
    // Beast reads the first as if its parameter were not there, and stops at the comma.
    ["permessage-deflate; client_max_window_bits, x", [ext("permessage-deflate", "client_max_window_bits"), ext("x")]],
    ["permessage-deflate; foo, permessage-deflate", [ext("permessage-deflate", "foo"), ext("permessage-deflate")]],
  ];
  const malformed = [
    ";",
    "=",
    '"',
    "a;",
    "a; ",
    "a;;b",
    "a;,b",
    "; a",
    "a b",
    "a; b c",
    "a=1",
    "a; b=",
    "a; b=, c",
    "a; b==1",
    "a; =1",
    "a; b=1 2",
    "a; b=1=2",
    '"a"',
    'a; "b"',
    'a; b="',
    'a; b="1',
    'a; b="1\\',
    'a; b="1\\"',
    'a; b=""',
    'a; b="1 2"',
    'a; b="1,2"',
    'a; b="\\""',
    'a; b="\\\\"',
    'a; b="1"2',
    'a; b=1"2"',
    "a/b",
    "é",
    "a; b=é",
    "a\u00a0",
    "a; b\0",
    "a\r\nb",
    "a; \u212a", // the Kelvin sign, which is a k where case is ignored
    "not ; a = = list",
    "a, b; c=, d",
  ];
  for (const [value, extensions] of values) {
    it(JSON.stringify(value), () => assert.deepEqual(parseExtensions(value), extensions));
  }
  for (const value of malformed) {
    it(`${JSON.stringify(value)} is malformed in any position`, () => {
      for (const whole of [value, `x, ${value}`, `x; y=1, ${value}`]) {
        assert.equal(parseExtensions(whole), undefined, JSON.stringify(whole));
      }
    });
  }

  it("keeps no state between two values", () => {
    assert.equal(parseExtensions("a; b=1; c c"), undefined);
    assert.deepEqual(parseExtensions("a; b=1"), [ext("a", ["b", "1"])]);
  });
});

const character = fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ");
const token = fc.string({ unit: character, minLength: 1, maxLength: 12 });
const parameter = fc.tuple(token, fc.option(token, { nil: undefined }));
const extension = fc.record(
  { name: token, parameters: fc.array(parameter, { maxLength: 4 }) },
  { noNullPrototype: true },
);
const extensions = fc.array(extension, { maxLength: 4 });

describe("formatExtensions", () => {
  it("writes what parseExtensions reads", () => {
    fc.assert(fc.property(extensions, (list) => assert.deepEqual(parseExtensions(formatExtensions(list)), list)));
    assert.equal(formatExtensions([ext("a", "b", ["c", "1"]), ext("d")]), "a; b; c=1, d");
  });

  it("parseExtensions reads the same from several lines joined, and with any space and quotes", () => {
    const ows = fc.constantFrom("", " ", "\t", "  ");
    const quote = fc.constantFrom(
      (value: string) => value,
      (value: string) => `"${value}"`,
      (value: string) => `"${value.replaceAll(/./g, "\\$&")}"`,
    );
    fc.assert(
      fc.property(extensions, ows, ows, quote, (list, a, b, quote) => {
        const value = list
          .map(({ name, parameters }) =>
            [
              name,
              ...parameters.map(([key, value]) => (value === undefined ? key : `${key}${b}=${a}${quote(value)}`)),
            ].join(`${a};${b}`),
          )
          .join(`${b},${a},${b}`);
        assert.deepEqual(parseExtensions(`${a}${value}${b}`), list);
        assert.deepEqual(parseExtensions(`${value}, ${value}`), [...list, ...list]);
      }),
    );
  });

  it("parseExtensions accepts nothing else: whatever it accepts is formatted to the same", () => {
    const any = fc.string({ unit: fc.constantFrom(...'ab=;," \t\\~é'), maxLength: 16 });
    fc.assert(
      fc.property(any, (value) => {
        const read = parseExtensions(value);
        if (read !== undefined) assert.deepEqual(parseExtensions(formatExtensions(read)), read);
      }),
      { numRuns: runs(2000) },
    );
  });
});

it("the work is linear in the length: more would take minutes", () => {
  const size = 200_000;
  const malformed = [
    `a; b="${"\\a".repeat(size)}`,
    `a; b="${"a".repeat(size)}`,
    `a; b${" ".repeat(size)}c`,
    `a; b=${" ".repeat(size)}`,
    `a${"; b".repeat(size)};`,
    `${'a; b="c",'.repeat(size)}"`,
  ];
  for (const value of malformed) assert.equal(parseExtensions(value), undefined);
  for (const value of [",".repeat(size), " ".repeat(size)]) assert.deepEqual(parseExtensions(value), []);
  assert.equal(parseExtensions("a; b,".repeat(size))?.length, size);
});
