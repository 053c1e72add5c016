import { connect as open } from "../../client/index.ts";
import { ServalError, systemClock, type Clock, type CloseInfo } from "../../core/index.ts";
import type { CloseOptions, Stream } from "../../websocket/index.ts";
import type { ChatSettings } from "./chat-options.ts";
import type { ClientSettings } from "../shared/client-options.ts";
import { misuseLine } from "../shared/failure.ts";
import { onSignal } from "../shared/on-signal.ts";
import { Outgoing } from "./outgoing.ts";
import { answered, sendPiped } from "./piped-input.ts";
import { startPrompt } from "./prompt.ts";
import { Quiet } from "../shared/quiet.ts";
import { RoundTrips } from "../shared/round-trips.ts";
import { Screen } from "../shared/screen.ts";
import { isInteractive, type Stdio } from "../shared/stdio.ts";
import { jsonTranscript, textTranscript, type Transcript } from "./transcript.ts";

/**
 * Connects, sends what is typed or piped in, and prints what arrives, until either side closes. Fulfils with the exit
 * code: 0 for a clean end, 1 for any other, 2 for an invalid URL or option.
 */
export async function connect(
  client: ClientSettings,
  chat: ChatSettings,
  stdio: Stdio,
  clock: Clock = systemClock,
): Promise<number> {
  const screen = new Screen(stdio);
  const transcript = chat.json ? jsonTranscript(screen, chat) : textTranscript(screen, stdio, chat);
  const trips = new RoundTrips(clock);
  let ws: Stream;
  try {
    ws = await open(client.url, { ...client.options, control: trips.control });
  } catch (error) {
    if (error instanceof ServalError && error.condition === "misuse") {
      screen.err(misuseLine(error, "connect"));
      return 2;
    }
    await transcript.failed(error);
    return 1;
  }
  return talk(ws, { client, chat, stdio, clock, screen, transcript, trips });
}

interface Talk {
  readonly client: ClientSettings;
  readonly chat: ChatSettings;
  readonly stdio: Stdio;
  readonly clock: Clock;
  readonly screen: Screen;
  readonly transcript: Transcript;
  readonly trips: RoundTrips;
}

async function talk(ws: Stream, { client, chat, stdio, clock, screen, transcript, trips }: Talk): Promise<number> {
  const { stdin } = stdio;
  const quiet = new Quiet(clock);
  let isOurs = false;
  const close = (options?: CloseOptions): Promise<void> => {
    const wasOpen = ws.isOpen;
    const closing = ws.close(options);
    if (wasOpen && !ws.isOpen) isOurs = true;
    return closing;
  };
  const ignoreSignals = onSignal(stdio, () => void close());
  void screen.gone.then(() => close());

  await transcript.opened(client.url, ws);
  const reading = receive(ws, transcript, quiet);
  let sending: Promise<void> = Promise.resolve();
  let inputFailure: unknown;
  const isTyped = isInteractive(stdio);
  const outgoing = new Outgoing(ws, isTyped ? undefined : trips);
  if (isTyped) {
    startPrompt(stdio, { ws, outgoing, screen, trips, binary: chat.binary, close });
  } else {
    const patience = client.options.timeouts.handshake;
    sending = sendPiped(outgoing, stdin, chat.binary);
    const answering = sending.then(() => answered({ ws, trips, quiet, wait: chat.wait, patience }));
    answering.then(
      () => {
        if (chat.wait !== Infinity) void close();
      },
      (error: unknown) => {
        // After the connection has ended, a failure of the input adds nothing.
        if (!ws.isOpen) return;
        inputFailure = error;
        void close();
      },
    );
  }
  const [info, readFailure] = await Promise.all([ws.closed, reading]);
  quiet.stop();
  // Input that was not sent because of this side's own close is no loss.
  const lost = isOurs ? undefined : await outgoing.firstLost(sending, clock);
  ignoreSignals();
  screen.endPrompt();
  stdin.destroy();
  if (screen.isGone) return 0;
  const failure = inputFailure ?? readFailure;
  if (failure !== undefined) await transcript.failed(failure);
  const isExpected = failure === undefined && lost === undefined && isCleanEnd(info, isOurs);
  if (failure === undefined || chat.json) await transcript.closed(info, isExpected);
  if (lost !== undefined) await transcript.lost(lost);
  return isExpected ? 0 : 1;
}

/**
 * Prints every message until the connection ends. Fulfils with the error that ended it, or undefined after an orderly
 * end.
 */
async function receive(ws: Stream, transcript: Transcript, quiet: Quiet): Promise<unknown> {
  try {
    for await (const message of ws) {
      quiet.busy();
      await transcript.message(message);
      quiet.idle();
    }
    return undefined;
  } catch (error) {
    return error instanceof ServalError && error.code === "websocket.closed" ? undefined : error;
  }
}

/** Codes other than 1000 and 1001 report a problem (RFC 6455 section 7.4.1), unless this side asked for the close. */
function isCleanEnd({ code, clean }: CloseInfo, isOurs: boolean): boolean {
  return clean && (isOurs || code === 1000 || code === 1001 || code === 1005);
}
