// The state of the platform's streams, which Node.js keeps under a symbol.

interface StreamState {
  disturbed: boolean;
  readonly state: string;
  readonly controller: WithState<ByteQueue>;
}

/** The state of the controller of a stream of bytes. */
interface ByteQueue {
  readonly closeRequested: boolean;
  readonly queue: ArrayLike<Chunk> & { peek?(): Chunk };
}

interface Chunk {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

type WithState<State> = Readonly<Record<symbol, State>>;

/** Undefined before it is needed; false if the state can't be reached. */
let place: symbol | false | undefined;

/** Makes a stream one that has been read. Returns false, and changes nothing, if it already is, is locked, or that can't be done. */
export function markRead(stream: ReadableStream): boolean {
  place ??= findPlace();
  return place !== false && mark(stream, place);
}

/**
 * Takes the bytes of a stream of bytes that is closed, and has all of them in one piece or is empty; then it has been
 * read. Undefined, and nothing is changed, for any other.
 */
export function takeQueued(stream: ReadableStream): Uint8Array | undefined {
  place ??= findPlace();
  return place === false ? undefined : take(stream, place);
}

function mark(stream: ReadableStream, place: symbol): boolean {
  const state = (stream as unknown as WithState<StreamState>)[place]!;
  if (state.disturbed || stream.locked) return false;
  return (state.disturbed = true);
}

function take(stream: ReadableStream, place: symbol): Uint8Array | undefined {
  const { state, controller } = (stream as unknown as WithState<StreamState>)[place]!;
  if (!(controller instanceof ReadableByteStreamController)) return undefined;
  const { closeRequested, queue } = (controller as WithState<ByteQueue>)[place]!;
  const isWhole = queue.length === 1 && closeRequested && state === "readable";
  if (!isWhole && (queue.length > 0 || state !== "closed")) return undefined;
  if (!mark(stream, place)) return undefined;
  if (!isWhole) return new Uint8Array(0);
  const { buffer, byteOffset, byteLength } = queue.peek?.() ?? queue[0]!;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function findPlace(): symbol | false {
  try {
    const found = Object.getOwnPropertySymbols(new ReadableStream()).find(
      ({ description }) => description === "kState",
    )!;
    return works(found) && found;
  } catch {
    return false;
  }
}

function works(found: symbol): boolean {
  const bytes = new ReadableStream({
    type: "bytes",
    start(controller) {
      controller.enqueue(Uint8Array.of(1, 2));
      controller.close();
    },
  });
  const empty = new ReadableStream({ type: "bytes", start: (controller) => controller.close() });
  const open = new ReadableStream({ type: "bytes", start: (controller) => controller.enqueue(Uint8Array.of(1)) });
  return (
    take(open, found) === undefined &&
    !isRead(open) &&
    take(bytes, found)?.join() === "1,2" &&
    isRead(bytes) &&
    take(bytes, found) === undefined &&
    take(empty, found)?.length === 0 &&
    isRead(empty) &&
    mark(open, found) &&
    isRead(open) &&
    !mark(open, found)
  );
}

/** Whether the platform takes a stream for one that has been read, which no body can be made of. */
function isRead(stream: ReadableStream): boolean {
  try {
    return new Response(stream).bodyUsed;
  } catch {
    return true;
  }
}
