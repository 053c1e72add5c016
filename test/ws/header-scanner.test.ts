import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeaderScanner } from "../../src/ws/header-scanner.ts";

describe("HeaderScanner", () => {
  it("reads tokens, quoted tokens and what stands between", () => {
    const scanner = new HeaderScanner('a1 ;\tb="x\\y" , c');
    assert.equal(scanner.token(), "a1");
    assert.equal(scanner.end(), false);
    assert.equal(scanner.skip(",", true), false);
    assert.equal(scanner.skip(";", true), true);
    assert.equal(scanner.token(), "b");
    assert.equal(scanner.skip("=", false), true);
    assert.equal(scanner.isQuoted, true);
    assert.equal(scanner.quoted(), "xy");
    assert.equal(scanner.end(), false);
    assert.equal(scanner.skip(",", true), true);
    assert.equal(scanner.token(), "c");
    assert.equal(scanner.end(), true);
  });

  it("says where it can't go on", () => {
    const at = (index: number): SyntaxError => new SyntaxError(`Unexpected character at index ${index}`);
    const end = new SyntaxError("Unexpected end of input");
    assert.throws(() => new HeaderScanner("").token(), end);
    assert.throws(() => new HeaderScanner("é").token(), at(0));
    assert.throws(() => new HeaderScanner('"').quoted(), end);
    assert.throws(() => new HeaderScanner('""').quoted(), at(1));
    assert.throws(() => new HeaderScanner('"a b"').quoted(), at(2));
    const scanner = new HeaderScanner("a ");
    scanner.token();
    assert.throws(() => scanner.end(), end);
  });
});
