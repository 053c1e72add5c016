import { checkChoice } from "../../core/internal.ts";
import { handlesWork, knownToWork } from "./handle-check.ts";
import type { ReadWay } from "./node-socket-stream.ts";

/** What drives connections: the handles below Node's sockets, or the sockets. */
export type Transport = "handle" | "socket";

/** How a connection is driven: by its handle, or by a socket of Node.js, which is read in either of two ways. */
export type Way = "handle" | ReadWay;

/** The environment variable that says which, where no option does. */
const variable = "SERVAL_TRANSPORT";

/**
 * The transport to use: the one that is wanted, by the option or else the environment variable, or else handles on Linux
 * and sockets elsewhere; sockets also where handles do not work. Throws `core.invalid_argument` for another word.
 */
export async function chooseTransport(wanted: Transport | undefined): Promise<Transport> {
  return wantedTransport(wanted) === "handle" && (await handlesWork()) ? "handle" : "socket";
}

/** The same without waiting, for one that is known to be wanted; undefined if it is not known yet whether handles work. */
export function knownTransport(wanted: Transport): Transport | undefined {
  if (wanted === "socket") return wanted;
  const works = knownToWork();
  return works === undefined ? undefined : works ? "handle" : "socket";
}

/** The same before it is known whether handles work. */
export function wantedTransport(wanted: Transport | undefined): Transport {
  const words: [Transport, Transport] = process.platform === "linux" ? ["handle", "socket"] : ["socket", "handle"];
  if (wanted !== undefined) return checkChoice("transport", wanted, words);
  // An empty value is how a shell unsets a variable for one command.
  return checkChoice(
    `The environment variable ${variable}`,
    (process.env[variable] || undefined) as Transport | undefined,
    words,
  );
}
