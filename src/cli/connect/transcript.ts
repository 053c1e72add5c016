import { ServalError, type CloseInfo } from "../../core/index.ts";
import type { MessageData, Stream } from "../../websocket/index.ts";
import type { ChatSettings } from "./chat-options.ts";
import { escaped, escapedLine } from "../shared/escape.ts";
import { failureLines } from "../shared/failure.ts";
import { jsonLine } from "../shared/json-line.ts";
import type { Screen } from "../shared/screen.ts";
import { isInteractive, painter, type Paint, type Stdio } from "../shared/stdio.ts";

/** Reports the events of a connection, as text or as JSON. */
export interface Transcript {
  opened(url: string, ws: Stream): Promise<void>;
  /** Fulfils when there is room for more output. */
  message(message: MessageData): Promise<void>;
  closed(info: CloseInfo, isExpected: boolean): Promise<void>;
  failed(error: unknown): Promise<void>;
  /** The server closed before it came to this message of the input, counted from 1. */
  lost(first: number): Promise<void>;
}

/** Writes one line of JSON for each event. */
export function jsonTranscript(screen: Screen, { binary }: Pick<ChatSettings, "binary">): Transcript {
  const line = (event: object): Promise<void> => screen.out(jsonLine(event));
  return {
    opened: (_url, ws) =>
      line({
        type: "open",
        protocol: ws.protocol,
        extensions: ws.response!.headers.get("Sec-WebSocket-Extensions") ?? "",
      }),
    message: (message) =>
      line(
        typeof message === "string"
          ? { type: "message", kind: "text", data: message }
          : { type: "message", kind: "binary", base64: Buffer.from(message).toString("base64") },
      ),
    closed: ({ code, reason, clean }) => line({ type: "close", code, reason, clean }),
    lost(first) {
      screen.err(lostLine(first, binary));
      return line({ type: "lost", first });
    },
    failed(error) {
      const code = error instanceof ServalError ? error.code : undefined;
      const response = error instanceof ServalError ? error.response : undefined;
      const message = error instanceof Error ? error.message : String(error);
      return line({
        type: "error",
        code,
        message,
        ...(response !== undefined && {
          status: response.status,
          reason: response.reason,
          body: Buffer.from(response.body).toString("utf8"),
        }),
      });
    },
  };
}

/** Writes messages to stdout, the rest to stderr. Success is reported only on a terminal. */
export function textTranscript(screen: Screen, stdio: Stdio, { binary, hex }: ChatSettings): Transcript {
  const interactive = isInteractive(stdio);
  const isTerminal = stdio.stdout.isTTY === true;
  const isRaw = binary && !isTerminal;
  const paint = painter(stdio.stdout, stdio.env);
  const paintErr = painter(stdio.stderr, stdio.env);
  const said = (text: string): void => {
    if (interactive) screen.err(paintErr("dim", `${text}\n`));
  };
  return {
    async opened(url, ws) {
      const extensions = ws.response!.headers.get("Sec-WebSocket-Extensions");
      const agreed = [ws.protocol && `subprotocol ${ws.protocol}`, extensions].filter(Boolean);
      const more = agreed.length > 0 ? ` (${escapedLine(agreed.join("; "))})` : "";
      said(`connected to ${withoutPassword(url)}${more}; /help for help, Ctrl-C to close`);
    },
    message(message) {
      if (isRaw && !(hex && typeof message !== "string")) return screen.out(message);
      const text = typeof message === "string" ? message : hexOf(message);
      const shown = isTerminal ? escaped(text) : text;
      return screen.out(interactive ? aside(shown, typeof message === "string", paint) : `${shown}\n`);
    },
    async closed(info, isExpected) {
      const text = closing(info);
      if (isExpected) said(text);
      else screen.err(paintErr("red", `serval: ${text}\n`));
    },
    async lost(first) {
      screen.err(paintErr("red", lostLine(first, binary)));
    },
    async failed(error) {
      for (const [i, line] of failureLines(error).entries()) {
        screen.err(i === 0 ? paintErr("red", `serval: ${line}\n`) : `${line}\n`);
      }
    },
  };
}

/** A message shown between typed lines. Its further lines are indented, so that none looks like another message. */
function aside(text: string, isText: boolean, paint: Paint): string {
  const mark = isText ? paint("green", "< ") : paint("yellow", "< ");
  return `${mark}${text.replaceAll("\n", "\n  ")}\n`;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("hex")
    .replaceAll(/..(?!$)/g, "$& ");
}

function closing({ code, reason, clean }: CloseInfo): string {
  if (!clean) return "the connection was lost without a closing handshake";
  return `closed with ${code === 1005 ? "no code" : code}${reason === "" ? "" : `: ${escapedLine(reason)}`}`;
}

function lostLine(first: number, binary: boolean): string {
  const what = binary ? "it is lost" : `line ${first} and any after it are lost`;
  return `serval: the server closed before the end of the input: ${what}\n`;
}

/** A URL without its password. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url;
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "***";
  return shown.href;
}
