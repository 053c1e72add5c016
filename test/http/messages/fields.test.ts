import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { decodeLatin1 } from "../../../src/core/text.ts";
import {
  Fields,
  Request as HttpRequest,
  RequestParser,
  serializeHead,
  type FieldsInit,
} from "../../../src/http/index.ts";
import { bytesOf } from "../support/samples.ts";
import { fc } from "../../support/property.ts";

const cookies = (): Fields =>
  new Fields([
    ["Host", "a"],
    ["set-cookie", "b=1"],
    ["Accept", "*/*"],
    ["Set-Cookie", "c=2"],
  ]);

describe("Fields", () => {
  it("can be made from nothing, pairs, a record, fields and a flat list", () => {
    assert.deepEqual([...new Fields()], []);
    const pairs = [
      ["B", "1"],
      ["a", "2"],
      ["b", "3"],
    ] as const;
    assert.deepEqual([...new Fields(pairs)], pairs);
    assert.deepEqual([...new Fields(new Map([["B", "1"]]))], [["B", "1"]]);
    assert.deepEqual([...new Fields({ B: ["1", "3"], a: "2", none: [] })], [pairs[0], ["B", "3"], pairs[1]]);
    assert.deepEqual([...new Fields(new Headers({ "X-A": "1" }))], [["x-a", "1"]]);
    assert.deepEqual([...Fields.fromRaw(["B", "1", "a", "2"])], pairs.slice(0, 2));
  });

  it("copies the fields that it is made from", () => {
    const original = cookies();
    const copy = new Fields(original);
    copy.append("X", "y");
    copy.delete("Host");
    assert.deepEqual(original.raw, cookies().raw);
    assert.equal(copy.size, 4);
  });

  it("is shown by console.log, and as JSON that it can be made from again", () => {
    assert.equal(inspect(new Fields()), "Fields {}");
    assert.equal(inspect({ headers: cookies() }, { depth: 0 }), "{ headers: [Fields] }");
    assert.equal(
      inspect({ headers: cookies() }, { breakLength: Infinity }),
      "{ headers: Fields { Host: 'a', 'set-cookie': [ 'b=1', 'c=2' ], Accept: '*/*' } }",
    );
    const odd = new Fields([
      ["__proto__", "1"],
      ["a", "2"],
    ]);
    assert.equal(JSON.stringify({ odd }), '{"odd":{"__proto__":"1","a":"2"}}');
    assert.deepEqual([...new Fields(odd.toJSON())], [...odd]);
  });

  it("keeps order, case and repeats", () => {
    const fields = cookies();
    assert.equal(fields.size, 4);
    assert.deepEqual(fields.raw, ["Host", "a", "set-cookie", "b=1", "Accept", "*/*", "Set-Cookie", "c=2"]);
  });

  it("is looked up without regard to case", () => {
    const fields = cookies();
    for (const name of ["set-cookie", "Set-Cookie", "SET-COOKIE"]) {
      assert.equal(fields.first(name), "b=1");
      assert.deepEqual(fields.getAll(name), ["b=1", "c=2"]);
      assert.equal(fields.get(name), "b=1, c=2");
      assert.equal(fields.has(name), true);
      assert.equal(fields.count(name), 2);
    }
    assert.deepEqual([fields.get("host"), fields.first("host")], ["a", "a"]);
  });

  it("combines the lines of a name as fetch's Headers does", () => {
    const fields = new Fields({ A: ["1", "", "2, 3"], Cookie: ["a=1", "b=2; c=3"], cookies: ["x", "y"] });
    const headers = new Headers(fields as unknown as Headers);
    for (const name of ["a", "cookies", "none"]) assert.equal(fields.get(name), headers.get(name) ?? undefined);
    assert.deepEqual([fields.get("A"), fields.get("cookies")], ["1, , 2, 3", "x, y"]);
    // RFC 9113 8.2.3: a comma would become part of a cookie's value.
    for (const name of ["Cookie", "COOKIE"]) assert.equal(fields.get(name), "a=1; b=2; c=3");
  });

  it("RFC 6265 5.4: has one Cookie, of all lines, in every way that it is made, read and sent", () => {
    const lines = ["Cookie", "a=1", "Host", "a", "COOKIE", "b=2; c=3", "cookie", "d=4", "Server", "e"];
    const pairs = Array.from({ length: 5 }, (_, index): [string, string] => [lines[2 * index]!, lines[2 * index + 1]!]);
    const head = `GET / HTTP/1.1\r\n${pairs.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    const parser = new RequestParser();
    parser.put(bytesOf(head));
    const appended = new Fields();
    for (const [name, value] of pairs) appended.append(name, value);
    const raw = [...lines];
    for (const [way, fields] of Object.entries({
      pairs: new Fields(pairs),
      record: new Fields({ Cookie: ["a=1", "b=2; c=3"], Host: "a", cookie: "d=4", Server: "e" }),
      appended,
      "raw headers of Node": Fields.fromRaw(raw),
      "Node's IncomingMessage": HttpRequest.from({ httpVersionMajor: 1, httpVersionMinor: 1, rawHeaders: [...lines] })
        .headers,
      parsed: parser.request!.headers,
      "a copy of parsed ones": new Fields(parser.request!.headers),
    })) {
      const all = "a=1; b=2; c=3; d=4";
      assert.deepEqual(
        [...fields],
        [
          ["Cookie", all],
          ["Host", "a"],
          ["Server", "e"],
        ],
        way,
      );
      assert.deepEqual([fields.get("cookie"), fields.first("COOKIE"), fields.getAll("cookie")], [all, all, [all]], way);
      assert.deepEqual([fields.count("cookie"), fields.size, fields.raw.length], [1, 3, 6], way);
      assert.deepEqual(fields.toJSON(), { Cookie: all, Host: "a", Server: "e" }, way);
      const request = new HttpRequest({ headers: fields });
      assert.deepEqual([...request.toFetch().headers.entries()][0], ["cookie", all], way);
      assert.match(
        decodeLatin1(serializeHead(request)),
        /^GET \/ HTTP\/1\.1\r\nCookie: a=1; b=2; c=3; d=4\r\nHost: a\r\nServer: e\r\n\r\n$/,
        way,
      );
    }
    // Node's list is Node's.
    assert.deepEqual(raw, lines);
    const set = new Fields(pairs);
    set.set("cookie", "z=0");
    set.append("Cookie", "y=1");
    assert.deepEqual(
      [...set],
      [
        ["cookie", "z=0; y=1"],
        ["Host", "a"],
        ["Server", "e"],
      ],
    );
    assert.equal(set.delete("COOKIE"), true);
    assert.deepEqual(
      [...set],
      [
        ["Host", "a"],
        ["Server", "e"],
      ],
    );
  });

  it("is accepted by fetch as headers", () => {
    const fields = cookies();
    fields.append("X", "1");
    fields.append("x", "2");
    // Typed as its pairs: TypeScript's HeadersInit has arrays and records, though any iterable will do.
    const pairs: [string, string][] = [...fields];
    for (const init of [pairs, fields as unknown as Headers]) {
      const headers = new Headers(init);
      assert.deepEqual([headers.get("host"), headers.get("X"), headers.getSetCookie()], ["a", "1, 2", ["b=1", "c=2"]]);
      assert.equal(new Response("", { headers: init }).headers.get("accept"), "*/*");
      assert.equal(new Request("http://a", { headers: init }).headers.get("x"), "1, 2");
      assert.deepEqual([...new Fields(headers)].length, 5);
    }
  });

  it("finds nothing under other names", () => {
    const fields = cookies();
    for (const name of ["", "Hos", "Hosts", "Hosu", "a", "*/*", "b=1"]) {
      assert.equal(fields.first(name), undefined);
      assert.deepEqual(fields.getAll(name), []);
      assert.equal(fields.get(name), undefined);
      assert.equal(fields.has(name), false);
      assert.equal(fields.count(name), 0);
      assert.equal(fields.delete(name), false);
    }
  });

  it("sets at the position of the first, and drops the others", () => {
    const fields = cookies();
    fields.set("SET-COOKIE", "d");
    assert.deepEqual(fields.raw, ["Host", "a", "SET-COOKIE", "d", "Accept", "*/*"]);
    fields.set("New", "e");
    assert.deepEqual(fields.raw.slice(-2), ["New", "e"]);
  });

  it("sets and deletes in time that grows with the number of fields alone", () => {
    // With a move of the rest for each of 200,000 fields, this would not end.
    const many = (): Fields => Fields.fromRaw(Array.from({ length: 400_000 }, (_, at) => (at % 4 === 1 ? "1" : "a")));
    const deleted = many();
    assert.deepEqual([deleted.delete("A"), deleted.size, deleted.delete("a")], [true, 0, false]);
    const set = many();
    set.append("b", "2");
    set.set("a", "3");
    assert.deepEqual(set.raw, ["a", "3", "b", "2"]);
  });

  it("deletes all of a name", () => {
    const fields = cookies();
    assert.equal(fields.delete("Set-cookie"), true);
    assert.deepEqual(fields.raw, ["Host", "a", "Accept", "*/*"]);
  });

  it("leaves out the space around a value", () => {
    const fields = new Fields({ a: " \t x y\t " });
    fields.append("b", "  ");
    fields.set("c", "\tz");
    assert.deepEqual(fields.raw, ["a", "x y", "b", "", "c", "z"]);
  });

  it("refuses names that are no tokens", () => {
    for (const name of ["", " ", "a b", "a:", "a\r\nb", "é", "a\0", "Ā"]) {
      const fields = new Fields();
      assert.throws(() => fields.append(name, "x"), { code: "http.bad_field" });
      assert.throws(() => fields.set(name, "x"), { code: "http.bad_field" });
      assert.throws(() => new Fields([[name, "x"]]), { code: "http.bad_field" });
      assert.equal(fields.size, 0);
    }
  });

  it("refuses values that could end the line", () => {
    for (const value of ["a\r\nB: c", "a\n", "\r", "a\0b", "\x7f", "\x1b[0m", "\u010a", "€"]) {
      const fields = new Fields();
      assert.throws(() => fields.append("A", value), { code: "http.bad_value" });
      assert.throws(() => fields.set("A", value), { code: "http.bad_value" });
      assert.throws(() => new Fields({ A: [value] }), { code: "http.bad_value" });
      assert.equal(fields.size, 0);
    }
  });

  it("says what is wrong with a value, and what to do", () => {
    for (const value of [5, undefined, null]) {
      assert.throws(() => new Fields({ a: value } as unknown as FieldsInit), {
        code: "core.invalid_argument",
        message: /value of a must be a string/,
      });
    }
    for (const [value, message] of [
      ["\u017c\u00f3", /"ż" \(U\+017C\).*encodeURIComponent/],
      ["b\nc", /control character U\+000A/],
      ["😀", /U\+1F600/],
    ] as const) {
      assert.throws(() => new Fields().append("a", value), { code: "http.bad_value", message });
    }
  });

  it("refuses what has neither names nor pairs, and says what is expected", () => {
    const cases: [init: unknown, but: string][] = [
      [null, "null"],
      ["a: b", '"a: b"'],
      [5, "5"],
      [Symbol("x"), "Symbol(x)"],
      [() => {}, "a function"],
      [Promise.resolve({}), "a Promise"],
      [["Cookie", "a=b"], 'a list with "Cookie" in it'],
      [[null], "a list with null in it"],
      [[["Cookie", "a=b", "c=d"]], "a list with one of 3"],
      [[["Cookie"]], "a list with one of 1"],
      [Uint8Array.of(1), "a list with 1 in it"],
    ];
    for (const [init, but] of cases) {
      assert.throws(() => new Fields(init as never), {
        code: "core.invalid_argument",
        message: `headers takes an object or a list of [name, value] pairs, not ${but}`,
      });
    }
    assert.equal(new Fields(Object.create(null) as Record<string, string>).size, 0);
    assert.deepEqual([...new Fields(new Headers({ a: "b" }))], [["a", "b"]]);
  });

  it("refuses names and values that are no strings", () => {
    for (const change of [
      () => new Fields([["a", 5 as unknown as string]]),
      () => new Fields({ a: ["b", 5 as unknown as string] }),
      () => new Fields().append("a", undefined as unknown as string),
      () => new Fields().set("a", null as unknown as string),
    ])
      assert.throws(change, { code: "core.invalid_argument", message: /^The value of a must be a string, not/ });
    for (const name of [5, null, undefined]) {
      assert.throws(() => new Fields().append(name as unknown as string, "a"), { code: "core.invalid_argument" });
      assert.throws(() => new Fields([[name as unknown as string, "a"]]), { code: "core.invalid_argument" });
      const fields = new Fields({ a: "b" });
      for (const look of ["get", "first", "getAll", "has", "count", "delete"] as const) {
        assert.throws(() => fields[look](name as unknown as string), {
          code: "core.invalid_argument",
          message: `The name of a header must be a string, not ${name}`,
        });
      }
    }
  });

  it("quotes a line break of a bad name in the error's message", () => {
    assert.throws(
      () => new Fields([["a\r\nb", "x"]]),
      (error: Error) => !/[\r\n]/.test(error.message),
    );
  });

  it("knows that its names and values are valid, until other code has the list", () => {
    const sound = new Fields([["A", "b"]]);
    sound.set("C", " d ");
    sound.delete("A");
    assert.equal(sound.isChecked, true);
    assert.equal(new Fields(sound).isChecked, true);
    assert.deepEqual([...sound], [["C", "d"]]);
    assert.equal(sound.list.length, 2);
    assert.equal(sound.isChecked, true);

    const before = new Fields(sound);
    const raw = sound.raw as string[];
    assert.equal(sound.isChecked, false);
    raw[1] = "\n";
    assert.equal(sound.get("c"), "\n");
    // Not even once what is wrong has gone: the list may be changed again.
    sound.delete("C");
    sound.append("A", "b");
    assert.equal(sound.isChecked, false);
    assert.deepEqual([new Fields(sound).isChecked, before.isChecked, before.get("c")], [false, true, "d"]);

    const empty = new Fields();
    (empty.raw as string[]).push("A", "b");
    assert.deepEqual([empty.get("a"), empty.isChecked], ["b", false]);
    assert.equal(Fields.fromRaw([]).isChecked, false);
  });

  it("trusts a parser, and then behaves like any other", () => {
    const parsed = (): Fields => {
      const parser = new RequestParser();
      parser.put(bytesOf("GET / HTTP/1.1\r\nHost: a\r\nset-cookie:b=1\r\nAccept: */*\t\r\nSet-Cookie: c=2\r\n\r\n"));
      return parser.request!.headers;
    };
    const fields = parsed();
    assert.deepEqual([fields.isChecked, fields.size, fields.count("SET-COOKIE")], [true, 4, 2]);
    assert.deepEqual([fields.get("accept"), fields.get("b=1"), fields.has("Hos")], ["*/*", undefined, false]);
    assert.deepEqual([fields.getAll("Set-Cookie"), fields.get("set-cookie")], [["b=1", "c=2"], "b=1, c=2"]);
    const copy = new Fields(fields);
    copy.set("set-cookie", "d");
    assert.deepEqual([...copy].flat(), ["Host", "a", "set-cookie", "d", "Accept", "*/*"]);
    assert.deepEqual([...fields], [...cookies()]);
    assert.equal(fields.isChecked, true);
    assert.deepEqual(parsed().raw, cookies().raw);
    const without = parsed();
    assert.deepEqual([without.delete("x"), without.delete("host"), without.size], [false, true, 3]);
    const longer = parsed();
    longer.append("New", "e");
    assert.deepEqual([longer.size, longer.get("new"), longer.isChecked], [5, "e", true]);
  });

  it("behaves like a plain list of pairs with lower-cased names", () => {
    const name = fc.constantFrom("a", "A", "b", "ab", "aB", "AB");
    const action = fc.tuple(fc.constantFrom("append", "set", "delete"), name, fc.stringMatching(/^[a-z]{0,3}$/));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), name, (actions, asked) => {
        const fields = new Fields();
        let model: [string, string][] = [];
        const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
        for (const [verb, key, value] of actions) {
          if (verb === "append") fields.append(key, value);
          if (verb === "set") fields.set(key, value);
          if (verb === "delete")
            assert.equal(
              fields.delete(key),
              model.some(([other]) => same(other, key)),
            );
          const first = model.findIndex(([other]) => same(other, key));
          if (verb === "append" || (verb === "set" && first < 0)) model.push([key, value]);
          else {
            if (verb === "set") model[first] = [key, value];
            model = model.filter(([other], i) => !same(other, key) || (verb === "set" && i === first));
          }
        }
        assert.deepEqual([...fields], model);
        const values = model.filter(([other]) => same(other, asked)).map(([, value]) => value);
        assert.deepEqual(fields.getAll(asked), values);
        assert.equal(fields.first(asked), values[0]);
        assert.equal(fields.get(asked), values.length > 0 ? values.join(", ") : undefined);
        assert.equal(fields.count(asked), values.length);
      }),
    );
  });
});
