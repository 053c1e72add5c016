/** What still has work to do; each says whether it is done. */
const jobs: (() => boolean)[] = [];

/**
 * Gives a job turns of the event loop until it says that it is done, the first of them outside of this call. All jobs of
 * the process share the turns, one after the other: however many there are, everything else waits for one step at most.
 */
export function inTurns(job: () => boolean): void {
  jobs.push(job);
  if (jobs.length === 1) setImmediate(takeTurn);
}

function takeTurn(): void {
  const job = jobs.shift()!;
  // First of all: a job that throws costs nobody else their turn.
  if (jobs.length > 0) setImmediate(takeTurn);
  if (!job()) inTurns(job);
}
