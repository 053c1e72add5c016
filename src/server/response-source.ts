/** The body of a response as undici keeps it: what it was made from, and the stream that would give that. */
interface KeptBody {
  readonly stream: ReadableStream;
  readonly source: unknown;
}

/** Where undici and Node.js keep the state of a response, and that of its stream. */
interface Places {
  readonly response: symbol;
  readonly stream: symbol;
}

type WithState<State> = Readonly<Record<symbol, State>>;

/** Undefined before the first response; false if the state can't be reached, as from Node.js 24 on. */
let places: Places | false | undefined;

/**
 * The text or bytes that the platform's response was made from, which is used from then on, as if it had been read.
 * Undefined for a response of another kind or another class, and for one whose body is read already; then nothing has
 * changed. To read a text through its stream costs as much as the rest of a request.
 */
export function takeSource(response: Response): string | Uint8Array | undefined {
  places ??= findPlaces();
  return places === false ? undefined : takeFrom(response, places);
}

function takeFrom(response: Response, places: Places): string | Uint8Array | undefined {
  const kept = (response as unknown as WithState<{ readonly body?: KeptBody | null } | undefined>)[places.response]
    ?.body;
  if (kept === undefined || kept === null) return undefined;
  const { stream, source } = kept;
  if (typeof source !== "string" && !(source instanceof Uint8Array)) return undefined;
  // A class made from the platform's may have a body of its own.
  if (response.body !== stream || stream.locked) return undefined;
  const state = (stream as unknown as WithState<{ disturbed: boolean }>)[places.stream]!;
  if (state.disturbed) return undefined;
  state.disturbed = true;
  return source;
}

function findPlaces(): Places | false {
  try {
    const response = new Response("é");
    const found = {
      response: symbolOf(response, "state"),
      stream: symbolOf(response.body!, "kState"),
    };
    return works(found) && found;
  } catch {
    return false;
  }
}

function symbolOf(object: object, name: string): symbol {
  return Object.getOwnPropertySymbols(object).find(({ description }) => description === name)!;
}

/** Whether sources are what was given, and a response whose source was taken is used. */
function works(found: Places): boolean {
  const text = new Response("é");
  const bytes = new Response(Uint8Array.of(1, 2));
  const stream = new Response(new ReadableStream());
  const taken = takeFrom(bytes, found);
  return (
    takeFrom(text, found) === "é" &&
    text.bodyUsed &&
    takeFrom(text, found) === undefined &&
    taken instanceof Uint8Array &&
    taken.join() === "1,2" &&
    takeFrom(stream, found) === undefined &&
    !stream.bodyUsed
  );
}
