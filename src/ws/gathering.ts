/** Something that gathers output, and writes it when it is flushed. */
export interface Gathering {
  /** Writes what was gathered. */
  flush(): void;
  /** The turn of the event loop in which it wrote last. */
  turn: number;
  /** What was being read when its own read began, in a listener of that. */
  outer: Gathering | undefined;
}

/** The number of the turn, and whether its end has been asked for. */
let turn = 0;
let isCounted = false;

function endTurn(): void {
  turn++;
  isCounted = false;
}

/** Whether this output is the first that it sends in this turn; asked once for each. */
export function isFirstInTurn(output: Gathering): boolean {
  if (isCounted && output.turn === turn) return false;
  output.turn = turn;
  if (!isCounted) {
    isCounted = true;
    process.nextTick(endTurn);
  }
  return true;
}

/** What is to be flushed at the end of the turn. */
const waiting = new Set<Gathering>();
/** The innermost read. */
let reading: Gathering | undefined;
let watchesExit = false;

/** Flushes it at the end of the turn, in the async context of this call. */
export function flushLater(output: Gathering): void {
  watchExit();
  waiting.add(output);
  process.nextTick(flushNow, output);
}

function flushNow(output: Gathering): void {
  waiting.delete(output);
  output.flush();
}

/** Its read begins: what it sends gathers. */
export function beginRead(output: Gathering): void {
  output.outer = reading;
  reading = output;
}

/** Its read is over. */
export function endRead(output: Gathering): void {
  reading = output.outer;
  output.outer = undefined;
}

/** What was gathered when the process exits leaves before. */
export function watchExit(): void {
  if (watchesExit) return;
  watchesExit = true;
  process.on("exit", flushAll);
}

function flushAll(): void {
  for (let output = reading; output !== undefined; output = output.outer) output.flush();
  for (const output of waiting) output.flush();
}
