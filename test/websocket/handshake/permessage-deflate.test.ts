import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { parseExtensions } from "../../../src/websocket/handshake/extensions.ts";
import {
  acceptDeflate,
  agreedDeflate,
  deflateSettings,
  negotiatedDeflate,
  offerDeflate,
  type DeflateOptions,
  type DeflateParameters,
  type DeflateSettings,
} from "../../../src/websocket/handshake/permessage-deflate.ts";
import { fc, runs } from "../../support/property.ts";

const yes = (): boolean => true;
const free: DeflateOptions = { serverNoContextTakeover: false, clientNoContextTakeover: false };
/** Settings that ask for nothing but what is given. */
const settingsOf = (options: DeflateOptions = {}): DeflateSettings => deflateSettings({ ...free, ...options }, yes)!;

const pmd = "permessage-deflate";

/** Parameters: whether the server and the client go without takeover, and their window bits. */
type Short = [server: boolean, client: boolean, serverBits: number, clientBits: number];
const long = ([server, client, serverBits, clientBits]: Short): DeflateParameters => ({
  serverNoContextTakeover: server,
  clientNoContextTakeover: client,
  serverMaxWindowBits: serverBits,
  clientMaxWindowBits: clientBits,
});

function accept(offers: string, options?: DeflateOptions): ReturnType<typeof acceptDeflate> {
  return acceptDeflate(settingsOf(options), parseExtensions(offers)!);
}

describe("deflateSettings", () => {
  it("has the documented defaults", () => {
    const defaults = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
      level: 5,
      memLevel: 5,
      threshold: 256,
      takesServerContext: true,
    };
    for (const options of [true, {}, { level: undefined }] as (boolean | DeflateOptions)[]) {
      assert.deepEqual(deflateSettings(options, yes), defaults);
    }
    for (const options of [undefined, false]) assert.equal(deflateSettings(options, yes), undefined);
  });

  it("takes the given options, and copies them", () => {
    const given: DeflateOptions = {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 10,
      level: 1,
      memLevel: 2,
      threshold: 3.5,
    };
    const settings = deflateSettings(given, yes)!;
    assert.deepEqual(settings, { ...given, takesServerContext: true });
    given.level = 9;
    assert.equal(settings.level, 1);
  });

  it("agrees to no takeover if the platform can't keep contexts", () => {
    const settings = deflateSettings(free, () => false)!;
    assert.deepEqual([settings.serverNoContextTakeover, settings.clientNoContextTakeover], [true, true]);
    assert.equal(settings.takesServerContext, false);
  });

  it("takes a server that keeps its context, unless the application has asked for one that does not", () => {
    const takes = (options: boolean | DeflateOptions): boolean => deflateSettings(options, yes)!.takesServerContext;
    assert.ok(takes(true) && takes({ level: 1 }) && takes({ serverNoContextTakeover: undefined! }) && takes(free));
    assert.equal(takes({ serverNoContextTakeover: true }), false);
  });

  const numbers: [name: keyof DeflateOptions, low: number, high: number][] = [
    ["serverMaxWindowBits", 8, 15],
    ["clientMaxWindowBits", 8, 15],
    ["level", 0, 9],
    ["memLevel", 1, 9],
    ["threshold", 0, Infinity],
  ];
  const refused = (options: unknown, name: string): void => {
    assert.throws(
      () => deflateSettings(options as DeflateOptions, yes),
      (error: ServalError) => error.code === "core.invalid_argument" && error.message.includes(name),
    );
  };
  for (const [name, low, high] of numbers) {
    it(`${name} is a number from ${low} to ${high}`, () => {
      for (const value of [low, high]) assert.equal(deflateSettings({ [name]: value }, yes)![name], value);
      for (const value of [low - 1, high + 1, NaN, -Infinity, "9", null, true, 9n, {}]) {
        if (value !== high) refused({ [name]: value }, `deflate.${name}`);
      }
      if (name !== "threshold") refused({ [name]: low + 0.5 }, `deflate.${name}`);
    });
  }
  for (const name of ["serverNoContextTakeover", "clientNoContextTakeover"]) {
    it(`${name} is true or false`, () => {
      for (const value of [0, 1, "", "true", null, {}]) refused({ [name]: value }, `deflate.${name}`);
    });
  }
  it("anything else is refused", () => {
    for (const name of ["Level", "windowBits", "takesServerContext", "toString", "__proto__"]) {
      refused(JSON.parse(`{ "${name}": 1 }`), `deflate has no option "${name}"`);
    }
    for (const options of [null, 1, "true", [], () => {}, new Date()]) refused(options, "deflate");
  });
});

describe("RFC 7692 7.1: a server accepts an offer", () => {
  const cases: [offer: string, options: DeflateOptions, response: string, agreed: Short][] = [
    [pmd, {}, pmd, [false, false, 15, 15]],
    // 7.1.1.1
    [`${pmd}; server_no_context_takeover`, {}, `${pmd}; server_no_context_takeover`, [true, false, 15, 15]],
    [pmd, { serverNoContextTakeover: true }, `${pmd}; server_no_context_takeover`, [true, false, 15, 15]],
    // 7.1.1.2
    [`${pmd}; client_no_context_takeover`, {}, `${pmd}; client_no_context_takeover`, [false, true, 15, 15]],
    [pmd, { clientNoContextTakeover: true }, `${pmd}; client_no_context_takeover`, [false, true, 15, 15]],
    // 7.1.2.1
    [`${pmd}; server_max_window_bits=10`, {}, `${pmd}; server_max_window_bits=10`, [false, false, 10, 15]],
    [`${pmd}; server_max_window_bits=8`, {}, `${pmd}; server_max_window_bits=8`, [false, false, 8, 15]],
    [`${pmd}; server_max_window_bits=15`, {}, `${pmd}; server_max_window_bits=15`, [false, false, 15, 15]],
    [`${pmd}; server_max_window_bits="10"`, {}, `${pmd}; server_max_window_bits=10`, [false, false, 10, 15]],
    [
      `${pmd}; server_max_window_bits=12`,
      { serverMaxWindowBits: 11 },
      `${pmd}; server_max_window_bits=11`,
      [false, false, 11, 15],
    ],
    [
      `${pmd}; server_max_window_bits=10`,
      { serverMaxWindowBits: 11 },
      `${pmd}; server_max_window_bits=10`,
      [false, false, 10, 15],
    ],
    [pmd, { serverMaxWindowBits: 11 }, `${pmd}; server_max_window_bits=11`, [false, false, 11, 15]],
    // 7.1.2.2
    [`${pmd}; client_max_window_bits`, {}, pmd, [false, false, 15, 15]],
    [`${pmd}; client_max_window_bits=15`, {}, pmd, [false, false, 15, 15]],
    [`${pmd}; client_max_window_bits=10`, {}, `${pmd}; client_max_window_bits=10`, [false, false, 15, 10]],
    [`${pmd}; client_max_window_bits=8`, {}, `${pmd}; client_max_window_bits=8`, [false, false, 15, 8]],
    [
      `${pmd}; client_max_window_bits`,
      { clientMaxWindowBits: 9 },
      `${pmd}; client_max_window_bits=9`,
      [false, false, 15, 9],
    ],
    [
      `${pmd}; client_max_window_bits=12`,
      { clientMaxWindowBits: 9 },
      `${pmd}; client_max_window_bits=9`,
      [false, false, 15, 9],
    ],
    [
      `${pmd}; client_max_window_bits=10`,
      { clientMaxWindowBits: 12 },
      `${pmd}; client_max_window_bits=10`,
      [false, false, 15, 10],
    ],
    // All of them.
    [
      `${pmd}; client_max_window_bits=10; server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover`,
      {},
      `${pmd}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10`,
      [true, true, 9, 10],
    ],
    // What browsers send, and what the defaults make of it.
    [
      `${pmd}; client_max_window_bits`,
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      `${pmd}; server_no_context_takeover; client_no_context_takeover`,
      [true, true, 15, 15],
    ],
  ];
  for (const [offer, options, response, agreed] of cases) {
    it(`${offer} with ${JSON.stringify(options)}`, () => {
      assert.deepEqual(accept(offer, options), { parameters: long(agreed), response });
    });
  }
});

const invalid: string[] = [
  "what",
  "what=1",
  "Server_no_context_takeover",
  "server_no_context_takeover=1",
  'server_no_context_takeover="x"',
  "server_no_context_takeover; server_no_context_takeover",
  "client_no_context_takeover=true",
  "client_no_context_takeover; server_no_context_takeover; client_no_context_takeover",
  "server_max_window_bits",
  ...["7", "16", "08", "010", "0", "-8", "+9", "9.0", "1e1", "0xa", "x", "115"].flatMap((bits) => [
    `server_max_window_bits=${bits}`,
    `client_max_window_bits=${bits}`,
  ]),
  "server_max_window_bits=10; server_max_window_bits=10",
  "client_max_window_bits=10; client_max_window_bits=11",
  "client_max_window_bits; client_max_window_bits",
  "client_max_window_bits; client_max_window_bits=15",
];

describe("RFC 7692 7.1: a server declines an offer", () => {
  for (const parameters of invalid) {
    it(`${parameters}, and takes the next`, () => {
      assert.equal(accept(`${pmd}; ${parameters}`), undefined);
      const next = `${pmd}; server_max_window_bits=11`;
      assert.equal(accept(`${pmd}; ${parameters}, ${next}`)?.response, next);
    });
  }

  it("7.1.2.2: if the client's window can't be limited, but must be", () => {
    const limited = { clientMaxWindowBits: 14 };
    assert.equal(accept(pmd, limited), undefined);
    assert.equal(
      accept(`${pmd}, ${pmd}; client_max_window_bits`, limited)?.response,
      `${pmd}; client_max_window_bits=14`,
    );
  });

  it("of another extension", () => {
    for (const offers of ["", "x", "permessage-bzip2", "Permessage-Deflate", "x-webkit-deflate-frame, x; y=1"]) {
      assert.equal(accept(offers), undefined, offers);
    }
  });
});

describe("RFC 7692 5: of several offers the first that can be met", () => {
  const cases: [offers: string, response: string][] = [
    [`${pmd}, ${pmd}; server_no_context_takeover`, pmd],
    [`${pmd}; server_no_context_takeover, ${pmd}`, `${pmd}; server_no_context_takeover`],
    [`x; server_max_window_bits=9, ${pmd}; server_max_window_bits=10, ${pmd}`, `${pmd}; server_max_window_bits=10`],
    [
      `${pmd}; what, x, ${pmd}; server_max_window_bits=7, ${pmd}; client_max_window_bits=9`,
      `${pmd}; client_max_window_bits=9`,
    ],
  ];
  for (const [offers, response] of cases) it(offers, () => assert.equal(accept(offers)?.response, response));
});

describe("RFC 7692 7.1: a client offers", () => {
  const cases: [options: DeflateOptions, offer: string][] = [
    // With a second offer for servers that decline the first one, where a plain answer meets what is required.
    [{}, `${pmd}; client_max_window_bits, ${pmd}`],
    [{ serverNoContextTakeover: true }, `${pmd}; server_no_context_takeover; client_max_window_bits`],
    [{ clientNoContextTakeover: true }, `${pmd}; client_no_context_takeover; client_max_window_bits, ${pmd}`],
    [{ serverMaxWindowBits: 9 }, `${pmd}; server_max_window_bits=9; client_max_window_bits`],
    [{ clientMaxWindowBits: 9 }, `${pmd}; client_max_window_bits=9, ${pmd}`],
  ];
  for (const [options, offer] of cases) {
    it(JSON.stringify(options), () => assert.equal(offerDeflate(settingsOf(options)), offer));
  }

  it("no context by default, and is content with a plain answer", () => {
    const none = `${pmd}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits`;
    const offer = (canTakeOver: () => boolean): string => offerDeflate(deflateSettings(true, canTakeOver)!);
    assert.equal(offer(yes), `${none}, ${pmd}`);
    assert.equal(
      offer(() => false),
      none,
    );
  });
});

describe("RFC 7692 7.1: a client agrees to a response", () => {
  const cases: [options: DeflateOptions, response: string, agreed: Short][] = [
    [{}, pmd, [false, false, 15, 15]],
    [{}, `, ${pmd},`, [false, false, 15, 15]],
    // 7.1.1.1 and 7.1.2.1: a server may say these without being asked.
    [{}, `${pmd}; server_no_context_takeover`, [true, false, 15, 15]],
    [{}, `${pmd}; server_max_window_bits=8`, [false, false, 8, 15]],
    [{}, `${pmd}; server_max_window_bits=15`, [false, false, 15, 15]],
    [{ serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=10`, [false, false, 10, 15]],
    [{ serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=9`, [false, false, 9, 15]],
    [{ serverNoContextTakeover: true }, `${pmd}; server_no_context_takeover`, [true, false, 15, 15]],
    // 7.1.1.2
    [{}, `${pmd}; client_no_context_takeover`, [false, true, 15, 15]],
    [{ clientNoContextTakeover: true }, `${pmd}; client_no_context_takeover`, [false, true, 15, 15]],
    [{ clientNoContextTakeover: true }, pmd, [false, true, 15, 15]],
    // 7.1.2.2
    [{}, `${pmd}; client_max_window_bits=9`, [false, false, 15, 9]],
    [{}, `${pmd}; client_max_window_bits=15`, [false, false, 15, 15]],
    [{ clientMaxWindowBits: 10 }, pmd, [false, false, 15, 10]],
    [{ clientMaxWindowBits: 10 }, `${pmd}; client_max_window_bits=10`, [false, false, 15, 10]],
    [{ clientMaxWindowBits: 10 }, `${pmd}; client_max_window_bits=8`, [false, false, 15, 8]],
  ];
  for (const [options, response, agreed] of cases) {
    it(`${response} to ${JSON.stringify(options)}`, () => {
      assert.deepEqual(agreedDeflate(settingsOf(options), response), long(agreed));
    });
  }

  it("to what costs only a context, by default", () => {
    const settings = deflateSettings(true, yes)!;
    for (const [response, agreed] of [
      [pmd, [false, true, 15, 15]],
      [`${pmd}; client_no_context_takeover`, [false, true, 15, 15]],
      [`${pmd}; server_max_window_bits=10`, [false, true, 10, 15]],
      [`${pmd}; server_no_context_takeover`, [true, true, 15, 15]],
    ] as const) {
      assert.deepEqual(agreedDeflate(settings, response), long([...agreed]));
    }
    const unable = agreedDeflate(
      deflateSettings(true, () => false),
      pmd,
    );
    assert.ok(unable instanceof ServalError && unable.code === "websocket.bad_sec_extensions");
  });

  it("or has no compression without one", () => {
    for (const settings of [settingsOf(), undefined]) {
      for (const response of [undefined, "", " , "]) assert.equal(agreedDeflate(settings, response), undefined);
    }
  });
});

describe("RFC 7692 5.1 and 7.1: a client fails the connection", () => {
  const failed = (options: DeflateOptions | undefined, response: string): void => {
    const agreed = agreedDeflate(options === undefined ? undefined : settingsOf(options), response);
    assert.ok(agreed instanceof ServalError, response);
    assert.equal(agreed.code, "websocket.bad_sec_extensions");
    assert.equal(agreed.condition, "handshake_failed");
  };
  for (const parameters of [...invalid, "client_max_window_bits"]) {
    it(`for ${parameters}`, () => failed({}, `${pmd}; ${parameters}`));
  }
  const cases: [name: string, options: DeflateOptions | undefined, responses: string[]][] = [
    ["for what breaks the grammar", {}, ["a b", `${pmd};`, `${pmd}; server_max_window_bits=`]],
    ["for what was not offered", undefined, [pmd, "x", "a b"]],
    ["for another extension", {}, ["x", `x, ${pmd}`, `${pmd}, x`, "Permessage-Deflate"]],
    ["for an extension twice", {}, [`${pmd}, ${pmd}`, `${pmd}; server_no_context_takeover, ${pmd}`]],
    ["7.1.1.1: for takeover where it asked for none", { serverNoContextTakeover: true }, [pmd]],
    [
      "7.1.2.1: for a larger window than it asked for",
      { serverMaxWindowBits: 10 },
      [pmd, `${pmd}; server_max_window_bits=11`],
    ],
    ["7.1.2.2: for a larger window than it has", { clientMaxWindowBits: 10 }, [`${pmd}; client_max_window_bits=11`]],
  ];
  for (const [name, options, responses] of cases) {
    it(name, () => {
      for (const response of responses) failed(options, response);
    });
  }

  it("and says what the server answered, and what was offered", () => {
    const agreed = agreedDeflate(settingsOf({ serverNoContextTakeover: true }), pmd);
    assert.ok(agreed instanceof ServalError);
    assert.match(
      agreed.message,
      /is "permessage-deflate", which does not meet the offer "permessage-deflate; server_no_/,
    );
  });
});

const bits = fc.integer({ min: 8, max: 15 });
const settings = fc.record(
  {
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  },
  { noNullPrototype: true },
);

describe("both sides", () => {
  it("agree on the same, whatever their options, and on nothing that either has excluded", () => {
    fc.assert(
      fc.property(settings, settings, fc.boolean(), (theirs, ours, canTakeOver) => {
        const client = deflateSettings(theirs, () => canTakeOver)!;
        const server = deflateSettings(ours, yes)!;
        const accepted = acceptDeflate(server, parseExtensions(offerDeflate(client))!)!;
        assert.deepEqual(agreedDeflate(client, accepted.response), accepted.parameters);
        for (const side of [client, server]) {
          const { parameters } = accepted;
          assert.ok(parameters.serverMaxWindowBits <= side.serverMaxWindowBits);
          assert.ok(parameters.clientMaxWindowBits <= side.clientMaxWindowBits);
          assert.ok(parameters.serverNoContextTakeover || !side.serverNoContextTakeover);
          assert.ok(parameters.clientNoContextTakeover || !side.clientNoContextTakeover);
        }
      }),
      { numRuns: runs(2000) },
    );
  });

  it("a response to any offer has only what the RFC allows", () => {
    const flags = fc.subarray(["server_no_context_takeover", "client_no_context_takeover"]);
    const limits = fc.tuple(
      fc.option(bits.map((n) => `server_max_window_bits=${n}`)),
      fc.option(
        fc.oneof(
          fc.constant("client_max_window_bits"),
          bits.map((n) => `client_max_window_bits=${n}`),
        ),
      ),
    );
    fc.assert(
      fc.property(settings, flags, limits, (ours, flags, limits) => {
        const parameters = [...flags, ...limits.filter((one) => one !== null)];
        const accepted = acceptDeflate(deflateSettings(ours, yes)!, parseExtensions([pmd, ...parameters].join(";"))!);
        if (limits[1] === null && ours.clientMaxWindowBits < 15) {
          assert.equal(accepted, undefined);
          return;
        }
        const said = parseExtensions(accepted!.response)![0].parameters;
        for (const flag of flags) assert.ok(said.some(([name]) => name === flag));
        if (limits[0] !== null) assert.ok(said.some(([name]) => name === "server_max_window_bits"));
        if (limits[1] === null) assert.ok(said.every(([name]) => name !== "client_max_window_bits"));
        assert.ok(said.every(([name, value]) => name.endsWith("bits") === (value !== undefined)));
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe("negotiatedDeflate", () => {
  const no = (): boolean => false;

  it("is nothing without the header", () => {
    for (const value of [undefined, ""]) assert.equal(negotiatedDeflate("server", value, no), undefined);
  });

  for (const [value, parameters] of [
    [pmd, [false, false, 15, 15]],
    [`${pmd}; server_no_context_takeover; client_max_window_bits=10`, [true, false, 15, 10]],
    [` ${pmd} ;client_no_context_takeover; server_max_window_bits="9" ,`, [false, true, 9, 15]],
  ] as [string, Short][]) {
    it(`${JSON.stringify(value)} says what was negotiated, in both roles`, () => {
      for (const role of ["server", "client"] as const) {
        assert.deepEqual(negotiatedDeflate(role, value, yes), long(parameters));
      }
    });
  }

  it("is what both sides of a handshake of ours have negotiated", () => {
    fc.assert(
      fc.property(settings, settings, (theirs, ours) => {
        const offers = parseExtensions(offerDeflate(deflateSettings(theirs, yes)!))!;
        const { response, parameters } = acceptDeflate(deflateSettings(ours, yes)!, offers)!;
        for (const role of ["server", "client"] as const) {
          assert.deepEqual(negotiatedDeflate(role, response, yes), parameters);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  for (const value of [
    "permessage-bzip2",
    `${pmd}, ${pmd}`,
    `${pmd}; client_max_window_bits`,
    `${pmd}; server_max_window_bits=16`,
    `${pmd}; mux`,
    `${pmd};;`,
    "=",
    " ",
    7,
    null,
  ]) {
    it(`refuses ${JSON.stringify(value)}`, () =>
      assert.throws(() => negotiatedDeflate("server", value as string, yes), {
        code: "core.invalid_argument",
        message: /^extensions must be /,
      }));
  }

  it("refuses a peer with context takeover if there are no contexts", () => {
    for (const [role, ours, theirs] of [
      ["server", "server_no_context_takeover", "client_no_context_takeover"],
      ["client", "client_no_context_takeover", "server_no_context_takeover"],
    ] as const) {
      const message = `extensions must have ${theirs}: this platform can't keep contexts of zlib`;
      assert.throws(() => negotiatedDeflate(role, `${pmd}; ${ours}`, no), { code: "core.invalid_argument", message });
      assert.notEqual(negotiatedDeflate(role, `${pmd}; ${theirs}`, no), undefined);
    }
  });
});
