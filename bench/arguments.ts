import { parseArgs } from "node:util";
import { peerNames } from "./contenders.ts";
import type { Workload } from "./workload.ts";
import { firstLook, workloads } from "./workloads.ts";

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
    workloads: chosen(words([...(values.only ?? []), ...positionals]), values.quick === true),
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

/** The workloads that one of the words selects; without a word all, or those of a first look. */
function chosen(only: readonly string[], isQuick: boolean): readonly Workload[] {
  if (only.length === 0) return isQuick ? firstLook : workloads;
  const selected = new Set(only.flatMap(selectedBy));
  return workloads.filter((workload) => selected.has(workload));
}

/** A word is a group, or a key, or part of keys and titles. */
function selectedBy(word: string): readonly Workload[] {
  const tries: readonly ((workload: Workload) => boolean)[] = [
    ({ group }) => group === word,
    ({ key }) => key === word,
    ({ key, title }) => word !== "" && (key.includes(word) || title.toLowerCase().includes(word)),
  ];
  for (const matches of tries) {
    const found = workloads.filter(matches);
    if (found.length > 0) return found;
  }
  throw new UsageError(`No workload has "${word}" in its name. There are: ${listed()}`);
}

const listed = (): string => workloads.map(({ key }) => key).join(", ");
const groups = (): readonly string[] => [...new Set(workloads.map(({ group }) => group))];

/** The workloads of a group, one a line. */
function groupHelp(name: string): string {
  const members = workloads.filter(({ group }) => group === name);
  const lines = members.map((workload) => {
    const mark = firstLook.includes(workload) ? "*" : " ";
    return `${mark} ${workload.key.padEnd(18)} ${workload.title}`;
  });
  return `${name}\n${lines.join("\n")}`;
}

/** The text of `--help`. */
export const help = (): string => `npm run bench -- [options] [WORD …]

Measures serval against its peers, each server in a process of its own, in pairs of runs. docs/benchmarks.md
says how to read the table.

  --quick            few and short runs, without a WORD only of the workloads with *: two minutes, for a first look
  WORD …             the workloads of a group, or of this name, or with the word in their names
  --only WORD,…      the same
  --peers NAME,…     compares with these (${peerNames.join(", ")});
                     bun and deno are installed from npm if they are not there
  --against COMMIT   compares with the build of an older commit, and with peers only if --peers names them; the exit
                     code is 1 if a workload has become slower by more than the spread
  --json             prints the results as JSON in the place of the table
  --help             this text

Workloads:
${groups().map(groupHelp).join("\n")}
`;
