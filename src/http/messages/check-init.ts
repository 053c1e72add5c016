import { checkOptions, invalidArgument, isPlainObject, show, type OptionSet } from "../../core/internal.ts";
import { httpError } from "./errors.ts";

// Not declared by `optionSet`: for an unknown option elsewhere, no advice should name a message as its owner.

/** The names of `RequestInit`. */
export const requestInit: OptionSet = {
  taker: "http.Request",
  names: ["method", "target", "version", "headers", "body"],
  example: '{ target: "/chat", headers: { Host: "example.com" } }',
  within: undefined,
};

/** The names of `ResponseInit`. */
export const responseInit: OptionSet = {
  taker: "http.Response",
  names: ["status", "reason", "version", "headers", "body"],
  example: '{ status: 404, body: "text" }',
  within: undefined,
};

/**
 * Refuses an unknown name, as {@link checkOptions} does, a body passed alone or before the options, and another library's message. A server
 * makes a response for each request, so the valid case only compares the names and calls no other function.
 */
export function checkInit(set: OptionSet, init: object, second?: unknown): void {
  if (second !== undefined) throw oneObject(set);
  if (typeof init !== "object" || init === null) return refuse(set, init);
  let isEmpty = true;
  for (const name in init) {
    if (!set.names.includes(name)) return refuse(set, init, name);
    isEmpty = false;
  }
  // For example a promise.
  if (isEmpty) checkOptions(set, init);
}

/** The standard classes take two arguments. */
function oneObject({ taker, example }: OptionSet): Error {
  return invalidArgument(
    `${taker} takes one plain object, such as ${example}; the standard class takes options as its second argument`,
  );
}

function refuse(set: OptionSet, init: object, name = ""): void {
  if (isMessage(init)) throw invalidArgument(`${set.taker}.from makes one of fetch's or Node's`);
  if (isPlainObject(init) && Object.hasOwn(init, name) && Object.hasOwn(elsewhere, name)) {
    const meant = elsewhere[name]!.find((each) => set.names.includes(each));
    if (meant !== undefined) {
      throw invalidArgument(`${set.taker} has no option ${JSON.stringify(name)}: did you mean ${meant}?`);
    }
  }
  checkOptions(set, init);
}

/** The error of a part of a start line that is of another kind; its content is checked when the message is sent. */
export function wrongPart(name: "method" | "target" | "version", value: unknown): Error {
  const kind = name === "version" ? "10 or 11, for HTTP/1.0 and HTTP/1.1" : "a string";
  return httpError(`http.bad_${name}`, { message: `The ${name} must be ${kind}, not ${show(value)}` });
}

/** The error of what `from` gets instead of a message of fetch or of Node. */
export function noMessage(taker: string, given: unknown): Error {
  return invalidArgument(`${taker} takes a message of fetch or of node:http, not ${show(given)}`);
}

/** Whether it is a message of fetch or Node, which have a `url`. */
function isMessage(init: unknown): boolean {
  return typeof init === "object" && init !== null && !isPlainObject(init) && "headers" in init && "url" in init;
}

/** Names that other libraries use, and what they are called here, for requests and for responses. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  code: ["status"],
  content: ["body"],
  data: ["body"],
  httpVersion: ["version"],
  path: ["target"],
  pathname: ["target"],
  statusCode: ["status"],
  statusMessage: ["reason"],
  statusText: ["reason"],
  uri: ["target"],
  url: ["target"],
};
