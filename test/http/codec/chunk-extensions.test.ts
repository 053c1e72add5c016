import assert from "node:assert/strict";
import { it } from "node:test";
import { formatChunkExtensions, parseChunkExtensions, type ChunkExtensions } from "../../../src/http/index.ts";
import { fc, runs } from "../../support/property.ts";

it("parses names and values, and removes quotes", () => {
  for (const [text, extensions] of [
    ["", []],
    [";a", [["a"]]],
    [";a=b", [["a", "b"]]],
    [';a="b"', [["a", "b"]]],
    [';a=""', [["a", ""]]],
    [';a="\\"\\\\\\b; c=d"', [["a", '"\\b; c=d']]],
    [" ;\ta = b ; c\t;d", [["a", "b"], ["c"], ["d"]]],
    [";a;a=1;A", [["a"], ["a", "1"], ["A"]]],
    [';a="\xe9\t"', [["a", "\xe9\t"]]],
  ] as [string, ChunkExtensions][]) {
    assert.deepEqual(parseChunkExtensions(text), extensions, text);
  }
});

it("refuses anything malformed as a whole", () => {
  const bad = [
    " ",
    "a",
    ";",
    ";;a",
    ";a;",
    ";a ",
    ";a=",
    ";a= ;b",
    ";=b",
    ';a="b',
    ';a="b\\"',
    ';a="b"c',
    ";a b",
    ";a=b=c",
  ];
  for (const text of [
    ...bad,
    ";a(",
    ";a=\xe9",
    ";\xe9",
    ';a="\r\n"',
    ';a="\\\n"',
    ';a="\0"',
    ';a="\u010a"',
    ";\u0141",
  ]) {
    assert.equal(parseChunkExtensions(text), undefined, JSON.stringify(text));
  }
});

it("quotes values that are no tokens", () => {
  assert.equal(formatChunkExtensions([]), "");
  assert.equal(formatChunkExtensions([["a"], ["b", "c"], ["d", ""], ["e", 'f "\\ g']]), ';a;b=c;d="";e="f \\"\\\\ g"');
});

it("refuses values that could end the line, and names that are no tokens", () => {
  for (const text of ["\r\n0\r\n\r\n", "\n", "\r", "\0", "\x7f", "\u010a", "\u010d"]) {
    assert.throws(() => formatChunkExtensions([["a", text]]), { code: "http.bad_chunk_extension" });
    assert.throws(() => formatChunkExtensions([["a"], [text]]), { code: "http.bad_chunk_extension" });
  }
  for (const name of ["", " ", "a b", "a;b", "a=b", '"a"', "\xe9"]) {
    assert.throws(() => formatChunkExtensions([[name, "a"]]), { code: "http.bad_chunk_extension" });
  }
});

it("parses what it formats", () => {
  const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/);
  const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,12}$/);
  const extension = fc.oneof(fc.tuple(name), fc.tuple(name, value));
  fc.assert(
    fc.property(fc.array(extension, { maxLength: 4 }), (extensions) => {
      assert.deepEqual(parseChunkExtensions(formatChunkExtensions(extensions)), extensions);
    }),
  );
});

it("accepts no more than the grammar, for any text", () => {
  const piece = fc.constantFrom(";", "=", '"', "\\", " ", "\t", "a", "b1", "\xe9", "\r", "(");
  // RFC 9112 7.1.1 and RFC 9110 5.6.4.
  const quoted = /"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"/.source;
  const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
  const grammar = new RegExp(`^(?:[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*(?:${token}|${quoted}))?)*$`);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      assert.equal(parseChunkExtensions(text) !== undefined, grammar.test(text), JSON.stringify(text));
    }),
    { numRuns: runs(5000) },
  );
});
