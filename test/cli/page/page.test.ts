import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { headersOf, loadPage } from "../../../src/cli/page/page.ts";

function policy(headers: Readonly<Record<string, string>>): Map<string, string> {
  const directives = headers["Content-Security-Policy"]!.split("; ");
  return new Map(directives.map((directive) => directive.split(/ (.*)/s) as [string, string]));
}

function source(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

describe("headersOf", () => {
  it("allows exactly the inline parts", () => {
    const found = policy(headersOf("<style>a</style><script>b\n</script>x<script>é</script>"));
    assert.equal(found.get("style-src"), source("a"));
    assert.equal(found.get("script-src"), `${source("b\n")} ${source("é")}`);
    assert.equal(found.get("default-src"), "'none'");
    assert.equal(found.get("connect-src"), "'self' ws: wss:");
  });

  it("allows nothing if there are no inline parts", () => {
    const found = policy(headersOf("<p>text</p>"));
    assert.equal(found.get("style-src"), "'none'");
    assert.equal(found.get("script-src"), "'none'");
  });
});

describe("loadPage", () => {
  const { body, headers } = loadPage();

  it("is one HTML file that contains and allows all of its parts", () => {
    assert.match(body, /^<!doctype html>/);
    // None with attributes: those would not be found, and so not be allowed.
    assert.equal(body.match(/<script/g)?.length, body.match(/<script>/g)?.length);
    assert.equal(body.match(/<style/g)?.length, body.match(/<style>/g)?.length);
    assert.match(policy(headers).get("style-src")!, /^'sha256-[^ ]+'$/);
    assert.match(policy(headers).get("script-src")!, /^'sha256-[^ ]+'$/);
    assert.deepEqual(
      [...body.matchAll(/\b(?:src|href|action)="(.{0,5})/g)].map(([, start]) => start),
      ["data:"],
    );
  });

  it("inserts nothing as markup, and has no inline handlers", () => {
    assert.doesNotMatch(body, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|<[a-z][^>]* on[a-z]+=/);
  });

  it("is sent with its type, and is not cached", () => {
    assert.equal(headers["Content-Type"], "text/html; charset=utf-8");
    assert.equal(headers["X-Content-Type-Options"], "nosniff");
    assert.equal(headers["Cache-Control"], "no-store");
  });
});
