import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { Fields, Request } from "../../src/http/index.ts";

describe("Request", () => {
  it("is GET / HTTP/1.1 without fields by default", () => {
    const request = new Request();
    assert.equal(request.method, "GET");
    assert.equal(request.target, "/");
    assert.equal(request.version, 11);
    assert.equal(request.fields.size, 0);
  });

  it("copies its fields", () => {
    const fields = new Fields({ Host: "a" });
    const request = new Request({ fields });
    fields.delete("Host");
    assert.equal(request.fields.get("host"), "a");
  });

  it("splits its target at the first question mark", () => {
    for (const [target, path, query] of [
      ["/", "/", ""],
      ["/a?b", "/a", "b"],
      ["/a?", "/a", ""],
      ["?b", "", "b"],
      ["/a?b?c=%20", "/a", "b?c=%20"],
      ["*", "*", ""],
      ["http://h/a?b", "http://h/a", "b"],
    ]) {
      const request = new Request({ target });
      assert.equal(request.path, path);
      assert.equal(request.query, query);
    }
  });

  it("knows whether the connection is to be kept", () => {
    const keeps = (version: number, ...connection: string[]): boolean =>
      new Request({ version, fields: { Connection: connection } }).keepAlive;
    assert.equal(keeps(11), true);
    assert.equal(keeps(11, "keep-alive"), true);
    assert.equal(keeps(11, "x", "Close"), false);
    assert.equal(keeps(10), false);
    assert.equal(keeps(10, "Keep-Alive"), true);
    assert.equal(keeps(10, "keep-alive, close"), false);
  });

  it("knows an upgrade to WebSocket", () => {
    const upgrade = { Connection: "Upgrade", Upgrade: "websocket" };
    assert.equal(new Request({ fields: upgrade }).isUpgrade, true);
    assert.equal(
      new Request({ fields: { Connection: ["keep-alive", "x, upgrade"], Upgrade: "WebSocket" } }).isUpgrade,
      true,
    );
    assert.equal(new Request({ version: 10, fields: upgrade }).isUpgrade, false);
    assert.equal(new Request({ method: "POST", fields: upgrade }).isUpgrade, false);
    assert.equal(new Request({ method: "get", fields: upgrade }).isUpgrade, false);
    assert.equal(new Request({ fields: { Connection: "Upgrade" } }).isUpgrade, false);
    assert.equal(new Request({ fields: { Connection: "Upgrade", Upgrade: "h2c" } }).isUpgrade, false);
    assert.equal(new Request({ fields: { Upgrade: "websocket" } }).isUpgrade, false);
  });

  it("can be taken from node:http, by its raw fields", () => {
    const incoming = new IncomingMessage(new Socket());
    incoming.method = "POST";
    incoming.url = "/a?b";
    incoming.httpVersionMajor = 1;
    incoming.httpVersionMinor = 0;
    incoming.rawHeaders = ["Host", "a", "HOST", "b"];
    const request = Request.from(incoming);
    assert.equal(request.method, "POST");
    assert.equal(request.target, "/a?b");
    assert.equal(request.version, 10);
    assert.deepEqual(request.fields.raw, ["Host", "a", "HOST", "b"]);
    request.fields.delete("Host");
    assert.equal(incoming.rawHeaders.length, 4);
  });
});
