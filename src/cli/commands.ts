import { chatNotes, chatOptions, readChat, type ChatSettings } from "./connect/chat-options.ts";
import { clientOptions, readClient, type ClientSettings } from "./shared/client-options.ts";
import { loadNotes, loadOptions, readLoad, type LoadOptions } from "./bench/load-options.ts";
import type { Given, OptionTable } from "./shared/options.ts";
import {
  readServer,
  readSize,
  serverNotes,
  serverOptions,
  sizeOptions,
  type EchoSettings,
  type Where,
} from "./serve/server-options.ts";

/** The name of a command that serves. */
export type ServerName = "echo" | "serve";

/** What the command line asks a command to do, its options read. */
export type Task =
  | { readonly kind: "run"; readonly command: ServerName; readonly where: Where; readonly echo: EchoSettings }
  | { readonly kind: "connect"; readonly client: ClientSettings; readonly chat: ChatSettings }
  | { readonly kind: "inspect"; readonly client: ClientSettings; readonly json: boolean }
  | { readonly kind: "bench"; readonly load: LoadOptions; readonly json: boolean };

/** A command's words and options. */
export interface Command {
  /** The purpose, in one line. */
  readonly summary: string;
  /** Whether a URL follows the command's name. There are no other arguments. */
  readonly takesUrl: boolean;
  readonly options: OptionTable;
  /** Printed after the options; lines of less than 80 characters. */
  readonly notes: string;
  /** Turns the options, and the URL if the command takes one, into a task. Throws `UsageError`. */
  read(given: Given, url: string): Task;
}

/** Options that also work without a command. */
export const generalOptions: OptionTable = {
  help: { short: "h", help: "show this help" },
  version: { short: "v", help: "show the version" },
};

const inspectOptions: OptionTable = { json: { help: "print everything as one line of JSON; times in ms" } };

const inspectNotes = `Opens a WebSocket step by step and shows the time of each step and the bytes
exchanged; then says what is wrong and what to do about it. Exits with 0 if
the WebSocket opened, 1 otherwise.
`;

const server = (name: ServerName, summary: string): Command => ({
  summary,
  takesUrl: false,
  options: { ...serverOptions, ...sizeOptions, ...generalOptions },
  notes: serverNotes,
  read: (given) => ({ kind: "run", command: name, ...readServer(given) }),
});

/** The name of a command. */
export type CommandName = ServerName | "connect" | "inspect" | "bench";

/** All commands. */
export const commands: Readonly<Record<CommandName, Command>> = {
  echo: server("echo", "a WebSocket server that echoes every message, at every path"),
  serve: server("serve", "a page to try WebSockets with, at /, and its echo, at /echo"),
  connect: {
    summary: "a WebSocket client: lines in, messages out",
    takesUrl: true,
    options: { ...chatOptions, ...sizeOptions, ...clientOptions, ...generalOptions },
    notes: chatNotes,
    read(given, url) {
      const client = readClient(given, url);
      const options = { ...client.options, ...readSize(given) };
      return { kind: "connect", client: { ...client, options }, chat: readChat(given) };
    },
  },
  inspect: {
    summary: "shows step by step how a WebSocket opens, and what is wrong",
    takesUrl: true,
    options: { ...inspectOptions, ...clientOptions, ...generalOptions },
    notes: inspectNotes,
    read: (given, url) => ({ kind: "inspect", client: readClient(given, url), json: given.has("json") }),
  },
  bench: {
    summary: "sends messages to a WebSocket server and measures how it answers",
    takesUrl: true,
    options: { ...loadOptions, ...clientOptions, ...generalOptions },
    notes: loadNotes,
    read: (given, url) => ({ kind: "bench", load: readLoad(given, url), json: given.has("json") }),
  },
};

/** The names of all commands. */
export const commandNames: readonly CommandName[] = Object.keys(commands) as CommandName[];
