import { ServalError } from "../core/index.ts";
import type { Server } from "../server/index.ts";
import { commandIn, parseArguments, type Invocation } from "./arguments.ts";
import { bench } from "./bench/bench.ts";
import type { ServerName, Task } from "./commands.ts";
import { connect } from "./connect/connect.ts";
import { drainOnSignal } from "./serve/drain-on-signal.ts";
import { echo } from "./serve/echo.ts";
import { failureLine } from "./shared/failure.ts";
import { help } from "./help.ts";
import { inspect } from "./inspect/inspect.ts";
import { UsageError } from "./shared/options.ts";
import type { Output } from "./shared/output.ts";
import { servePage } from "./serve/serve-page.ts";
import type { EchoSettings, Where } from "./serve/server-options.ts";
import type { Stdio } from "./shared/stdio.ts";
import { version } from "./version.ts";

interface ServerCommand {
  start(where: Where, settings: EchoSettings): Promise<Server>;
  readonly path: string;
}

const servers: Readonly<Record<ServerName, ServerCommand>> = {
  echo: { start: echo, path: "/" },
  serve: { start: servePage, path: "/echo" },
};

/**
 * Does what the arguments ask for. Fulfils with the exit code: 0 for success, 1 for a failure, 2 for invalid arguments.
 * For a server it fulfils after the server has closed.
 */
export async function runCommand(args: readonly string[], output: Output, stdio: Stdio = process): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parseArguments(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Under `npm start` the command may not be in the user's path.
    const program = process.env["npm_lifecycle_event"] === "start" ? ["npm start --"] : ["serval", commandIn(args)];
    output.err(`serval: ${error.message}; see ${[...program, "--help"].filter(Boolean).join(" ")}\n`);
    return 2;
  }
  switch (invocation.kind) {
    case "help":
      output.out(help(invocation.command));
      return 0;
    case "version":
      output.out(`${version()}\n`);
      return 0;
    case "nothing":
      output.err(help());
      return 2;
    case "run":
      return run(invocation, output);
    case "connect":
      return connect(invocation.client, invocation.chat, stdio);
    case "inspect":
      return inspect(invocation.client, invocation.json, stdio);
    case "bench":
      return bench(invocation.load, invocation.json, output);
  }
}

async function run(
  { command, where, echo: settings }: Extract<Task, { kind: "run" }>,
  output: Output,
): Promise<number> {
  const { start, path } = servers[command];
  let server: Server;
  try {
    server = await start(where, settings);
  } catch (error) {
    output.err(`serval: ${whyNot(error, where)}\n`);
    return 1;
  }
  const { unix } = server.address;
  const place = unix === undefined ? server.url : `unix:${unix}`;
  output.out(`serval ${command} listening on ${place} (${webSocketUrl(server.url, path)})\n`);
  await drainOnSignal(server, output);
  return 0;
}

/** The WebSocket's URL, in the form that `serval connect` takes. */
function webSocketUrl(url: string, path: string): string {
  return `${url.replace(/^http/, "ws")}${path}`;
}

/** Why a server did not start, and what to do about it, in one line. */
function whyNot(error: unknown, { port, host, unix }: Where): string {
  const message = failureLine(error);
  if (unix !== undefined) return message;
  switch (error instanceof ServalError ? error.code : undefined) {
    case "net.address_in_use":
      return `port ${port} of ${host} is in use; stop the server that uses it, or choose another with --port (0 for any free one)`;
    case "net.access_denied":
      return `this user may not listen on port ${port} of ${host}; choose a port above 1023 with --port`;
    case "net.bad_address":
      return `${message}; --host takes an address or name of this machine`;
    default:
      return message;
  }
}
