import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields, Response } from "../../src/http/index.ts";

const FetchResponse = globalThis.Response;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("Response", () => {
  it("is an empty 200 by default", () => {
    const response = new Response();
    assert.equal(response.status, 200);
    assert.equal(response.reason, "OK");
    assert.equal(response.fields.size, 0);
    assert.equal(response.body.length, 0);
  });

  it("is HTTP/1.1 unless it was received as something else", () => {
    assert.equal(new Response().version, 11);
    assert.equal(new Response({ version: 10 }).version, 10);
  });

  it("finds the reason that goes with its status, unless one is given", () => {
    assert.equal(new Response({ status: 404 }).reason, "Not Found");
    assert.equal(new Response({ status: 599 }).reason, "");
    assert.equal(new Response({ status: 200, reason: "Fine" }).reason, "Fine");
    assert.equal(new Response({ status: 200, reason: "" }).reason, "");
  });

  it("sends text as UTF-8 and says so", () => {
    const response = new Response({ body: "é" });
    assert.deepEqual(response.body, Uint8Array.of(0xc3, 0xa9));
    assert.equal(response.fields.get("content-type"), "text/plain; charset=utf-8");
  });

  it("leaves a Content-Type that is given, and says nothing of bytes", () => {
    const page = new Response({ body: "<p>", fields: { "content-type": "text/html" } });
    assert.deepEqual(page.fields.raw, ["content-type", "text/html"]);
    assert.equal(new Response({ body: Uint8Array.of(1) }).fields.size, 0);
  });

  it("does not change the fields that it is given", () => {
    const fields = new Fields();
    assert.equal(new Response({ body: "a", fields }).fields.size, 1);
    assert.equal(fields.size, 0);
  });

  it("refuses what is no status and no reason", () => {
    for (const status of [0, 99, 1000, 200.5, NaN]) {
      assert.throws(() => new Response({ status }), { code: "http.bad_status" });
    }
    for (const reason of ["a\r\nb", "\0", "\u010a"]) {
      assert.throws(() => new Response({ reason }), { code: "http.bad_reason" });
    }
  });
});

describe("Response.from", () => {
  it("takes one of fetch's, with several Set-Cookie", async () => {
    const headers = new Headers({ "X-A": "1", "Content-Length": "999", "Transfer-Encoding": "chunked" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    const response = await Response.from(new FetchResponse("no", { status: 403, statusText: "Nope", headers }));
    assert.equal(response.status, 403);
    assert.equal(response.reason, "Nope");
    assert.equal(text(response.body), "no");
    assert.deepEqual(response.fields.getAll("Set-Cookie"), ["a=1", "b=2"]);
    assert.equal(response.fields.get("X-A"), "1");
    assert.equal(response.fields.get("Content-Type"), "text/plain;charset=UTF-8");
    assert.equal(response.fields.has("Content-Length"), false);
    assert.equal(response.fields.has("Transfer-Encoding"), false);
  });

  it("finds the reason where fetch has none", async () => {
    assert.equal((await Response.from(new FetchResponse(null, { status: 404 }))).reason, "Not Found");
  });

  it("rejects where the body was read already, and for what is no response to send", async () => {
    const used = new FetchResponse("a");
    await used.text();
    await assert.rejects(Response.from(used), TypeError);
    await assert.rejects(Response.from(FetchResponse.error()), { code: "http.bad_status" });
  });
});
