import assert from "node:assert/strict";
import { channel as channelOf, hasSubscribers } from "node:diagnostics_channel";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { recordResponses, unansweredOf } from "../../src/server/unanswered.ts";
import { until } from "../support/until.ts";

const channel = "http.server.request.start";

test("the responses that node:http has to send are known in order, also those after Expect, until they are sent", async (t) => {
  const endRecord = recordResponses();
  const given: http.ServerResponse[] = [];
  const take: http.RequestListener = (_, response) => void given.push(response);
  const server = http.createServer(take).on("checkContinue", take);
  t.after(() => {
    endRecord();
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = net
    .connect((server.address() as net.AddressInfo).port, "127.0.0.1")
    .on("error", () => {})
    .resume();
  client.write("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => given.length === 2);
  const socket = given[0]!.socket!;
  assert.deepEqual(unansweredOf(socket), given);
  given[0]!.end("one");
  await until(() => unansweredOf(socket).length === 1);
  assert.deepEqual(unansweredOf(socket), [given[1]]);
  given[1]!.end("two");
  await until(() => unansweredOf(socket).length === 0);
  client.write("POST /3 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
  await until(() => given.length === 3);
  assert.deepEqual(unansweredOf(socket), [given[2]]);
  client.destroy();
  await until(() => unansweredOf(socket).length === 0);
});

test("a client that always has a request in flight makes no response kept after it is sent, nor looked at again for each request", (t) => {
  t.after(recordResponses());
  const [socket, announced] = [{}, channelOf(channel)];
  let looks = 0;
  class Sent {
    isSent = false;
    readonly destroyed = false;
    get writableFinished(): boolean {
      looks++;
      return this.isSent;
    }
  }
  const total = 1000;
  let before: Sent | undefined;
  for (let count = 0; count < total; count++) {
    const response = new Sent();
    announced.publish({ socket, response });
    // The next request comes before this response is sent, but after the one before it.
    if (before !== undefined) before.isSent = true;
    before = response;
  }
  assert.ok(looks <= 4 * total, `${looks} looks for ${total} requests`);
  looks = 0;
  assert.deepEqual(unansweredOf(socket), [before]);
  assert.ok(looks <= 4, `${looks} looks at what is kept`);
});

test("requests are recorded as long as somebody needs it", () => {
  assert.equal(hasSubscribers(channel), false);
  const [endOne, endOther] = [recordResponses(), recordResponses()];
  endOne();
  endOne();
  assert.equal(hasSubscribers(channel), true);
  endOther();
  assert.equal(hasSubscribers(channel), false);
  assert.deepEqual(unansweredOf({}), []);
});
