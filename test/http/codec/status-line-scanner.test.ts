import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatusLineScanner } from "../../../src/http/codec/status-line-scanner.ts";
import { bytesOf } from "../support/samples.ts";

/** Scans a whole line, or throws. */
function scan(line: string): { scanner: StatusLineScanner; position: number } {
  const bytes = bytesOf(line);
  const scanner = new StatusLineScanner();
  return { scanner, position: scanner.scan(bytes, 0, bytes.length) };
}

describe("StatusLineScanner", () => {
  it("stops after the line, with its parts", () => {
    const line = "HTTP/1.0 404 Not \xe9Found\r\n";
    const { scanner, position } = scan(`${line}Server: a`);
    assert.equal(scanner.isDone, true);
    assert.equal(position, line.length);
    assert.equal(scanner.version, 10);
    assert.equal(scanner.status, 404);
    assert.equal(scanner.reason(line), "Not \xe9Found");
  });

  it("accepts a missing reason, with its space and without", () => {
    for (const line of ["HTTP/1.1 200 \r\n", "HTTP/1.1 200\r\n"]) {
      const { scanner, position } = scan(line);
      assert.deepEqual([scanner.isDone, position, scanner.status, scanner.reason(line)], [true, line.length, 200, ""]);
    }
  });

  it("continues where it stopped, and does not look back", () => {
    const line = "HTTP/1.1 101 Switching Protocols\r\n";
    for (let cut = 0; cut <= line.length; cut++) {
      const bytes = bytesOf(line);
      const scanner = new StatusLineScanner();
      assert.equal(scanner.scan(bytes, 0, cut), cut);
      bytes.fill(0, 0, cut);
      assert.equal(scanner.scan(bytes, cut, bytes.length), bytes.length);
      assert.deepEqual([scanner.status, scanner.reason(line)], [101, "Switching Protocols"]);
    }
  });

  it("shows whether a byte of the line was scanned", () => {
    for (const [line, gotSome] of [
      ["", false],
      ["H", true],
      ["HTTP/1.1 ", true],
      ["HTTP/1.1 2", true],
    ] as const) {
      assert.equal(scan(line).scanner.gotSome, gotSome, JSON.stringify(line));
    }
  });
});
