// A few turns of phrase that make prose hard to read and are easily found. The rule itself is in CONTRIBUTING.md.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The phrases, each with the advice. */
const phrases: readonly (readonly [phrase: RegExp, advice: string])[] = [
  [/\bwho(?:m?ever)\b/i, "name the thing"],
  [/\bnobody's\b/i, "name the thing"],
  [/(?:^|[.:] )(?:Those (?:that|who)|Whatever|Who|What that)\b/, "begin with the subject or the verb"],
  [/[a-z]'s to (?:hear|say|see|tell)\b/i, "say who does what"],
  [/\bcan't be meant\b/i, "say invalid"],
  [/\bin the place of\b/i, "say instead of"],
  // A proxy is in front, what it protects behind it.
  [/^(?!.*(?:prox|nginx|left behind|hide|own timers)).*\bbehind\b/i, "say after"],
];

/** Some prose, and where it is. */
interface Passage {
  readonly place: string;
  readonly text: string;
}

/** The files under a folder of the project whose names have one of these ends, but for installed packages. */
function filesUnder(folder: string, ...ends: string[]): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory()) return ends.some((end) => name.endsWith(end)) ? [name] : [];
    return /^(?:node_modules|\..*)$/.test(entry.name) ? [] : filesUnder(name, ...ends);
  });
}

const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** Finds prose by a pattern; `prose` takes the marks off. */
function passages(file: string, pattern: RegExp, prose: (found: string) => string): Passage[] {
  const source = read(file);
  return [...source.matchAll(pattern)].map((match) => ({
    place: `${file}:${source.slice(0, match.index).split("\n").length}`,
    text: prose(match[0]).replaceAll(/\s+/g, " ").trim(),
  }));
}

/** The comments of a program; comments on lines that follow each other are one. */
const comments = (file: string): Passage[] =>
  passages(file, /\/\*.*?\*\/|(?<![:"'`\w])\/\/ [^\n]*(?:\n\s*\/\/ [^\n]*)*/gs, (found) =>
    found.replaceAll(/^\s*(?:\/\*+|\*+\/|\*|\/\/)/gm, " ").replace("*/", " "),
  );

/** The titles of a file's tests. */
const titles = (file: string): Passage[] =>
  passages(file, /\b(?:describe|it|test)\(\s*(?:"[^"\n]*"|`[^`]*`)/g, (found) => found.replace(/^.*?["`]/s, ""));

/** The paragraphs, list items and table rows of a document, without its programs. */
function paragraphs(file: string): Passage[] {
  const source = read(file).replaceAll(/^```.*?^```/gms, (program) => program.replaceAll(/[^\n]+/g, ""));
  return [...source.matchAll(/(?:^(?!\s*$).+\n?)+/gm)].flatMap((match) =>
    match[0].split(/\n(?=\s*(?:[-|]|\d+\.) )/).map((text) => ({
      place: `${file}:${source.slice(0, match.index).split("\n").length}`,
      text: text.replaceAll(/^\s*(?:[-|]|\d+\.)? /gm, "").replaceAll(/\s+/g, " "),
    })),
  );
}

/** The passages that have one of the phrases. */
function unclear(all: readonly Passage[]): string[] {
  return all.flatMap(({ place, text }) =>
    phrases
      .filter(([phrase]) => phrase.test(text))
      .map(([phrase, advice]) => `${place}: ${advice}: ${phrase.exec(text)![0]} in: ${text}`),
  );
}

describe("words", () => {
  it("of comments are plain", () => {
    const found = filesUnder("src", ".ts", ".js").flatMap(comments);
    assert.ok(found.length > 1000, "finds the comments");
    assert.deepEqual(unclear(found), []);
  });

  it("of test titles are plain", () => {
    const found = filesUnder("test", ".ts").flatMap(titles);
    assert.ok(found.length > 1000, "finds the titles");
    assert.deepEqual(unclear(found), []);
  });

  it("of documents are plain", () => {
    const documents = ["AGENTS.md", "CHANGELOG.md", "README.md", "SECURITY.md", ...filesUnder("docs", ".md")];
    assert.deepEqual(unclear(documents.flatMap(paragraphs)), []);
  });

  it("are found, each by its phrase", () => {
    const bad = ["whoever reads", "nobody's", "It ends. Those that wait go on.", "x's to see", "in the place of"];
    for (const text of [...bad, "can't be meant", "comes behind it"]) {
      assert.equal(unclear([{ place: "a:1", text }]).length, 1, text);
    }
    assert.deepEqual(unclear([{ place: "a:1", text: "behind a trusted proxy, after those that wait" }]), []);
  });
});
