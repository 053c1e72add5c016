import {
  abortError,
  ServalError,
  transportError,
  type ByteStream,
  type Handler,
  type ReadHandler,
} from "../../core/index.ts";
import { encodeLatin1, isPromise, soon } from "../../core/internal.ts";
import { Fields, RequestParser, Response, write, type Request } from "../../http/index.ts";
import { thrownBy, websocketError } from "../frames/errors.ts";
import {
  agree,
  checkUpgrade,
  ownName,
  ownValues,
  refusal,
  switchingHead,
  switchingProtocols,
  type UpgradeRequest,
} from "../handshake/server-rules.ts";
import type { Decision, UpgradeAccepted } from "../handshake/upgrade.ts";
import type { Settings } from "../options/settings.ts";
import type { UpgradeInfo } from "../options/upgrade-hook.ts";
import { decisionOf } from "./decision.ts";
import { checkDecorated, headError, Opening, type HandshakeResult, type OpeningOwner } from "./opening.ts";

/** The source of a handshake's request, besides the next layer. */
export interface AcceptInput {
  /** The request, if the caller has read it. */
  readonly request: Request | undefined;
  /** Bytes that the caller has received: of the request and after it, or after the given request. */
  readonly buffered: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
}

/** The parser that the last handshake is done with, and its limits: most heads arrive whole, so that one serves all. */
let spare: RequestParser | undefined;
let limits = { maxHeaderSize: 0, maxHeadersCount: 0 };

const nothing = new Uint8Array(0);

function takeParser({ maxHeaderSize, maxHeadersCount }: Settings<never>): RequestParser {
  if (limits.maxHeaderSize !== maxHeaderSize || limits.maxHeadersCount !== maxHeadersCount) {
    limits = { maxHeaderSize, maxHeadersCount };
    spare = undefined;
  }
  const parser = spare ?? new RequestParser(limits);
  spare = undefined;
  return parser;
}

/**
 * The opening handshake of a server (RFC 6455 section 4.2), one per object: reads the request, checks it, asks the
 * application, writes the response.
 */
export class ServerHandshake extends Opening implements UpgradeInfo {
  readonly #settings: Settings<never>;
  /** From the first bytes of the request to the end of its head. */
  #parser: RequestParser | undefined;
  /** Made if it is read here. */
  #onRead: ReadHandler | undefined;
  /** The result of the handshake once its response is written. */
  #outcome: HandshakeResult | ServalError | undefined;
  /** Made when the hook asks for the signal. */
  #controller: AbortController | undefined;
  /** Whether the hook's response could not be sent, and a 500 was tried. */
  #isHopeless = false;

  constructor(next: ByteStream, settings: Settings<never>, owner: OpeningOwner, done: Handler) {
    super(next, owner, done);
    this.#settings = settings;
  }

  /** Throws the next layer's misuse errors; then nothing was started. */
  start({ request, buffered, signal }: AcceptInput): void {
    if (signal?.aborted === true) {
      this.abort(abortError(signal));
      return;
    }
    for (const bytes of buffered) this.buffer.append(bytes);
    if (request !== undefined) this.#check(request);
    else if (this.buffered === 0) this.#read();
    else this.#takeBuffered();
    const { time, timeouts } = this.#settings;
    this.limit(time, timeouts.server.handshake, signal);
  }

  /** Takes the bytes that the caller has received. The outcome comes after its call. */
  #takeBuffered(): void {
    let request: Request | undefined;
    let failure: ServalError | undefined;
    try {
      request = this.#parse(nothing);
    } catch (thrown) {
      failure = thrown as ServalError;
    }
    if (request === undefined && failure === undefined) this.#read();
    else soon(this.context, this.#taken, this, failure, request);
  }

  #read(): void {
    this.#onRead ??= (error, bytes) => this.context.runInAsyncScope(this.#received, this, error, bytes);
    this.next.readSome(this.#onRead);
  }

  #received(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    if (this.isSettled) return;
    let request: Request | undefined;
    let failure = error;
    if (error === undefined) {
      try {
        request = this.#parse(bytes);
        if (request === undefined) {
          this.#read();
          return;
        }
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    this.#taken(failure, request);
  }

  /** The request, once its head is whole; then the parser can be used again. */
  #parse(bytes: Uint8Array | undefined): Request | undefined {
    const parser = (this.#parser ??= takeParser(this.#settings));
    this.parse(parser, bytes);
    const { request } = parser;
    if (request === undefined) return undefined;
    this.#parser = undefined;
    parser.reset();
    spare = parser;
    return request;
  }

  /** There is a request, or none will come. */
  #taken(failure: ServalError | undefined, request: Request | undefined): void {
    if (this.isSettled) return;
    if (failure === undefined) {
      this.#check(request!);
      return;
    }
    const error = headError(failure, "The peer ended before it sent a request");
    // An error that is not the parser's comes from the next layer, and is no fault of the request.
    if (!failure.code.startsWith("http.")) this.abort(error);
    else if (error.code === "websocket.closed") this.leave(error);
    else this.#refuse(error, refusal(error));
  }

  /** Checks the request (section 4.2.1). */
  #check(request: Request): void {
    this.request = request;
    const upgrade = checkUpgrade(request);
    if (upgrade instanceof ServalError) this.#refuse(upgrade, refusal(upgrade, request));
    else this.#ask(upgrade);
  }

  /** The hook `upgrade` decides, at once or later; without one every request is accepted. */
  #ask(upgrade: UpgradeRequest): void {
    const { upgrade: hook } = this.#settings.options;
    if (hook === undefined) {
      this.#accept(upgrade, {});
      return;
    }
    try {
      const decision = decisionOf(hook(this.request!, this.owner.peer, this));
      if (isPromise(decision)) {
        this.#watch();
        decision.then(
          (settled) => this.#decided(upgrade, settled),
          (error: unknown) => this.#hookFailed(error),
        );
      } else this.#decided(upgrade, decision);
    } catch (error) {
      this.#hookFailed(error);
    }
  }

  /** The hook's signal. */
  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  /** Ends the handshake if the client goes while the hook's promise is pending. */
  #watch(): void {
    try {
      this.next.watch((failure) => {
        this.abort(
          failure ?? websocketError("websocket.closed", { message: "The client ended before it was answered" }),
        );
      });
    } catch {
      // The next layer is read elsewhere; that reader finds the end.
    }
  }

  protected override failing(error: ServalError): void {
    this.#controller?.abort(error);
  }

  #decided(upgrade: UpgradeRequest, decision: Decision<unknown>): void {
    if (this.isSettled) return;
    if (decision instanceof Response) this.#refuse(websocketError("websocket.upgrade_declined"), decision);
    else this.#accept(upgrade, decision);
  }

  /** Answers with 101 (section 4.2.2). */
  #accept(upgrade: UpgradeRequest, accepted: UpgradeAccepted): void {
    let response: Response | Uint8Array;
    try {
      response = this.#switchingProtocols(upgrade, accepted);
    } catch (error) {
      this.#hookFailed(error);
      return;
    }
    this.#write(response);
  }

  /** The response, as text if no hook adds to it. */
  #switchingProtocols(upgrade: UpgradeRequest, { protocol, headers, data }: UpgradeAccepted): Response | Uint8Array {
    const agreed = agree(upgrade, protocol, this.#settings.deflate);
    this.#outcome = {
      protocol: protocol ?? "",
      data,
      deflate: agreed.deflate,
      rest: this.buffered === 0 ? nothing : this.buffer.data(),
    };
    if (headers === undefined && this.#settings.options.decorate === undefined) {
      return encodeLatin1(switchingHead(agreed));
    }
    const response = switchingProtocols(agreed);
    const own = ownValues(response);
    if (headers !== undefined) {
      for (const [name, value] of new Fields(headers)) response.headers.append(name, value);
    }
    this.#decorate(response);
    const changed = ownValues(response).findIndex((value, i) => value !== own[i]);
    if (changed < 0) return response;
    throw websocketError("websocket.bad_upgrade_result", {
      message:
        "upgrade and decorate can add headers to the response, but not change the handshake's own headers, its status or its body: " +
        `${ownName(changed)} was changed`,
    });
  }

  #decorate(response: Response): void {
    checkDecorated(this.#settings.options.decorate?.(response, this.request));
  }

  #hookFailed(thrown: unknown): void {
    if (this.isSettled) return;
    const error =
      thrown instanceof ServalError
        ? thrown
        : thrownBy("websocket.handler_failed", thrown, "The upgrade or decorate hook failed");
    // The peer sees none of the application's error.
    this.#refuse(error, new Response({ status: 500, body: "The server failed to handle the request\n" }));
  }

  /** Answers an error with its response. */
  #refuse(error: ServalError, { status, reason, headers, body }: Response): void {
    this.#outcome = error;
    // Copies: an application may refuse many requests with the same object; and a hook may add headers, but not make a
    // success of a failure.
    let response = new Response({ status, reason, headers, body });
    try {
      const decorated = new Response(response);
      // The hook's headers may be why the last response could not be sent.
      if (!this.#isHopeless) this.#decorate(decorated);
      response = new Response({ status, reason, headers: decorated.headers, body });
    } catch {
      // The handshake already fails for another reason, which is reported.
    }
    // Even if a hook has set it, since the connection does end.
    response.headers.set("Connection", "close");
    this.#write(response);
  }

  #write(response: Response | Uint8Array): void {
    try {
      // RFC 9110 section 9.3.2: a response to HEAD is only a head, even one that refuses it.
      if (response instanceof Response) {
        write(this.next, response, { request: this.request }, (error) => this.#written(error));
      } else this.#writeBytes(response);
    } catch (thrown) {
      const error = transportError(thrown);
      if (error.code === "core.operation_pending") this.withdraw(error);
      else if (this.#isHopeless) this.abort(error);
      else {
        // The application's response can't be sent as it is.
        this.#isHopeless = true;
        this.#hookFailed(error);
      }
    }
  }

  #writeBytes(bytes: Uint8Array): void {
    this.next.writeSome(bytes, (error, written) =>
      this.context.runInAsyncScope(this.#wrote, this, bytes.subarray(written), error),
    );
  }

  /** Some of the response is written, and these bytes are left of it. */
  #wrote(left: Uint8Array, error: ServalError | undefined): void {
    if (error !== undefined || left.length === 0) {
      this.#written(error);
      return;
    }
    try {
      this.#writeBytes(left);
    } catch (misuse) {
      // The next layer is written to elsewhere.
      this.#written(transportError(misuse));
    }
  }

  #written(error: ServalError | undefined): void {
    if (this.isSettled) return;
    if (error !== undefined) this.abort(error);
    else if (this.#outcome instanceof ServalError) this.leave(this.#outcome);
    else this.succeed(this.#outcome!);
  }
}
