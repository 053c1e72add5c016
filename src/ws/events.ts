import type { EventEmitter } from "node:events";

// The part of the DOM's interface EventTarget that `ws` has. Its events are not Node's `Event`: a listener is one of the
// emitter's, and an event is made for it alone.

let setTarget: (event: Event, target: unknown) => void;

/** What a listener gets for `open`, and the base of the other events. */
export class Event {
  readonly #type: string;
  #target: unknown = null;

  static {
    setTarget = (event, target) => (event.#target = target);
  }

  constructor(type: string) {
    this.#type = type;
  }

  /** The WebSocket; null until a listener is called. */
  get target(): unknown {
    return this.#target;
  }

  /** The event's name. */
  get type(): string {
    return this.#type;
  }
}

/** What a listener gets for `close`. */
export class CloseEvent extends Event {
  readonly #init: { readonly code?: number; readonly reason?: string; readonly wasClean?: boolean };

  constructor(type: string, init: { code?: number; reason?: string; wasClean?: boolean } = {}) {
    super(type);
    this.#init = init;
  }

  /** The close code; 0 by default. */
  get code(): number {
    return this.#init.code ?? 0;
  }

  /** The reason that goes with the code; empty by default. */
  get reason(): string {
    return this.#init.reason ?? "";
  }

  /** Whether both sides sent a close frame. */
  get wasClean(): boolean {
    return this.#init.wasClean ?? false;
  }
}

/** What a listener gets for `error`. */
export class ErrorEvent extends Event {
  readonly #error: unknown;
  readonly #message: string;

  constructor(type: string, init: { error?: unknown; message?: string } = {}) {
    super(type);
    this.#error = init.error ?? null;
    this.#message = init.message ?? "";
  }

  /** The error; null by default. */
  get error(): unknown {
    return this.#error;
  }

  /** The error's message; empty by default. */
  get message(): string {
    return this.#message;
  }
}

/** What a listener gets for `message`. */
export class MessageEvent extends Event {
  readonly #data: unknown;

  constructor(type: string, init: { data?: unknown } = {}) {
    super(type);
    this.#data = init.data ?? null;
  }

  /** The message: a string for text; for binary, what `binaryType` says. Null by default. */
  get data(): unknown {
    return this.#data;
  }
}

/** Makes getters enumerable, as those of the DOM are. */
function makeEnumerable(prototype: object): void {
  for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (get !== undefined) Object.defineProperty(prototype, name, { enumerable: true });
  }
}
for (const { prototype } of [Event, CloseEvent, ErrorEvent, MessageEvent]) makeEnumerable(prototype);

// ---- listeners ----

/** What a WebSocket has that its listeners need. */
interface Target extends EventEmitter {
  readonly _closeFrameReceived: boolean;
  readonly _closeFrameSent: boolean;
}

/** A listener: a function, or an object with `handleEvent`. */
export type EventListener = ((event: Event) => void) | { handleEvent(event: Event): void };

/** Of a function among the emitter's listeners: the listener that it calls. */
const listenerOf = Symbol("listener");
/** Of such a function: whether its listener is that of an attribute, such as `onmessage`. */
const isAttribute = Symbol("isAttribute");

type Wrapper = ((...args: never[]) => void) & { [listenerOf]?: EventListener; [isAttribute]?: boolean };

/** Makes the event of what the emitter gives its listeners. Other events than these have no DOM listeners. */
const eventOf: Record<string, (target: Target, ...args: never[]) => Event> = {
  open: () => new Event("open"),
  message: (_, data: Buffer, isBinary: boolean) => {
    return new MessageEvent("message", { data: isBinary ? data : data.toString() });
  },
  close: ({ _closeFrameReceived, _closeFrameSent }, code: number, reason: Buffer) => {
    const wasClean = _closeFrameReceived && _closeFrameSent;
    return new CloseEvent("close", { code, reason: reason.toString(), wasClean });
  },
  error: (_, error: Error) => new ErrorEvent("error", { error, message: error.message }),
};
const types = Object.keys(eventOf);

function wrapperOf(type: string, listener: EventListener, forAttribute: boolean): Wrapper {
  const makeEvent = eventOf[type]!;
  const wrapper: Wrapper = function call(this: Target, ...args: never[]) {
    const event = makeEvent(this, ...args);
    setTarget(event, this);
    if (typeof listener === "function") listener.call(this, event);
    else listener.handleEvent(event);
  };
  wrapper[listenerOf] = listener;
  wrapper[isAttribute] = forAttribute;
  return wrapper;
}

const listenersOf = (target: Target, type: string): Wrapper[] => target.listeners(type) as Wrapper[];

const find = (target: Target, type: string, listener: EventListener): Wrapper | undefined =>
  listenersOf(target, type).find((one) => one[listenerOf] === listener && one[isAttribute] !== true);

/**
 * Adds a listener for `open`, `message`, `close` or `error`, unless it is there; another type is ignored. With `once` it
 * is called at most once.
 */
export function addEventListener(
  target: Target,
  type: string,
  listener: EventListener,
  options: { once?: boolean | undefined } = {},
): void {
  if (!types.includes(type) || find(target, type, listener) !== undefined) return;
  const wrapper = wrapperOf(type, listener, false) as (...args: unknown[]) => void;
  if (options.once) target.once(type, wrapper);
  else target.on(type, wrapper);
}

/** Removes a listener that {@link addEventListener} added. */
export function removeEventListener(target: Target, type: string, listener: EventListener): void {
  const wrapper = find(target, type, listener);
  if (wrapper !== undefined) target.removeListener(type, wrapper as () => void);
}

/** Gives a class the attributes `onopen`, `onmessage`, `onclose` and `onerror`; null, or no function, removes one. */
export function defineHandlerAttributes(prototype: object): void {
  for (const type of types) {
    const find = (target: Target): Wrapper | undefined => listenersOf(target, type).find((one) => one[isAttribute]);
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: Target) {
        return find(this)?.[listenerOf] ?? null;
      },
      set(this: Target, listener: unknown) {
        const earlier = find(this);
        if (earlier !== undefined) this.removeListener(type, earlier as () => void);
        if (typeof listener !== "function") return;
        this.on(type, wrapperOf(type, listener as EventListener, true) as (...args: unknown[]) => void);
      },
    });
  }
}
