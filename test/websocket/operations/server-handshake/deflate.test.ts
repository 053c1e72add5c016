import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../../src/core/index.ts";
import type { Response } from "../../../../src/http/index.ts";
import { pair, VirtualClock } from "../../../../src/testing/index.ts";
import type { HandshakeResult, OpeningOwner } from "../../../../src/websocket/operations/opening.ts";
import { ServerHandshake } from "../../../../src/websocket/operations/server-handshake.ts";
import type { OptionsOf } from "../../../../src/websocket/options/options.ts";
import { Settings } from "../../../../src/websocket/options/settings.ts";
import { requestOf } from "../../support/requests.ts";

type Outcome = { error: ServalError | undefined; accepted: HandshakeResult | undefined; head: string };

/** Accepts a request with these extensions offered, a line for each. */
function run(offers: string[], options: OptionsOf): Promise<Outcome> {
  const [next, peer] = pair();
  const settings = new Settings<never>({ clock: new VirtualClock(), ...options } as OptionsOf<never>);
  let head = "";
  const receive = (): void =>
    peer.readSome((_, bytes) => {
      if (bytes === undefined) return;
      head += Buffer.from(bytes).toString("latin1");
      receive();
    });
  receive();
  return new Promise((resolve) => {
    const owner: OpeningOwner = {
      peer: undefined,
      openingCompleted: (error, accepted) => setImmediate(() => resolve({ error, accepted, head })),
      openingEnded: () => {},
    };
    const operation = new ServerHandshake(next, settings, owner, () => {});
    operation.start({ request: requestOf({ "Sec-WebSocket-Extensions": offers }), buffered: [], signal: undefined });
  });
}

const extensionsIn = (head: string): string[] =>
  [...head.matchAll(/^Sec-WebSocket-Extensions: (.*)\r$/gm)].map(([, value]) => value);

describe("RFC 7692 5: accept negotiates permessage-deflate", () => {
  const agreed = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  const response = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  const cases: [name: string, offers: string[], deflate: OptionsOf["deflate"], response: string | undefined][] = [
    ["what browsers offer", ["permessage-deflate; client_max_window_bits"], true, response],
    ["several lines", ["x", "permessage-deflate; what", "y, permessage-deflate"], true, response],
    ["options", ["permessage-deflate"], { level: 1 }, response],
    ["no offer", [], true, undefined],
    ["other offers", ["x; y=1"], true, undefined],
    ["an invalid offer", ["permessage-deflate; server_max_window_bits=7"], true, undefined],
    ["an offer that the options exclude", ["permessage-deflate"], { clientMaxWindowBits: 10 }, undefined],
    ["not wanted", ["permessage-deflate"], false, undefined],
    ["not asked for", ["permessage-deflate"], undefined, undefined],
  ];
  for (const [name, offers, deflate, expected] of cases) {
    it(name, async () => {
      const { error, accepted, head } = await run(offers, deflate === undefined ? {} : { deflate });
      assert.equal(error, undefined);
      assert.match(head, /^HTTP\/1\.1 101 /);
      assert.deepEqual(extensionsIn(head), expected === undefined ? [] : [expected]);
      assert.deepEqual(accepted?.deflate, expected === undefined ? undefined : agreed);
    });
  }

  it("RFC 6455 9.1: refuses malformed extensions, even without compression", async () => {
    for (const deflate of [true, false]) {
      const { error, head } = await run(["permessage-deflate", "a b"], { deflate });
      assert.equal(error?.code, "websocket.bad_sec_extensions");
      assert.match(head, /^HTTP\/1\.1 400 /);
      assert.deepEqual(extensionsIn(head), []);
    }
  });

  const meddling: [name: string, decorate: (response: Response) => void][] = [
    ["removed", ({ headers }) => void headers.delete("Sec-WebSocket-Extensions")],
    ["changed", ({ headers }) => headers.set("Sec-WebSocket-Extensions", "permessage-deflate")],
    ["repeated", ({ headers }) => headers.append("Sec-WebSocket-Extensions", "x")],
  ];
  for (const [name, decorate] of meddling) {
    it(`the hooks can't have it ${name}`, async () => {
      const { error, accepted, head } = await run(["permessage-deflate"], { deflate: true, decorate });
      assert.equal(error?.code, "websocket.bad_upgrade_result");
      assert.equal(accepted, undefined);
      assert.match(head, /^HTTP\/1\.1 500 /);
    });
  }
});
