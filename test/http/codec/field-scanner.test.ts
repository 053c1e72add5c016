import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FieldScanner } from "../../../src/http/codec/field-scanner.ts";
import { bytesOf } from "../support/samples.ts";

describe("FieldScanner", () => {
  it("stops after the empty line, with names and values", () => {
    const text = "GET / HTTP/1.1\r\nHost:a\r\nX: \t b c \t\r\nempty:\r\n\r\nrest";
    const bytes = bytesOf(text);
    const scanner = new FieldScanner(100);
    assert.equal(scanner.scan(bytes, 16, bytes.length), bytes.length - 4);
    assert.equal(scanner.isDone, true);
    assert.deepEqual(scanner.collect(text).collect(), ["Host", "a", "X", "b c", "empty", ""]);
  });

  it("accepts an empty list", () => {
    const scanner = new FieldScanner(0);
    assert.equal(scanner.scan(bytesOf("\r\n"), 0, 2), 2);
    assert.equal(scanner.isDone, true);
    assert.deepEqual(scanner.collect("\r\n").collect(), []);
  });

  it("continues where it stopped, and does not look back", () => {
    const text = "Host: a\r\n\r\n";
    const bytes = bytesOf(text);
    const scanner = new FieldScanner(1);
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(scanner.isDone, false);
      assert.equal(scanner.scan(bytes, at, at + 1), at + 1);
      bytes[at] = 0;
    }
    assert.equal(scanner.isDone, true);
    assert.deepEqual(scanner.collect(text).collect(), ["Host", "a"]);
  });
});
