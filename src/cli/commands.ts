import { chatNotes, chatOptions, readChat, type ChatSettings } from "./connect/chat-options.ts";
import { clientOptions, readClient, type ClientSettings } from "./shared/client-options.ts";
import { loadNotes, loadOptions, readLoad, type LoadOptions } from "./bench/load-options.ts";
import type { Given, OptionTable } from "./shared/options.ts";
import {
  readServer,
  readSize,
  serverNotes,
  serverOptions,
  sizeOption,
  type EchoSettings,
  type Where,
} from "./serve/server-options.ts";

/** The name of a command that serves. */
export type ServerName = "echo" | "serve";

/** What a command is to do. */
export type Task =
  | { readonly kind: "run"; readonly command: ServerName; readonly where: Where; readonly echo: EchoSettings }
  | { readonly kind: "connect"; readonly client: ClientSettings; readonly chat: ChatSettings }
  | { readonly kind: "inspect"; readonly client: ClientSettings; readonly json: boolean }
  | { readonly kind: "bench"; readonly load: LoadOptions; readonly json: boolean };

/** A command, as far as it is words. */
export interface Command {
  /** What it is there for, in one line. */
  readonly summary: string;
  /** Whether it takes a URL after its name; it takes no other arguments. */
  readonly takesUrl: boolean;
  readonly options: OptionTable;
  /** What else there is to know: lines of less than 80 characters. */
  readonly notes: string;
  /** What the options say is to be done, with the URL if there is one. Throws `UsageError`. */
  read(given: Given, url: string): Task;
}

/** The options that make sense without a command too. */
export const generalOptions: OptionTable = {
  help: { short: "h", help: "show this help" },
  version: { short: "v", help: "show the version" },
};

const inspectOptions: OptionTable = { json: { help: "print all of it as one line of JSON; times in ms" } };

const inspectNotes = `Shows each step of opening a WebSocket, with its time and the bytes as they
went over the wire, and says what is wrong and what to do about it. Exits with
0 if one could be opened, 1 otherwise.
`;

const server = (name: ServerName, summary: string): Command => ({
  summary,
  takesUrl: false,
  options: { ...serverOptions, ...sizeOption, ...generalOptions },
  notes: serverNotes,
  read: (given) => ({ kind: "run", command: name, ...readServer(given) }),
});

/** The name of a command. */
export type CommandName = ServerName | "connect" | "inspect" | "bench";

/** All commands. */
export const commands: Readonly<Record<CommandName, Command>> = {
  echo: server("echo", "a WebSocket server that sends every message back, at every path"),
  serve: server("serve", "a page to try WebSockets with, at /, and its echo, at /echo"),
  connect: {
    summary: "a WebSocket client: lines in, messages out",
    takesUrl: true,
    options: { ...chatOptions, ...sizeOption, ...clientOptions, ...generalOptions },
    notes: chatNotes,
    read(given, url) {
      const client = readClient(given, url);
      const options = { ...client.options, ...readSize(given) };
      return { kind: "connect", client: { ...client, options }, chat: readChat(given) };
    },
  },
  inspect: {
    summary: "what happens, step by step, when a WebSocket is opened",
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
