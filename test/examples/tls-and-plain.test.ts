import assert from "node:assert/strict";
import { it } from "node:test";
import { WebSocket } from "ws";
import { localhost } from "../support/localhost.ts";
import { requires, runProgram } from "../support/programs.ts";
import { messageOf } from "./support/conversation.ts";
import { failedExample, startExample } from "./support/example.ts";

it("takes http, https, ws and wss on one port", { skip: requires("curl") }, async (t) => {
  const files = { "key.pem": localhost.key, "cert.pem": localhost.cert };
  const { port, folder } = await startExample(t, "tls-and-plain", () => ["key.pem", "cert.pem"], files);
  const curl = async (url: string): Promise<string> =>
    String((await runProgram("curl", ["-sS", "--cacert", `${folder}/cert.pem`, url])).stdout);
  assert.equal(await curl(`http://localhost:${port}/`), "You speak HTTP\n");
  assert.equal(await curl(`https://localhost:${port}/`), "You speak HTTPS\n");
  const ca = localhost.cert;
  assert.equal(await messageOf(new WebSocket(`ws://localhost:${port}/`), "plain"), "plain");
  assert.equal(await messageOf(new WebSocket(`wss://localhost:${port}/`, { ca }), "secret"), "secret");
});

it("says how to make a key and a certificate if there are none", async (t) => {
  const { code, said } = await failedExample(t, "tls-and-plain", ["0"]);
  assert.equal(code, 1);
  assert.match(said, /^There is no key\.pem\. .*\n {2}openssl req -x509 .*\\\n.* -keyout key\.pem -out cert\.pem\n$/);
});
