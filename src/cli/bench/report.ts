import { escapedWords } from "../shared/escape.ts";
import { bar, digits, duration, whole } from "../shared/format.ts";
import type { Histogram } from "./histogram.ts";
import type { LoadOptions } from "./load-options.ts";
import { stepsOf } from "./steps.ts";
import { total, type Counts, type Tally } from "./tally.ts";

const percentiles = [50, 90, 99, 99.9];
const barWidth = 40;

/** The result of a load, for `--json`; sizes in bytes, times in milliseconds. */
export function resultOf(options: LoadOptions, tally: Tally): object {
  const { connections, opening, size, isText, depth, echo, rate, warmup, client } = options;
  const seconds = tally.elapsed / 1000;
  return {
    url: withoutSecrets(options.url),
    load: {
      loop: loopOf(options),
      connections,
      opening,
      size,
      kind: isText ? "text" : "binary",
      depth,
      echo,
      rate: rate ?? null,
      deflate: client.deflate,
      warmup,
    },
    interrupted: tally.interrupted,
    elapsed: tally.elapsed,
    connections: {
      opened: tally.opened,
      failed: total(tally.failures),
      failures: Object.fromEntries(tally.failures),
      statuses: Object.fromEntries(tally.statuses),
      opening: summaryOf(tally.opening),
      closedEarly: tally.closedEarly,
      closes: Object.fromEntries(tally.closes),
      errors: Object.fromEntries(tally.errors),
    },
    messages: {
      sent: tally.sent,
      received: tally.received,
      wrong: tally.wrong,
      lost: tally.lost,
      pending: tally.pending,
      unasked: tally.unasked,
      unsent: tally.unsent,
      sentPerSecond: per(tally.sent, seconds),
      receivedPerSecond: per(tally.received, seconds),
      bytesSent: tally.bytesSent,
      bytesReceived: tally.bytesReceived,
      bytesSentPerSecond: per(tally.bytesSent, seconds),
      bytesReceivedPerSecond: per(tally.bytesReceived, seconds),
    },
    latency: {
      since: rate === undefined ? "sent" : "due",
      ...summaryOf(tally.latency),
      histogram: stepsOf(tally.latency),
    },
    processor: tally.processor,
  };
}

/** The result of a load, as text. */
export function reportOf(options: LoadOptions, tally: Tally): string {
  return [
    ...aboutLoad(options, tally),
    ...aboutConnections(tally),
    ...(options.rate === 0 ? [] : aboutMessages(options, tally)),
    ...aboutLatency(tally),
    ...aboutEnds(tally),
    ...aboutProcessor(tally),
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** The kind of loop: "none" if no messages are sent. */
function loopOf({ rate, echo }: LoadOptions): "open" | "closed" | "none" {
  if (rate === 0 || (rate === undefined && !echo)) return "none";
  return rate === undefined ? "closed" : "open";
}

function aboutLoad(options: LoadOptions, tally: Tally): string[] {
  const { connections, size, isText, depth, rate, echo } = options;
  const kind = `${isText ? "text" : "binary"} messages of ${whole(size)} bytes`;
  const messages = rate === 0 ? "held open" : `${kind}${echo ? `, ${whole(depth)} in flight on each` : ", no answers"}`;
  const early = tally.interrupted ? "; ended early" : "";
  const loops = {
    closed: "closed loop: latency counts from when a message was sent; a slow server is sent less",
    open: `open loop: ${digits(rate ?? 0)} messages a second are due; latency counts from when a message was due`,
    none: undefined,
  };
  const loop = loops[loopOf(options)];
  return [
    row("load", `${whole(connections)} connections to ${withoutSecrets(options.url)}, ${messages}${early}`),
    ...(loop === undefined ? [] : [row("", loop)]),
  ];
}

function aboutConnections(tally: Tally): string[] {
  const failed = total(tally.failures);
  const statuses = tally.statuses.size === 0 ? "" : `; HTTP ${textOf(tally.statuses)}`;
  const lines = [row("connections", `${whole(tally.opened)} opened, ${whole(failed)} failed`)];
  if (failed > 0)
    lines.push(
      row("  failed", `${textOf(tally.failures)}${statuses}`),
      row("", escapedWords(tally.firstFailure ?? "")),
    );
  if (tally.opening.count > 0) lines.push(row("  opening", percentilesOf(tally.opening)));
  return lines;
}

function aboutMessages({ echo }: LoadOptions, tally: Tally): string[] {
  const { sent, received, wrong, lost, pending, unasked, unsent } = tally;
  const seconds = tally.elapsed / 1000;
  const counts = [`${whole(sent)} sent, ${whole(received)} received`];
  if (echo) counts.push(`${whole(wrong)} wrong, ${whole(lost)} lost`);
  else if (lost > 0) counts.push(`${whole(lost)} lost in connections that ended`);
  if (pending > 0) counts.push(`${whole(pending)} not waited for`);
  if (unasked > 0) counts.push(`${whole(unasked)} unasked`);
  const rate = (count: number, bytes: number): string =>
    `${whole(per(count, seconds))} messages/s, ${digits(per(bytes, seconds) / 1e6)} MB/s`;
  const lines = [row("messages", counts.join(", ")), row("  sent", rate(sent, tally.bytesSent))];
  if (echo || received > 0) lines.push(row("  received", rate(received, tally.bytesReceived)));
  if (unsent > 0) {
    lines.push(row("  late", `${whole(unsent)} were due but not sent, for lack of room; they are in no latency`));
  }
  return lines;
}

function aboutLatency({ latency }: Tally): string[] {
  if (latency.count === 0) return [];
  const steps = stepsOf(latency);
  const most = Math.max(...steps.map(({ count }) => count));
  return [
    row("latency", percentilesOf(latency)),
    ...steps.map(({ from, to, count }) => {
      const range = `${duration(from).padStart(7)} to ${duration(to)}`.padEnd(19);
      return row("", `${range}${bar(count / most, barWidth).padEnd(barWidth + 1)}${whole(count)}`);
    }),
  ];
}

function aboutEnds({ closes, closedEarly, errors }: Tally): string[] {
  const lines: string[] = [];
  const early = closedEarly > 0 ? ` (${whole(closedEarly)} before the end)` : "";
  if (closes.size > 0) lines.push(row("closes", `${textOf(closes)}${early}`));
  if (errors.size > 0) lines.push(row("errors", textOf(errors)));
  return lines;
}

/** If this process was busy most of the time, the load measures it rather than the server. */
function aboutProcessor({ processor, elapsed }: Tally): string[] {
  if (elapsed === 0) return [];
  const share = processor / elapsed;
  const limits = share > 0.9 ? ": this process may be the limit" : "";
  return [row("processor", `${duration(processor)} of this process in ${duration(elapsed)}${limits}`)];
}

function row(name: string, text: string): string {
  return `${name.padEnd(13)}${text}`;
}

function percentilesOf(histogram: Histogram): string {
  const between = percentiles.map((percent) => `p${percent} ${duration(histogram.percentile(percent))}`);
  return [`min ${duration(histogram.min)}`, ...between, `max ${duration(histogram.max)}`].join("  ");
}

function summaryOf(histogram: Histogram): object {
  const { count, min, mean, max } = histogram;
  const between = percentiles.map((percent) => [`p${percent}`, histogram.percentile(percent)]);
  return { count, min, mean, ...(Object.fromEntries(between) as object), max };
}

/** The counts, the most frequent first. */
function textOf(counts: Counts): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name}: ${whole(count)}`).join(", ");
}

function per(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0;
}

/** The URL without the parts that may be secret: user, password, query. */
function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return host === "" ? `${protocol}${pathname}` : `${protocol}//${host}${pathname}`;
}
