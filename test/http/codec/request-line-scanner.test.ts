import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestLineScanner } from "../../../src/http/codec/request-line-scanner.ts";
import { bytesOf } from "../support/samples.ts";

/** Scans a whole line, or throws. */
function scan(line: string): { scanner: RequestLineScanner; position: number } {
  const bytes = bytesOf(line);
  const scanner = new RequestLineScanner();
  return { scanner, position: scanner.scan(bytes, 0, bytes.length) };
}

describe("RequestLineScanner", () => {
  it("stops after the line, with its parts", () => {
    const line = "OPTIONS * HTTP/1.0\r\n";
    const { scanner, position } = scan(`${line}Host: a`);
    assert.equal(scanner.isDone, true);
    assert.equal(position, line.length);
    assert.equal(scanner.method(line), "OPTIONS");
    assert.equal(scanner.target(line), "*");
    assert.equal(scanner.version, 10);
  });

  it("skips one empty line before it", () => {
    const line = "\r\nGET /a HTTP/1.1\r\n";
    const { scanner } = scan(line);
    assert.equal(scanner.method(line), "GET");
    assert.equal(scanner.target(line), "/a");
    assert.equal(scanner.version, 11);
  });

  it("continues where it stopped, and does not look back", () => {
    const bytes = bytesOf("GET / HTTP/1.1\r\n");
    const scanner = new RequestLineScanner();
    assert.equal(scanner.scan(bytes, 0, 2), 2);
    assert.equal(scanner.isDone, false);
    bytes.fill(0, 0, 2);
    assert.equal(scanner.scan(bytes, 2, 8), 8);
    assert.equal(scanner.scan(bytes, 8, bytes.length), bytes.length);
    assert.equal(scanner.isDone, true);
  });

  it("shows whether a byte of the line itself was scanned", () => {
    for (const [line, gotSome] of [
      ["", false],
      ["\r", false],
      ["\r\n", false],
      ["\r\nG", true],
      ["G", true],
    ] as const) {
      assert.equal(scan(line).scanner.gotSome, gotSome, JSON.stringify(line));
    }
  });
});
