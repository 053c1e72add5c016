import {
  abortError,
  coreError,
  FlatBuffer,
  ServalError,
  transportError,
  type ByteStream,
  type Peer,
  type Timer,
} from "../../core/index.ts";
import { encodeLatin1, isPromise, offAbort, onAbort } from "../../core/internal.ts";
import { Fields, readHeader, RequestParser, Response, write, type Request } from "../../http/index.ts";
import { thrownBy, websocketError } from "../frames/errors.ts";
import {
  checkUpgrade,
  ownFields,
  refusal,
  switchingHead,
  switchingProtocols,
  type UpgradeRequest,
} from "../handshake/server-rules.ts";
import type { Settings } from "../options/settings.ts";
import { acceptDeflate, type DeflateParameters } from "../handshake/permessage-deflate.ts";
import type { Decision } from "../handshake/upgrade.ts";
import { decisionOf } from "./decision.ts";

/** Where a handshake's request comes from, besides the next layer. */
export interface AcceptInput {
  /** The request, if the caller has read it. */
  request?: Request | undefined;
  /** Bytes that the caller has received: of the request and after it, or after the given request. */
  buffered: readonly Uint8Array[];
  signal?: AbortSignal | undefined;
}

/** What the operation tells its stream. */
export interface AcceptOwner<Data> {
  /** The request's head is known; it may be refused yet. */
  received(request: Request): void;
  /** The outcome. It comes exactly once, never inside `start`. */
  completed(error: ServalError | undefined, accepted: Accepted<Data> | undefined): void;
  /** After an error: the next layer is closed now. */
  ended(): void;
}

/** A successful handshake. */
export interface Accepted<Data> {
  readonly protocol: string;
  readonly data: Data | undefined;
  /** How messages are compressed; undefined where they are not. */
  readonly deflate: DeflateParameters | undefined;
  /** Bytes received after the request: the first frames. */
  readonly rest: Uint8Array;
}

/**
 * The opening handshake in the server role, one for each object: reads the request, lets the hooks look at it, writes
 * the response, all under one deadline.
 */
export class AcceptOperation<Data> {
  readonly #next: ByteStream;
  readonly #settings: Settings<never, Data>;
  readonly #peer: Peer | undefined;
  readonly #owner: AcceptOwner<Data>;
  readonly #buffer: FlatBuffer = new FlatBuffer();
  #timer: Timer | undefined;
  #signal: AbortSignal | undefined;
  /** The outcome was told; what comes later concerns nobody. */
  #completed = false;
  /** It was given up: whatever the next layer still says, the outcome is an error. */
  #aborted = false;
  #ended = false;
  #request: Request | undefined;
  #decision: Decision<Data> | undefined;
  #deflate: DeflateParameters | undefined;
  #refused: ServalError | undefined;
  /** The hook's response failed and a 500 was tried; if that fails too, close. */
  #hopeless = false;

  constructor(next: ByteStream, settings: Settings<never, Data>, peer: Peer | undefined, owner: AcceptOwner<Data>) {
    this.#next = next;
    this.#settings = settings;
    this.#peer = peer;
    this.#owner = owner;
  }

  /** Throws what the next layer says of misuse; then nothing was started. */
  start(input: AcceptInput): void {
    const { request, buffered, signal } = input;
    for (const bytes of buffered) this.#buffer.append(bytes);
    if (signal?.aborted === true) {
      this.abort(abortError(signal));
      return;
    }
    if (request === undefined) {
      const parser = new RequestParser({ maxHeaderSize: this.#settings.maxHeaderSize });
      readHeader(this.#next, this.#buffer, parser, undefined, (error, received) => {
        if (this.#isDecided) return;
        if (parser.request !== undefined) this.#received(parser.request);
        if (error === undefined) this.#judge(received);
        else this.#notRead(error);
      });
    } else {
      this.#received(request);
      this.#judge(request);
    }
    if (this.#isDecided) return;
    if (signal !== undefined) {
      this.#signal = signal;
      onAbort(signal, this.#onAbort);
    }
    const ms = this.#settings.timeouts.server.handshake;
    if (ms !== Infinity) this.#timer = this.#settings.clock.setTimer(ms, this.#onDeadline);
  }

  /** Gives the handshake up, at any step: closes the next layer. */
  abort(error: ServalError): void {
    if (this.#isDecided) return;
    this.#aborted = true;
    this.#next.close();
    this.#endSoon(error);
  }

  #endSoon(error: ServalError): void {
    queueMicrotask(() => {
      this.#complete(error, undefined);
      this.#end();
    });
  }

  readonly #onAbort = (): void => this.abort(abortError(this.#signal!));

  readonly #onDeadline = (): void => {
    if (this.#completed) this.#next.close();
    else this.abort(coreError("core.timeout", { message: "The WebSocket handshake took longer than its deadline" }));
  };

  get #isDecided(): boolean {
    return this.#completed || this.#aborted;
  }

  #received(request: Request): void {
    this.#request = request;
    this.#owner.received(request);
  }

  #notRead(error: ServalError): void {
    // What is none of the parser's errors is the next layer's, and no fault of the request.
    if (!error.code.startsWith("http.")) this.abort(error);
    else if (error.code === "http.end_of_stream")
      this.#leave(websocketError("websocket.closed", { message: "The peer ended before it sent a request" }));
    else if (error.code === "http.header_limit") {
      this.#refuse(websocketError("websocket.buffer_overflow", { cause: error }));
    } else this.#refuse(error);
  }

  #judge(request: Request): void {
    const upgrade = checkUpgrade(request);
    if (upgrade instanceof ServalError) {
      this.#refuse(upgrade, refusal(upgrade, request));
      return;
    }
    const hook = this.#settings.options.upgrade;
    if (hook === undefined) {
      this.#accept(upgrade, {});
      return;
    }
    try {
      const decision = decisionOf(hook(request, this.#peer));
      if (isPromise(decision)) {
        decision.then(
          (settled) => this.#decided(upgrade, settled),
          (error: unknown) => this.#hookFailed(error),
        );
      } else this.#decided(upgrade, decision);
    } catch (error) {
      this.#hookFailed(error);
    }
  }

  #decided(upgrade: UpgradeRequest, decision: Decision<Data>): void {
    if (this.#isDecided) return;
    if (decision instanceof Response) this.#refuse(websocketError("websocket.upgrade_declined"), decision);
    else this.#accept(upgrade, decision);
  }

  #accept(upgrade: UpgradeRequest, decision: Exclude<Decision<Data>, Response>): void {
    this.#decision = decision;
    let response: Response | Uint8Array;
    try {
      const { protocol, headers } = decision;
      if (protocol !== undefined && !upgrade.protocols.includes(protocol)) {
        throw websocketError("websocket.bad_upgrade_result", {
          message: `The upgrade hook chose the subprotocol "${protocol}", which the client did not offer`,
        });
      }
      const { deflate } = this.#settings;
      const agreed = deflate && acceptDeflate(deflate, upgrade.extensions);
      this.#deflate = agreed?.parameters;
      if (headers === undefined && this.#settings.options.decorate === undefined) {
        response = encodeLatin1(switchingHead(upgrade.key, protocol, agreed?.response));
      } else {
        response = switchingProtocols(upgrade.key, protocol, agreed?.response);
        this.#dress(response, headers);
      }
    } catch (error) {
      this.#hookFailed(error);
      return;
    }
    this.#write(response, this.#onAccepted);
  }

  /** Adds what the hooks have to say to a 101, and sees that the handshake is still what it was. */
  #dress(response: Response, headers: Exclude<Decision<Data>, Response>["headers"]): void {
    const before = ownFields.map((name) => response.headers.get(name));
    if (headers !== undefined) {
      for (const [name, value] of new Fields(headers)) response.headers.append(name, value);
    }
    this.#decorate(response);
    const kept = ownFields.every((name, i) => response.headers.get(name) === before[i]);
    if (response.status !== 101 || response.body.length > 0 || !kept) {
      throw websocketError("websocket.bad_upgrade_result", {
        message:
          "upgrade and decorate can add headers to the response, but not change the handshake's own, its status or its body",
      });
    }
  }

  #decorate(response: Response): void {
    const result: unknown = this.#settings.options.decorate?.(response, this.#request);
    if (!isPromise(result)) return;
    // Types let an async function pass; what it rejects with must not end the process.
    result.then(undefined, () => {});
    throw websocketError("websocket.bad_upgrade_result", { message: "decorate can't be async; upgrade can" });
  }

  #hookFailed(thrown: unknown): void {
    if (this.#isDecided) return;
    const error =
      thrown instanceof ServalError
        ? thrown
        : thrownBy("websocket.handler_failed", thrown, "The upgrade or decorate hook failed");
    // The peer gets none of the application's words.
    this.#refuse(error, new Response({ status: 500, body: "The server failed to handle the request\n" }));
  }

  #refuse(error: ServalError, { status, reason, headers, body }: Response = refusal(error)): void {
    this.#refused = error;
    // A copy: an application may refuse many with the same object.
    const response = new Response({ status, reason, headers, body });
    try {
      this.#decorate(response);
    } catch {
      // It is told already why the handshake fails; that its decoration fails too changes nothing.
    }
    // Also where a hook has set it: the connection does end.
    response.headers.set("Connection", "close");
    this.#write(response, this.#onRefused);
  }

  #write(response: Response | Uint8Array, handler: (error: ServalError | undefined) => void): void {
    try {
      // RFC 9110 section 9.3.2: nothing but the head answers HEAD, also where that is not what was asked for.
      if (response instanceof Response) write(this.#next, response, { request: this.#request }, handler);
      else this.#writeBytes(response, handler);
    } catch (thrown) {
      const error = thrown as ServalError;
      if (error.code === "core.operation_pending") {
        // Someone else writes on the next layer: it is theirs, and left as it is.
        this.#aborted = true;
        this.#endSoon(error);
      } else if (this.#hopeless) {
        this.abort(error);
      } else {
        // The application's response can't be sent as it is.
        this.#hopeless = true;
        this.#hookFailed(error);
      }
    }
  }

  #writeBytes(bytes: Uint8Array, handler: (error: ServalError | undefined) => void): void {
    this.#next.writeSome(bytes, (error, written) => {
      if (error !== undefined || written >= bytes.length) {
        handler(error);
        return;
      }
      try {
        this.#writeBytes(bytes.subarray(written), handler);
      } catch (misuse) {
        // Someone else writes on the next layer.
        handler(transportError(misuse));
      }
    });
  }

  readonly #onAccepted = (error: ServalError | undefined): void => {
    if (this.#isDecided) return;
    if (error !== undefined) {
      this.abort(error);
      return;
    }
    const { protocol, data } = this.#decision as Exclude<Decision<Data>, Response>;
    const rest = this.#buffer.data();
    this.#buffer.clear();
    this.#complete(undefined, { protocol: protocol ?? "", data, deflate: this.#deflate, rest });
  };

  readonly #onRefused = (error: ServalError | undefined): void => {
    if (this.#isDecided) return;
    if (error === undefined) this.#leave(this.#refused!);
    else this.abort(error);
  };

  /** Completes with an error and lets the peer read what it was sent: ends our side, and reads to the peer's end. */
  #leave(error: ServalError): void {
    const timer = this.#timer;
    this.#timer = undefined;
    this.#complete(error, undefined);
    // The handler may have closed the next layer, or given it other work to do.
    if (this.#ended) return;
    this.#timer = timer;
    try {
      this.#next.teardown("server", () => this.#end());
    } catch {
      this.#next.close();
      this.#end();
    }
  }

  #complete(error: ServalError | undefined, accepted: Accepted<Data> | undefined): void {
    if (this.#completed) return;
    this.#completed = true;
    this.#release();
    if (error !== undefined) this.#buffer.clear();
    this.#owner.completed(error, accepted);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#owner.ended();
  }

  #release(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
    this.#signal = undefined;
  }
}
