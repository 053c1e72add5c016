import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArguments } from "../../src/cli/arguments.ts";
import { UsageError } from "../../src/cli/options.ts";

describe("parseArguments", () => {
  const run = (command: string, port: number, host: string, echo: object = { deflate: false }): object => ({
    kind: "run",
    command,
    where: { port, host },
    echo,
  });

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
      "serve --max-message-size=1024 --deflate",
      run("serve", 8080, "127.0.0.1", { deflate: true, maxMessageSize: 1024 }),
    ],
    ["--help", { kind: "help", command: undefined }],
    ["-h", { kind: "help", command: undefined }],
    ["echo --help", { kind: "help", command: "echo" }],
    ["--port x serve -h", { kind: "help", command: "serve" }],
    ["--version", { kind: "version" }],
    ["-v", { kind: "version" }],
    ["bench --help", { kind: "help", command: "bench" }],
    ["--help bench", { kind: "help", command: "bench" }],
    ["bench ws://a/ -v", { kind: "version" }],
  ];
  for (const [line, invocation] of meant) {
    it(`understands "${line}"`, () => {
      assert.deepEqual(parseArguments(line === "" ? [] : line.split(" ")), invocation);
    });
  }

  const notMeant: [line: string, message: string][] = [
    ["eco", 'unknown command "eco"; the commands are bench, echo and serve'],
    ["toString", 'unknown command "toString"; the commands are bench, echo and serve'],
    [
      "echo --prot 1",
      'unknown option "--prot"; the options are --port, --host, --deflate, --max-message-size, --help and --version',
    ],
    [
      "echo -x",
      'unknown option "-x"; the options are --port, --host, --deflate, --max-message-size, --help and --version',
    ],
    [
      "echo --toString",
      'unknown option "--toString"; the options are --port, --host, --deflate, --max-message-size, --help and --version',
    ],
    [
      "--no-port",
      'unknown option "--no-port"; the options are --port, --host, --deflate, --max-message-size, --help and --version',
    ],
    ["echo 8080", 'unexpected argument "8080"; ports and hosts need --port and --host'],
    ["echo -- --port", 'unexpected argument "--port"; ports and hosts need --port and --host'],
    ["--port 1", "no command given; the commands are bench, echo and serve"],
    ["--deflate bench ws://a/", "the options of bench stand behind it: serval bench URL [options]"],
    ["bench", "bench needs the URL of a server, such as ws://127.0.0.1:8080/"],
    ["echo --port", "--port needs a value, such as --port 8080"],
    ["echo --port=", "--port needs a value, such as --port 8080"],
    ["echo --host", "--host needs a value, such as --host 127.0.0.1"],
    ["echo --host --port 1", "--host needs a value, such as --host 127.0.0.1"],
    ["echo --max-message-size", "--max-message-size needs a value, such as --max-message-size 1048576"],
    ["echo --max-message-size 1k", '"1k" is no size; --max-message-size takes a number of bytes'],
    ["echo --deflate=9", "--deflate takes no value"],
    ["echo --help=yes", "--help takes no value"],
    ["echo --port http", '"http" is no port; --port takes a number from 0 to 65535'],
    ["echo --port 65536", '"65536" is no port; --port takes a number from 0 to 65535'],
    ["echo --port -1", '"-1" is no port; --port takes a number from 0 to 65535'],
    ["echo --port 1e3", '"1e3" is no port; --port takes a number from 0 to 65535'],
    ["echo --port 0x50", '"0x50" is no port; --port takes a number from 0 to 65535'],
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

  it("reads what is behind bench as its own", () => {
    const invocation = parseArguments(["bench", "ws://a/", "-p", "chat", "--json"]);
    assert.ok(invocation.kind === "bench");
    assert.deepEqual(
      [invocation.load.url, invocation.load.client.protocols, invocation.json],
      ["ws://a/", ["chat"], true],
    );
  });

  it("keeps to one line whatever it was given", () => {
    assert.throws(() => parseArguments(["a\nb"]), { message: /^unknown command "a\\nb"; .*$/ });
  });
});
