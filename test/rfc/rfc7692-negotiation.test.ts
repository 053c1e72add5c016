// RFC 7692 sections 5 and 7.1: the negotiation of permessage-deflate, on the wire, in both roles.
//
// What no test of an endpoint can show, or does not arise:
// - 5, rules for other compression extensions, and for several of them at once: we know one.
// - 7.1, "a client MUST NOT offer what is not supported": every offer here can be met, which section 7.2's tests show.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DeflateOptions } from "../../src/websocket/index.ts";
import { quiet } from "../support/quiet.ts";
import { requestBytes } from "../websocket/support/requests.ts";
import { accepting, connecting, Endpoint } from "./support/endpoint.ts";
import { responseToKey } from "../websocket/support/responses.ts";

const free: DeflateOptions = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const pmd = "permessage-deflate";

/** What an extension's field says: of each its name and its parameters, whose order is of no interest. */
function read(field: string | undefined): string[] | undefined {
  if (field === undefined) return undefined;
  return field.split(/ *, */).flatMap((each) => {
    const [name, ...parameters] = each.split(/ *; */);
    return [name!, ...parameters.toSorted()];
  });
}

/** What our server answers an offer with; undefined for nothing, and then the connection goes without. */
async function answered(offer: string | string[], deflate: boolean | DeflateOptions): Promise<string[] | undefined> {
  const endpoint = await accepting(requestBytes({ "Sec-WebSocket-Extensions": offer }), { options: { deflate } });
  assert.equal(endpoint.ws.isOpen, true);
  return read(endpoint.field("Sec-WebSocket-Extensions"));
}

function agrees(
  requirement: string,
  offer: string | string[],
  expected: string,
  deflate: boolean | DeflateOptions = free,
): void {
  it(requirement, async () => assert.deepEqual(await answered(offer, deflate), read(expected)));
}

function declines(requirement: string, offer: string | string[], deflate: boolean | DeflateOptions = free): void {
  it(requirement, async () => assert.equal(await answered(offer, deflate), undefined));
}

describe("RFC 7692: a server's answer to an offer", () => {
  agrees("5.1: an offer is accepted by its name", pmd, pmd);
  agrees(
    "5.1: the first offer that can be met is accepted, others are not mentioned",
    "foo, permessage-deflate, bar",
    pmd,
  );
  agrees("5.1: offers in several fields are one list", ["foo", `${pmd}; x`, pmd], pmd);
  agrees(
    "5.2: an offer that can't be met is passed over for one that can",
    `${pmd}; server_max_window_bits=7, ${pmd}`,
    pmd,
  );
  agrees(
    "5.2: of two that can be met the first is preferred",
    `${pmd}; server_max_window_bits=10, ${pmd}`,
    `${pmd}; server_max_window_bits=10`,
  );
  declines("5.1: an offer that is not wanted is declined, and the connection goes without", pmd, false);
  it("5.1: no compression is wanted by default", async () => {
    const endpoint = await accepting(requestBytes({ "Sec-WebSocket-Extensions": pmd }));
    assert.deepEqual([endpoint.ws.isOpen, endpoint.field("Sec-WebSocket-Extensions")], [true, undefined]);
  });
  declines(
    "5.1: names that only contain permessage-deflate are not permessage-deflate",
    "x-permessage-deflate, permessage-deflated",
  );
  agrees(
    "7.1: by default neither side keeps a context",
    pmd,
    `${pmd}; server_no_context_takeover; client_no_context_takeover`,
    true,
  );

  for (const parameter of [
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits=10",
    "client_max_window_bits",
    "client_max_window_bits=10",
  ]) {
    declines(`7.1: ${parameter} twice is declined`, `${pmd}; ${parameter}; ${parameter}`);
  }
  for (const parameter of [
    "unknown",
    "unknown=1",
    "server_no_context_takeover=1",
    "server_no_context_takeover=true",
    "client_no_context_takeover=1",
    "server_max_window_bits",
    "SERVER_NO_CONTEXT_TAKEOVER",
    ...["server", "client"].flatMap((side) =>
      ["0", "7", "16", "08", "010", "x", "-8", "8.0", "1e1", "100"].map((value) => `${side}_max_window_bits=${value}`),
    ),
  ]) {
    declines(`7.1: ${parameter} is not defined, and declined`, `${pmd}; ${parameter}`);
  }
  agrees("7.1: a value may be quoted", `${pmd}; server_max_window_bits="10"`, `${pmd}; server_max_window_bits=10`);

  agrees(
    "7.1.1.1: server_no_context_takeover is accepted by repeating it",
    `${pmd}; server_no_context_takeover`,
    `${pmd}; server_no_context_takeover`,
  );
  agrees(
    "7.1.1.1: the server may answer server_no_context_takeover unasked",
    pmd,
    `${pmd}; server_no_context_takeover`,
    {
      ...free,
      serverNoContextTakeover: true,
    },
  );
  it("7.1.1.2: client_no_context_takeover is a hint, which the server may take", async () => {
    const answer = await answered(`${pmd}; client_no_context_takeover`, free);
    assert.deepEqual(
      answer?.filter((name) => name !== "client_no_context_takeover"),
      [pmd],
    );
  });
  agrees(
    "7.1.1.2: the server may answer client_no_context_takeover unasked",
    pmd,
    `${pmd}; client_no_context_takeover`,
    {
      ...free,
      clientNoContextTakeover: true,
    },
  );

  for (const bits of [8, 9, 10, 14, 15]) {
    agrees(
      `7.1.2.1: server_max_window_bits=${bits} is accepted by repeating it`,
      `${pmd}; server_max_window_bits=${bits}`,
      `${pmd}; server_max_window_bits=${bits}`,
    );
  }
  agrees(
    "7.1.2.1: the server may use less than it is asked to",
    `${pmd}; server_max_window_bits=12`,
    `${pmd}; server_max_window_bits=9`,
    { ...free, serverMaxWindowBits: 9 },
  );
  agrees(
    "7.1.2.1: the server does not use more than it is asked to",
    `${pmd}; server_max_window_bits=9`,
    `${pmd}; server_max_window_bits=9`,
    { ...free, serverMaxWindowBits: 12 },
  );
  agrees("7.1.2.1: the server may use a smaller window unasked", pmd, `${pmd}; server_max_window_bits=9`, {
    ...free,
    serverMaxWindowBits: 9,
  });

  for (const bits of [8, 9, 14]) {
    agrees(
      `7.1.2.2: client_max_window_bits in the offer is answered with ${bits}`,
      `${pmd}; client_max_window_bits`,
      `${pmd}; client_max_window_bits=${bits}`,
      { ...free, clientMaxWindowBits: bits },
    );
  }
  declines(
    "7.1.2.2: without client_max_window_bits in the offer the client can't be limited, so an option that requires a limit declines compression",
    pmd,
    {
      ...free,
      clientMaxWindowBits: 9,
    },
  );
  agrees("7.1.2.2: a window without a limit is not mentioned", `${pmd}; client_max_window_bits`, pmd);
  for (const [offered, ours, most] of [
    [10, 15, 10],
    [10, 9, 9],
    [10, 12, 10],
  ] as const) {
    it(`7.1.2.2: to client_max_window_bits=${offered} the answer is at most ${most} with the option ${ours}`, async () => {
      const answer = await answered(`${pmd}; client_max_window_bits=${offered}`, {
        ...free,
        clientMaxWindowBits: ours,
      });
      const value = /client_max_window_bits=(\d+)/.exec(answer?.join() ?? "none")?.[1] ?? offered;
      assert.ok(Number(value) <= most);
    });
  }
  agrees(
    "7.1: all parameters at once",
    `${pmd}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
    `${pmd}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
  );
});

/** What our client offers. */
async function offered(deflate: boolean | DeflateOptions): Promise<string[] | undefined> {
  const endpoint = new Endpoint("client", { options: { deflate } });
  endpoint.ws.handshake("example.com", "/", endpoint.completed);
  await quiet();
  return read(endpoint.field("Sec-WebSocket-Extensions"));
}

/** What becomes of a server's response to our client's offer: the error's code, or undefined where it opens. */
async function judged(response: string | string[], deflate: boolean | DeflateOptions): Promise<string | undefined> {
  const endpoint = await connecting((key) => responseToKey(key, { "Sec-WebSocket-Extensions": response }), {
    options: { deflate },
  });
  assert.equal(endpoint.ws.isOpen, endpoint.error === undefined);
  if (endpoint.error !== undefined) {
    assert.deepEqual([endpoint.next.closed, endpoint.sentBytes.length], [true, 0]);
  }
  return endpoint.error?.code;
}

const accepts = (requirement: string, response: string, deflate: boolean | DeflateOptions = free): void => {
  it(requirement, async () => assert.equal(await judged(response, deflate), undefined));
};
const fails = (requirement: string, response: string | string[], deflate: boolean | DeflateOptions = free): void => {
  it(requirement, async () => assert.equal(await judged(response, deflate), "websocket.bad_sec_extensions"));
};

describe("RFC 7692: a client's offer", () => {
  const cases: readonly [what: string, options: boolean | DeflateOptions, offer: string | undefined][] = [
    ["nothing with the option false", false, undefined],
    [
      "5: what it prefers, and a plain offer for servers that decline that",
      true,
      `${pmd}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, ${pmd}`,
    ],
    ["7.1.2.2: that it can be limited", free, `${pmd}; client_max_window_bits, ${pmd}`],
    [
      "7.1.1.1: server_no_context_takeover",
      { ...free, serverNoContextTakeover: true },
      `${pmd}; server_no_context_takeover; client_max_window_bits`,
    ],
    [
      "7.1.1.2: client_no_context_takeover",
      { ...free, clientNoContextTakeover: true },
      `${pmd}; client_no_context_takeover; client_max_window_bits, ${pmd}`,
    ],
    [
      "7.1.2.1: server_max_window_bits",
      { ...free, serverMaxWindowBits: 8 },
      `${pmd}; server_max_window_bits=8; client_max_window_bits`,
    ],
    [
      "7.1.2.2: client_max_window_bits",
      { ...free, clientMaxWindowBits: 9 },
      `${pmd}; client_max_window_bits=9, ${pmd}`,
    ],
  ];
  for (const [what, options, offer] of cases) {
    it(what, async () => assert.deepEqual(await offered(options), read(offer)));
  }
});

describe("RFC 7692: the answers that a client accepts", () => {
  accepts("5.1: a response with permessage-deflate", pmd);
  it("5.1: a response without the extension, which declines it", async () => {
    const endpoint = await connecting((key) => responseToKey(key), { options: { deflate: true } });
    assert.deepEqual([endpoint.error, endpoint.ws.isOpen], [undefined, true]);
  });
  fails("5.1: agreement without an offer fails the connection", pmd, false);
  fails("5.1: agreement to another extension fails the connection", "x-webkit-deflate-frame");
  fails("5.1: agreement to another extension as well fails the connection", `${pmd}, foo`);
  fails("5.1: agreement twice fails the connection", `${pmd}, ${pmd}`);
  fails("5.1: agreement in two fields fails the connection", [pmd, pmd]);
  for (const parameter of [
    "unknown",
    "server_no_context_takeover=1",
    "client_no_context_takeover=1",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=10; client_max_window_bits=10",
    ...["server", "client"].flatMap((side) =>
      ["0", "7", "16", "08", "x", "-8", "8.0"].map((value) => `${side}_max_window_bits=${value}`),
    ),
  ]) {
    fails(`7.1: a response with ${parameter} fails the connection`, `${pmd}; ${parameter}`);
  }

  accepts("7.1: a plain answer to the default offer", pmd, true);
  accepts("7.1: a plain answer to an offer without a requirement", pmd, { level: 1 });
  accepts("7.1.1.1: server_no_context_takeover unasked", `${pmd}; server_no_context_takeover`);
  fails("7.1.1.1: a response without the server_no_context_takeover of the offer fails the connection", pmd, {
    ...free,
    serverNoContextTakeover: true,
  });
  accepts("7.1.1.2: client_no_context_takeover unasked", `${pmd}; client_no_context_takeover`);
  accepts("7.1.1.2: a response without the client_no_context_takeover of the offer", pmd, {
    ...free,
    clientNoContextTakeover: true,
  });
  accepts("7.1.2.1: a server that limits itself unasked", `${pmd}; server_max_window_bits=8`);
  accepts("7.1.2.1: a server that limits itself as asked", `${pmd}; server_max_window_bits=10`, {
    ...free,
    serverMaxWindowBits: 10,
  });
  accepts("7.1.2.1: a server that limits itself more than asked", `${pmd}; server_max_window_bits=8`, {
    ...free,
    serverMaxWindowBits: 10,
  });
  fails(
    "7.1.2.1: a server that limits itself less than asked fails the connection",
    `${pmd}; server_max_window_bits=11`,
    {
      ...free,
      serverMaxWindowBits: 10,
    },
  );
  fails("7.1.2.1: a server that does not limit itself though asked to fails the connection", pmd, {
    ...free,
    serverMaxWindowBits: 10,
  });
  for (const bits of [8, 9, 15])
    accepts(`7.1.2.2: a server that limits the client to ${bits}`, `${pmd}; client_max_window_bits=${bits}`);
  fails(
    "7.1.2.2: a server that allows the client more than it offered fails the connection",
    `${pmd}; client_max_window_bits=11`,
    {
      ...free,
      clientMaxWindowBits: 10,
    },
  );
  accepts("7.1.2.2: a server that does not mention the client's window", pmd, { ...free, clientMaxWindowBits: 10 });
});
