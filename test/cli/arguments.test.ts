import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandIn, parseArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { UsageError } from "../../src/cli/shared/options.ts";

describe("parseArguments", () => {
  const run = (command: string, port: number, host: string, echo: object = { deflate: false }): object => ({
    kind: "run",
    command,
    where: { port, host },
    echo,
  });

  const plain = {
    headers: [],
    protocols: [],
    deflate: false,
    tls: { rejectUnauthorized: true },
    timeouts: { handshake: 10_000 },
  };

  const meant: [line: string, invocation: object][] = [
    ["", { kind: "nothing" }],
    ["echo", run("echo", 8080, "127.0.0.1")],
    ["serve", run("serve", 8080, "127.0.0.1")],
    ["echo --port 0", run("echo", 0, "127.0.0.1")],
    ["echo --port=65535 --host=::1", run("echo", 65_535, "::1")],
    ["--host example.com -p 81 serve", run("serve", 81, "example.com")],
    ["echo -p81 --port 82", run("echo", 82, "127.0.0.1")],
    ["echo --host=-odd", run("echo", 8080, "-odd")],
    ["echo --deflate", run("echo", 8080, "127.0.0.1", { deflate: true })],
    [
      "serve --max-message-size=1024 --max-fragments 5 --deflate",
      run("serve", 8080, "127.0.0.1", { deflate: true, maxMessageSize: 1024, maxFragments: 5 }),
    ],
    [
      "connect localhost:1 -p chat -pA --header a:b --max-message-size 5 --binary --wait 0.007",
      {
        kind: "connect",
        client: {
          url: "ws://localhost:1",
          options: { ...plain, headers: [["a", "b"]], protocols: ["chat", "A"], maxMessageSize: 5 },
        },
        chat: { binary: true, hex: false, json: false, wait: 7 },
      },
    ],
    [
      "-p a connect --json --hex --wait=forever wss://b/",
      {
        kind: "connect",
        client: { url: "wss://b/", options: { ...plain, protocols: ["a"] } },
        chat: { binary: false, hex: true, json: true, wait: Infinity },
      },
    ],
    ["inspect a", { kind: "inspect", client: { url: "ws://a", options: plain }, json: false }],
    ["inspect --json a", { kind: "inspect", client: { url: "ws://a", options: plain }, json: true }],
    ["--help", { kind: "help", command: undefined }],
    ["connect --help", { kind: "help", command: "connect" }],
    ["-h", { kind: "help", command: undefined }],
    ["echo --help", { kind: "help", command: "echo" }],
    ["--port x serve -h", { kind: "help", command: "serve" }],
    ["bench --help", { kind: "help", command: "bench" }],
    ["--help bench", { kind: "help", command: "bench" }],
    ["echo 8080 --help", { kind: "help", command: "echo" }],
    ["bench ws://a/ -v", { kind: "version" }],
    ["bench -v ws://a/ ws://b/", { kind: "version" }],
    ["inspect --help", { kind: "help", command: "inspect" }],
    ["--version", { kind: "version" }],
    ["-v", { kind: "version" }],
  ];
  for (const [line, invocation] of meant) {
    it(`understands "${line}"`, () => {
      assert.deepEqual(parseArguments(line === "" ? [] : line.split(" ")), invocation);
    });
  }

  const notMeant: [line: string, message: string][] = [
    ["eco", 'unknown command "eco"; did you mean echo?; the commands are echo, serve, connect, inspect and bench'],
    [
      "cnnect a",
      'unknown command "cnnect"; did you mean connect?; the commands are echo, serve, connect, inspect and bench',
    ],
    [
      "inspect --protcol x a",
      'unknown option "--protcol"; did you mean --protocol?; the options of inspect are --json, --header, --protocol, --origin, --deflate, --insecure, --ca, --proxy, --timeout, --help and --version',
    ],
    ["toString", 'unknown command "toString"; the commands are echo, serve, connect, inspect and bench'],
    [
      "echo --prot 1",
      'unknown option "--prot"; did you mean --port?; the options of echo are --port, --host, --unix, --cert, --key, --plain, --deflate, --max-message-size, --max-fragments, --help and --version',
    ],
    [
      "echo -x",
      'unknown option "-x"; the options of echo are --port, --host, --unix, --cert, --key, --plain, --deflate, --max-message-size, --max-fragments, --help and --version',
    ],
    [
      "echo --toString",
      'unknown option "--toString"; the options of echo are --port, --host, --unix, --cert, --key, --plain, --deflate, --max-message-size, --max-fragments, --help and --version',
    ],
    ["--no-port", 'unknown option "--no-port"'],
    ["--prot 1 echo", 'unknown option "--prot"'],
    [
      "echo --header a:b",
      'unknown option "--header"; the options of echo are --port, --host, --unix, --cert, --key, --plain, --deflate, --max-message-size, --max-fragments, --help and --version',
    ],
    [
      "echo --p 1",
      'unknown option "--p"; the options of echo are --port, --host, --unix, --cert, --key, --plain, --deflate, --max-message-size, --max-fragments, --help and --version',
    ],
    [
      "inspect --hex a",
      'unknown option "--hex"; the options of inspect are --json, --header, --protocol, --origin, --deflate, --insecure, --ca, --proxy, --timeout, --help and --version',
    ],
    ["connect", "connect needs a URL, such as serval connect ws://127.0.0.1:8080/"],
    ["inspect --json", "inspect needs a URL, such as serval inspect ws://127.0.0.1:8080/"],
    ["bench", "bench needs a URL, such as serval bench ws://127.0.0.1:8080/"],
    ["bench a 8080", 'unexpected argument "8080"; bench takes one URL'],
    ["connect a b", 'unexpected argument "b"; connect takes one URL'],
    ["connect a -p", "-p needs a value, such as --protocol chat"],
    ["connect a --wait soon", '--wait takes a number such as 10 or 0.5, or "forever", not "soon"'],
    ["connect a -H b", '"b" is not a valid header; --header takes one such as "Name: value"'],
    ["echo 8080", 'unexpected argument "8080"; ports and hosts need --port and --host'],
    ["echo -- --port", 'unexpected argument "--port"; ports and hosts need --port and --host'],
    ["--port 1", "no command given; the commands are echo, serve, connect, inspect and bench"],
    ["echo --port", "--port needs a value, such as --port 8080"],
    ["echo --port=", "--port needs a value, such as --port 8080"],
    ["echo --host", "--host needs a value, such as --host 127.0.0.1"],
    ["echo --host --port 1", "--host needs a value, such as --host 127.0.0.1"],
    ["echo --max-message-size", "--max-message-size needs a value, such as --max-message-size 1048576"],
    ["connect a --max-fragments 0", '--max-fragments takes a whole number of at least 1, not "0"'],
    ["echo --max-message-size 1k", '--max-message-size takes a whole number of at least 0, not "1k"'],
    ["echo --deflate=9", "--deflate takes no value"],
    ["echo --help=yes", "--help takes no value"],
    ["echo --port http", '"http" is not a port; --port takes a number from 0 to 65535'],
    ["echo --port 65536", '"65536" is not a port; --port takes a number from 0 to 65535'],
    ["echo --port -1", '"-1" is not a port; --port takes a number from 0 to 65535'],
    ["echo --port 1e3", '"1e3" is not a port; --port takes a number from 0 to 65535'],
    ["echo --port 0x50", '"0x50" is not a port; --port takes a number from 0 to 65535'],
  ];
  for (const [line, message] of notMeant) {
    it(`says what is wrong with "${line}"`, () => {
      assert.throws(
        () => parseArguments(line.split(" ")),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.equal(error.message, message);
          return true;
        },
      );
    });
  }

  it("keeps an error on one line, whatever the arguments", () => {
    assert.throws(() => parseArguments(["a\nb"]), { message: /^unknown command "a\\nb"; .*$/ });
  });

  it("accepts the options of bench before the command too", () => {
    for (const line of ["bench ws://a/ -p chat --json --deflate", "-p chat --deflate bench --json ws://a/"]) {
      const invocation = parseArguments(line.split(" "));
      assert.ok(invocation.kind === "bench");
      const { url, client } = invocation.load;
      assert.deepEqual([url, client.protocols, client.deflate, invocation.json], ["ws://a/", ["chat"], true, true]);
    }
  });

  it("has one meaning for a name in all commands, with a value in all or none", () => {
    const [values, lettersOf] = [new Map<string, boolean>(), new Map<string, string | undefined>()];
    for (const [name, { short, value }] of Object.values(commands).flatMap(({ options }) => Object.entries(options))) {
      for (const each of [name, ...(short === undefined ? [] : [`-${short}`])]) {
        assert.equal(values.get(each) ?? value !== undefined, value !== undefined, each);
        values.set(each, value !== undefined);
      }
      assert.equal(lettersOf.has(name) ? lettersOf.get(name) : short, short, name);
      lettersOf.set(name, short);
    }
  });
});

describe("commandIn", () => {
  it("finds the command after any options", () => {
    assert.equal(commandIn(["-p", "serve", "--json", "connect", "echo"]), "connect");
    assert.equal(commandIn(["--port", "8080"]), undefined);
    assert.equal(commandIn(["toString"]), undefined);
  });
});
