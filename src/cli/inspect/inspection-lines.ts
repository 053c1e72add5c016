import { escaped, escapedLine, escapedWords } from "../shared/escape.ts";
import { bodyLines } from "../shared/failure.ts";
import type { Exchange, Inspection, StepName } from "./inspection.ts";
import type { Paint } from "../shared/stdio.ts";

/** An inspection as text for people. What a server said is escaped. */
export function inspectionText(found: Inspection, paint: Paint): string {
  const { dns, tcp, proxy, tls, handshake, ping, close, messages, failure } = found;
  const lines: string[] = [];
  const add = (step: StepName, ms: number | undefined, text: string): void => {
    const isBad = failure?.step === step;
    const mark = isBad ? paint("red", "✗") : paint("green", "✓");
    const time = ms === undefined ? "" : `${ms.toFixed(1)} ms`;
    lines.push(`${mark} ${step.padEnd(10)}${paint("dim", time.padStart(10))}  ${text}`);
  };
  /** Below what is in the step's line. */
  const more = (text: string): void => void lines.push(`${" ".repeat(24)}${text}`);
  const wrong = (step: StepName): string | undefined =>
    failure?.step === step ? escapedWords(failure.message) : undefined;

  if (dns !== undefined) add("dns", dns.ms, `${dns.host} is ${dns.addresses.join(", ")}`);
  if (tcp !== undefined) {
    add("tcp", tcp.ms, `connected to ${tcp.address}`);
    for (const { address, ms, message } of tcp.failed)
      more(`not to ${address}, after ${ms.toFixed(1)} ms: ${escapedLine(message)}`);
  }
  if (proxy !== undefined) {
    add("proxy", proxy.ms, wrong("proxy") ?? `a tunnel through ${proxy.url}`);
    lines.push(...exchangeLines(proxy, paint));
  }
  if (tls !== undefined) {
    const { version, cipher, alpn, certificate, trusted, reason } = tls;
    add("tls", tls.ms, `${version ?? "unknown version"}, ${cipher ?? "unknown cipher"}, ALPN ${alpn ?? "none"}`);
    if (certificate !== undefined) {
      more(`certificate of ${escapedLine(certificate.subject)}, issued by ${escapedLine(certificate.issuer)}`);
      more(`for ${escapedLine(certificate.names || "no names")}, valid to ${escapedLine(certificate.validTo)}`);
    }
    more(trusted ? "trusted" : paint("yellow", `not trusted: ${reason}`));
  }
  if (handshake !== undefined) {
    const { protocol, extensions } = handshake;
    add("handshake", handshake.ms, wrong("handshake") ?? "switched to WebSocket");
    lines.push(...exchangeLines(handshake, paint));
    if (found.opened) {
      more(`subprotocol: ${escapedLine(protocol) || "none"}; extensions: ${escapedLine(extensions) || "none"}`);
    }
  }
  if (ping !== undefined) {
    const { min, median, max, times } = ping;
    add(
      "ping",
      undefined,
      `${times.length} times: min ${min.toFixed(1)}, median ${median.toFixed(1)}, max ${max.toFixed(1)} ms`,
    );
  }
  if (failure !== undefined && found[failure.step] === undefined) {
    add(failure.step, failure.ms, wrong(failure.step)!);
  }
  if (close !== undefined) {
    const { code, reason, clean } = close;
    const text = clean
      ? `closed with ${code}${reason === "" ? "" : `: ${escapedLine(reason)}`}`
      : "ended without a closing handshake";
    add("close", close.ms, text);
  }
  if (messages !== undefined && messages > 0)
    more(`the server sent ${messages} message${messages === 1 ? "" : "s"} meanwhile`);
  lines.push("", paint(failure === undefined ? "green" : found.opened ? "yellow" : "red", found.verdict));
  return `${paint("dim", escapedLine(found.url))}\n${lines.join("\n")}\n`;
}

/** What went over the wire: heads whole, of a body the first lines. */
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
