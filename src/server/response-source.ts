import { markRead } from "../http/internal.ts";

/** The body of a response as undici keeps it: what it was made from, and the stream that would give that. */
interface KeptBody {
  readonly stream: ReadableStream;
  readonly source: unknown;
}

/** Where undici keeps the state of a response. Undefined before the first one; false if it can't be reached, as from Node.js 24 on. */
let place: symbol | false | undefined;

/**
 * The text or bytes that the platform's response was made from, which is used from then on, as if it had been read.
 * Undefined for a response of another kind or another class, and for one whose body is read already; then nothing has
 * changed. To read a text through its stream costs as much as the rest of a request.
 */
export function takeSource(response: Response): string | Uint8Array | undefined {
  place ??= findPlace();
  return place === false ? undefined : takeFrom(response, place);
}

function takeFrom(response: Response, place: symbol): string | Uint8Array | undefined {
  const kept = (response as unknown as Record<symbol, { readonly body?: KeptBody | null } | undefined>)[place]?.body;
  if (kept === undefined || kept === null) return undefined;
  const { stream, source } = kept;
  if (typeof source !== "string" && !(source instanceof Uint8Array)) return undefined;
  // A class made from the platform's may have a body of its own.
  return response.body === stream && markRead(stream) ? source : undefined;
}

function findPlace(): symbol | false {
  try {
    const symbols = Object.getOwnPropertySymbols(new Response());
    const found = symbols.find(({ description }) => description === "state")!;
    return works(found) && found;
  } catch {
    return false;
  }
}

/** Whether sources are what was given, and a response whose source was taken is used. */
function works(found: symbol): boolean {
  const text = new Response("é");
  const bytes = takeFrom(new Response(Uint8Array.of(1, 2)), found);
  const stream = new Response(new ReadableStream());
  return (
    takeFrom(text, found) === "é" &&
    text.bodyUsed &&
    takeFrom(text, found) === undefined &&
    bytes instanceof Uint8Array &&
    bytes.join() === "1,2" &&
    takeFrom(stream, found) === undefined &&
    !stream.bodyUsed
  );
}
