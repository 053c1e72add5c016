import { escaped, escapedLine, escapedWords } from "../shared/escape.ts";
import { bodyLines } from "../shared/failure.ts";
import type { Exchange, Inspection, StepName } from "./inspection.ts";
import type { Paint } from "../shared/stdio.ts";

/** An inspection as text. Everything that the server sent is escaped. */
export function inspectionText(found: Inspection, paint: Paint): string {
  const report = new Report(found, paint);
  addConnection(report, found);
  addHandshake(report, found);
  addEnd(report, found);
  const { failure, opened, verdict, url } = found;
  const color = failure === undefined ? "green" : opened ? "yellow" : "red";
  return `${paint("dim", escapedLine(url))}\n${report.lines.join("\n")}\n\n${paint(color, verdict)}\n`;
}

/** Collects the lines of an inspection's text. */
class Report {
  readonly lines: string[] = [];
  readonly paint: Paint;
  readonly #failure: Inspection["failure"];

  constructor({ failure }: Inspection, paint: Paint) {
    this.#failure = failure;
    this.paint = paint;
  }

  /** Adds the line of a step. */
  add(step: StepName, ms: number | undefined, text: string): void {
    const { paint } = this;
    const mark = this.#failure?.step === step ? paint("red", "✗") : paint("green", "✓");
    const time = ms === undefined ? "" : `${ms.toFixed(1)} ms`;
    this.lines.push(`${mark} ${step.padEnd(10)}${paint("dim", time.padStart(10))}  ${text}`);
  }

  /** Adds a line under the last step's line. */
  more(text: string): void {
    this.lines.push(`${" ".repeat(24)}${text}`);
  }

  /** Adds the request and response of a step. */
  exchange(exchange: Exchange): void {
    this.lines.push(...exchangeLines(exchange, this.paint));
  }

  /** The failure's message if the inspection failed in this step. */
  wrong(step: StepName): string | undefined {
    return this.#failure?.step === step ? escapedWords(this.#failure.message) : undefined;
  }
}

function addConnection(report: Report, { dns, tcp, proxy, tls }: Inspection): void {
  if (dns !== undefined) report.add("dns", dns.ms, `${dns.host} is ${dns.addresses.join(", ")}`);
  if (tcp !== undefined) {
    report.add("tcp", tcp.ms, `connected to ${tcp.address}`);
    for (const { address, ms, message } of tcp.failed)
      report.more(`not to ${address}, after ${ms.toFixed(1)} ms: ${escapedLine(message)}`);
  }
  if (proxy !== undefined) {
    report.add("proxy", proxy.ms, report.wrong("proxy") ?? `a tunnel through ${proxy.url}`);
    report.exchange(proxy);
  }
  if (tls !== undefined) {
    const { version, cipher, alpn, certificate, trusted, reason } = tls;
    report.add("tls", tls.ms, `${version ?? "unknown version"}, ${cipher ?? "unknown cipher"}, ALPN ${alpn ?? "none"}`);
    if (certificate !== undefined) {
      report.more(`certificate of ${escapedLine(certificate.subject)}, issued by ${escapedLine(certificate.issuer)}`);
      report.more(`for ${escapedLine(certificate.names || "no names")}, valid to ${escapedLine(certificate.validTo)}`);
    }
    report.more(trusted ? "trusted" : report.paint("yellow", `not trusted: ${reason}`));
  }
}

function addHandshake(report: Report, { handshake, opened, ping }: Inspection): void {
  if (handshake !== undefined) {
    const { protocol, extensions } = handshake;
    report.add("handshake", handshake.ms, report.wrong("handshake") ?? "switched to WebSocket");
    report.exchange(handshake);
    if (opened) {
      report.more(`subprotocol: ${escapedLine(protocol) || "none"}; extensions: ${escapedLine(extensions) || "none"}`);
    }
  }
  if (ping !== undefined) {
    const { min, median, max, times } = ping;
    const spread = `min ${min.toFixed(1)}, median ${median.toFixed(1)}, max ${max.toFixed(1)} ms`;
    report.add("ping", undefined, `${times.length} times: ${spread}`);
  }
}

function addEnd(report: Report, found: Inspection): void {
  const { close, messages, failure } = found;
  if (failure !== undefined && found[failure.step] === undefined) {
    report.add(failure.step, failure.ms, report.wrong(failure.step)!);
  }
  if (close !== undefined) {
    const { code, reason, clean } = close;
    const text = clean
      ? `closed with ${code}${reason === "" ? "" : `: ${escapedLine(reason)}`}`
      : "ended without a closing handshake";
    report.add("close", close.ms, text);
  }
  if (messages !== undefined && messages > 0)
    report.more(`the server sent ${messages} message${messages === 1 ? "" : "s"} meanwhile`);
}

/** A request and response: the heads whole, and the first lines of a body. */
function exchangeLines({ request, response }: Exchange, paint: Paint): string[] {
  const marked = (text: string, mark: string): string[] =>
    text === ""
      ? []
      : text
          .replace(/(?:\r\n)+$/, "")
          .split("\r\n")
          .map((line) => `  ${paint("dim", mark)} ${escapedLine(line)}`);
  const end = response.indexOf("\r\n\r\n");
  if (!response.startsWith("HTTP/") || end === -1) {
    const rest = bodyLines(Buffer.from(response, "latin1"));
    return [...marked(request, ">"), ...rest.map((line) => `  ${paint("dim", "<")}${escaped(line)}`)];
  }
  const body = bodyLines(Buffer.from(response.slice(end + 4), "latin1"));
  return [
    ...marked(request, ">"),
    ...marked(response.slice(0, end), "<"),
    ...body.map((line) => `  ${paint("dim", "<")}${line}`),
  ];
}
