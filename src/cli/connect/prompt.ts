import { createInterface } from "node:readline";
import type { CloseOptions, Stream } from "../../websocket/index.ts";
import { failureLines } from "../shared/failure.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RoundTrips } from "../shared/round-trips.ts";
import type { Screen } from "../shared/screen.ts";
import type { Stdio } from "../shared/stdio.ts";

const words = `/ping                  measures a round trip by a ping
/close [CODE [REASON]] closes, with 1000 by default
/help                  shows this
//TEXT                 sends /TEXT
Ctrl-C and Ctrl-D close; the arrow keys bring back earlier lines.
`;

/** What a prompt needs. */
export interface PromptOwner {
  readonly ws: Stream;
  readonly outgoing: Pick<Outgoing, "write">;
  readonly screen: Screen;
  readonly trips: RoundTrips;
  /** Whether lines are sent as binary messages. */
  readonly binary: boolean;
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Sends what is typed at a terminal, line by line, until the connection ends. The history of lines lasts for this run
 * only.
 */
export function startPrompt({ stdin, stdout }: Pick<Stdio, "stdin" | "stdout">, owner: PromptOwner): void {
  const { ws, screen } = owner;
  const prompt = createInterface({
    input: stdin,
    output: stdout,
    terminal: true,
    prompt: "> ",
    historySize: 1000,
    removeHistoryDuplicates: true,
  });
  const end = (): void => {
    screen.endPrompt();
    void owner.close();
  };
  prompt.on("SIGINT", end);
  prompt.on("close", end);
  prompt.on("line", (line) => {
    obey(line, owner).catch((error: unknown) => screen.err(`serval: ${failureLines(error).join("\n")}\n`));
    if (ws.isOpen) prompt.prompt();
  });
  screen.startPrompt(prompt);
}

async function obey(line: string, owner: PromptOwner): Promise<void> {
  const { ws, screen, trips } = owner;
  if (!line.startsWith("/") || line.startsWith("//")) {
    const text = line.startsWith("//") ? line.slice(1) : line;
    await owner.outgoing.write(owner.binary ? Buffer.from(text) : text);
    return;
  }
  const [, command = "", rest = ""] = /^\/(\S*)\s*(.*)$/.exec(line)!;
  switch (command) {
    case "ping":
      screen.err(`pong after ${(await trips.ping(ws)).toFixed(1)} ms\n`);
      return;
    case "close": {
      const [, code = "", reason = ""] = /^(\S*)\s*(.*)$/.exec(rest)!;
      await owner.close(code === "" ? {} : { code: Number(code), reason });
      return;
    }
    case "help":
      screen.err(words);
      return;
    default:
      throw new Error(`there is no command /${command}; /help lists the commands, and //${command} sends /${command}`);
  }
}
