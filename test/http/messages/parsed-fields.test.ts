import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields, RequestParser } from "../../../src/http/index.ts";
import { ParsedFields } from "../../../src/http/messages/parsed-fields.ts";
import { encodeLatin1 } from "../../../src/core/text.ts";
import { fc } from "../../support/property.ts";

const head = "GET / HTTP/1.1\r\nHost: a\r\nX:\t b c \r\nhost:d\r\n\r\n";
const parsed = (): ParsedFields => new ParsedFields(head, 16, [20, 23, 26, 33, 39, 41]);

test("fields are found by name in any case, from any position on", () => {
  const fields = parsed();
  assert.equal(fields.length, 6);
  assert.deepEqual(
    [0, 2, 4, 6].map((from) => fields.find("HOST", from)),
    [0, 4, 4, -1],
  );
  assert.equal(fields.find("Hos", 0), -1);
  assert.deepEqual([fields.value(0), fields.value(2), fields.value(4)], ["a", "b c", "d"]);
});

test("they make the flat list", () => {
  assert.deepEqual(parsed().collect(), ["Host", "a", "X", "b c", "host", "d"]);
  assert.deepEqual(new ParsedFields("\r\n", 0, []).collect(), []);
});

test("compact fields have the same results", () => {
  const [fields, compact] = [parsed(), parsed()];
  compact.compact();
  assert.equal(compact.length, fields.length);
  assert.deepEqual(compact.collect(), fields.collect());
  for (const from of [0, 2, 4, 6]) assert.equal(compact.find("host", from), fields.find("host", from));
  for (const at of [0, 2, 4]) assert.equal(compact.value(at), fields.value(at));
});

test("compact fields are looked at once for each call, however many there are of a name", (t) => {
  const lines = 500;
  const parser = new RequestParser({ maxHeadersCount: lines });
  parser.put(encodeLatin1(`GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(lines)}\r\n`));
  const { headers } = parser.request!;
  headers.compact();
  const looks = t.mock.method(String.prototype, "indexOf").mock;
  const calls: readonly (() => unknown)[] = [
    () => assert.equal(headers.get("x")!.length, 3 * lines - 2),
    () => assert.equal(headers.getAll("x").length, lines),
    () => assert.equal(headers.count("x"), lines),
    () => assert.equal([...headers].length, lines),
  ];
  for (const call of calls) {
    const before = looks.callCount();
    call();
    const count = looks.callCount() - before;
    assert.ok(count <= 4 * lines, `${count} looks at ${lines} lines in ${String(call)}`);
  }
});

test("fields have the same results before and after their list was made", () => {
  const name = fc.constantFrom("Host", "X-A", "x-a", "Accept", "Empty");
  const value = fc.constantFrom("", "a", "b c", "0123456789".repeat(3));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.boolean(), (pairs, isCompact) => {
      const parser = new RequestParser();
      const lines = pairs.map(([field, text]) => `${field}:  ${text} \r\n`).join("");
      parser.put(encodeLatin1(`GET / HTTP/1.1\r\n${lines}\r\n`));
      const lazy = parser.request!.headers;
      if (isCompact) lazy.compact();
      const listed = new Fields(pairs);
      const copy = new Fields(lazy);
      for (const asked of ["host", "X-A", "accept", "EMPTY", "none"]) {
        assert.equal(lazy.get(asked), listed.get(asked));
        assert.equal(lazy.get(asked), listed.get(asked));
        assert.deepEqual(lazy.getAll(asked), listed.getAll(asked));
        assert.equal(lazy.count(asked), listed.count(asked));
      }
      assert.equal(lazy.size, listed.size);
      assert.deepEqual([...lazy], pairs);
      // A copy that is changed changes nothing here, whichever of the two was still unlisted.
      copy.append("X-A", "more");
      copy.delete("Host");
      assert.deepEqual(lazy.raw, listed.raw);
      assert.equal(lazy.size, listed.size);
    }),
  );
});

test("names whose lengths differ by 32 are told apart, and repeats of either found", () => {
  const long = `X-${"a".repeat(33)}`;
  const lines = ["Abc: 1", `${long}: 2`, "abc: 3", `${long}: 4`];
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  const marks = lines.flatMap((line, i) => {
    const start = lines.slice(0, i).reduce((sum, one) => sum + one.length + 2, 0);
    return [start + line.indexOf(":"), start + line.length];
  });
  const fields = new ParsedFields(text, 0, marks);
  assert.deepEqual([fields.find("ABC", 0), fields.find("ABC", 2), fields.find("abc", 6)], [0, 4, -1]);
  assert.deepEqual([fields.find(long, 0), fields.find(long, 4)], [2, 6]);
  assert.equal(fields.find(`Y-${"a".repeat(33)}`, 0), -1);
});
