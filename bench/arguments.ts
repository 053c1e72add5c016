import { parseArgs } from "node:util";
import { peerNames } from "./contenders.ts";
import { workloads, type Workload } from "./workloads.ts";

/** What the command line asks for. */
export interface Plan {
  readonly workloads: readonly Workload[];
  /** Names of peers; undefined for those of each workload that are installed. */
  readonly peers?: readonly string[];
  /** A commit whose build is compared with. */
  readonly against?: string;
  readonly quick: boolean;
  readonly json: boolean;
}

/** A command line that can't be carried out; the message says what there is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const options = {
  against: { type: "string" },
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  only: { type: "string", multiple: true },
  peers: { type: "string", multiple: true },
  quick: { type: "boolean" },
} as const;

/** Reads the command line; "help" if that is asked for. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Plan | "help" {
  const { values, positionals } = parsed(args);
  if (values.help === true) return "help";
  const peers = values.peers && words(values.peers);
  for (const name of peers ?? []) {
    if (!peerNames.includes(name)) throw new UsageError(`No peer "${name}". There are: ${peerNames.join(", ")}`);
  }
  return {
    workloads: chosen(words([...(values.only ?? []), ...positionals])),
    ...(peers !== undefined && { peers }),
    ...(values.against !== undefined && { against: values.against }),
    quick: values.quick === true,
    json: values.json === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message.split(". ")[0]}. Options: ${names.join(", ")}`, { cause: error });
  }
}

/** Words separated by commas, of an option that may be given several times. */
function words(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",")).map((word) => word.trim().toLowerCase());
}

/** The workloads whose key or title has one of the words in it; all of them without a word. */
function chosen(only: readonly string[]): readonly Workload[] {
  if (only.length === 0) return workloads;
  const matches = (word: string, { key, title }: Workload): boolean =>
    word !== "" && (key.includes(word) || title.toLowerCase().includes(word));
  for (const word of only) {
    if (!workloads.some((workload) => matches(word, workload))) {
      throw new UsageError(`No workload has "${word}" in its name. There are: ${listed()}`);
    }
  }
  return workloads.filter((workload) => only.some((word) => matches(word, workload)));
}

const listed = (): string => workloads.map(({ key }) => key).join(", ");

/** The text of `--help`. */
export const help = (): string => `npm run bench -- [options] [WORD …]

Measures serval against its peers, each server in a process of its own, in pairs of runs. docs/benchmarks.md
says how to read the table.

  --quick            few and short runs: two minutes, for a first look
  WORD …             the workloads whose name has one of the words in it: floods
  --only WORD,…      the same
  --peers NAME,…     compares with these (${peerNames.join(", ")});
                     bun and deno are installed from npm if they are not there
  --against COMMIT   compares with the build of an older commit, and with peers only if --peers names them; the exit
                     code is 1 if a workload has become slower by more than the spread
  --json             prints the results as JSON in the place of the table
  --help             this text

Workloads:
${workloads.map(({ key, title }) => `  ${key.padEnd(18)} ${title}`).join("\n")}
`;
