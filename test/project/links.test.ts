import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// Links of the documentation to its own files and headings, and the paths that it names. Links to other sites are not checked.

const root = fileURLToPath(new URL("../../../", import.meta.url));

const documents = [".", "docs"].flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join(root, folder, file)),
);

/** A document without its programs. */
const prose = (file: string): string => readFileSync(file, "utf8").replaceAll(/^```.*?^```/gms, "");

/** The anchors that GitHub gives a document's headings. */
const anchors = (file: string): string[] =>
  [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

/** What is wrong with a link, if anything is. */
function wrong(from: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = "", anchor] = link.split("#");
  const to = file === "" ? from : path.join(path.dirname(from), file);
  const isThere = existsSync(to) && (anchor === undefined || anchors(to).includes(anchor));
  return isThere ? undefined : `${path.relative(root, from)} links to ${link}`;
}

/** Paths of the project in code marks, such as `test/rfc/` and `http/messages/grammar.ts`: of its root, or of src. */
const paths = (file: string): string[] =>
  [...prose(file).matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(([, found]) => found!);

test("paths in the map and the rules exist", () => {
  const named = ["AGENTS.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/decisions.md"].flatMap((file) =>
    paths(path.join(root, file)).map((found) => [file, found] as const),
  );
  assert.ok(named.length > 50);
  assert.deepEqual(
    named.filter(([, found]) => ![".", "src"].some((folder) => existsSync(path.join(root, folder, found)))),
    [],
  );
});

test("links have targets", () => {
  const links = documents.flatMap((file) =>
    [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => [file, link!] as const),
  );
  assert.ok(links.length > 50);
  assert.deepEqual(
    links.map(([file, link]) => wrong(file, link)).filter((problem) => problem !== undefined),
    [],
  );
});
