// The direction of imports, as .oxlintrc.json holds it: the real linter, with the real configuration, looks at a small
// tree in which every forbidden and every allowed import occurs, each on a line of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The folders before each folder: those whose index.ts it may import. */
const earlier: Record<string, readonly string[]> = {
  core: [],
  net: ["core"],
  http: ["core"],
  websocket: ["core", "http"],
  client: ["core", "net", "http", "websocket"],
  server: ["core", "net", "http", "websocket"],
  testing: ["core"],
  cli: ["core", "net", "http", "websocket", "client", "server"],
};
const folders = Object.keys(earlier);

/** The files that may import more of Node.js than their folder. `*` is anything. */
const nodeImports: Record<string, readonly string[]> = {
  "core/text.ts": ["node:buffer"],
  "http/file-body.ts": ["*"],
  "http/status.ts": ["node:http"],
  "http/method.ts": ["node:http"],
  "websocket/zlib.ts": ["node:zlib"],
  "websocket/accept-key.ts": ["node:crypto"],
  "net/any.ts": ["*"],
  "client/any.ts": ["*"],
  "server/any.ts": ["*"],
  "cli/any.ts": ["*"],
};
const nodeModules = ["node:buffer", "node:http", "node:zlib", "node:crypto", "node:net", "node:fs/promises"];

/** Every way to import something from a module. */
const forms = (module: string): readonly string[] => [
  `export * from "${module}";`,
  `export { x as x${unique()} } from "${module}";`,
  `export type { T as T${unique()} } from "${module}";`,
  `import { x as x${unique()} } from "${module}";`,
  `import type { T as T${unique()} } from "${module}";`,
  `export const x${unique()} = import("${module}");`,
];

let count = 0;
const unique = (): number => ++count;

interface Case {
  readonly file: string;
  readonly line: string;
  /** The rule that forbids the line, or undefined if it is allowed. */
  readonly rule: string | undefined;
}

function* cases(): Generator<Case> {
  const restricted = "eslint(no-restricted-imports)";
  const rule = (allowed: boolean): string | undefined => (allowed ? undefined : restricted);

  for (const from of folders) {
    const file = `src/${from}/any.ts`;
    for (const to of folders.filter((folder) => folder !== from)) {
      const allowed = earlier[from]!.includes(to);
      for (const line of forms(`../${to}/index.ts`)) yield { file, line, rule: rule(allowed) };
      // Another folder's inner file: core's alone.
      for (const line of forms(`../${to}/inner.ts`)) yield { file, line, rule: rule(allowed && to === "core") };
      yield { file, line: `export type T${unique()} = import("../${to}/index.ts").T;`, rule: "type annotation" };
    }
    for (const line of forms("./inner.ts")) yield { file, line, rule: undefined };
    const never = ["serval", `serval/${from}`, "ws", "../index.ts", "../elsewhere/index.ts", "./../net/index.ts"];
    for (const module of [...never, "../core/../net/index.ts", "fs"]) {
      for (const line of forms(module)) yield { file, line, rule: restricted };
    }
  }

  for (const to of folders) {
    for (const line of forms(`./${to}/index.ts`)) yield { file: "src/index.ts", line, rule: rule(to !== "cli") };
    for (const line of forms(`./${to}/inner.ts`)) yield { file: "src/index.ts", line, rule: restricted };
  }
  for (const line of forms("node:net")) yield { file: "src/index.ts", line, rule: restricted };

  // The optional peer dependencies: one file's alone, which has nothing else of the client's.
  const packages = "src/client/packages.ts";
  for (const module of ["socks", "proxy-from-env"]) {
    for (const line of forms(module)) yield { file: packages, line, rule: undefined };
    for (const line of forms(module)) yield { file: "src/client/any.ts", line, rule: restricted };
  }
  for (const module of ["ws", "socks/inner", "../http/index.ts", "../net/index.ts"]) {
    for (const line of forms(module)) yield { file: packages, line, rule: restricted };
  }

  // The page's scripts, which run in a browser: each other alone.
  const script = "src/cli/page-any.js";
  for (const [module, allowed] of [
    ["./page-inner.js", true],
    ["./inner.ts", false],
    ["../core/index.ts", false],
    ["node:fs", false],
    ["ws", false],
  ] as const) {
    for (const line of forms(module).filter((form) => !/^\w+ type /.test(form))) {
      yield { file: script, line, rule: rule(allowed) };
    }
  }
  for (const name of ["Buffer", "process"]) {
    const line = `export const v${unique()} = ${name};`;
    yield { file: script, line, rule: "eslint(no-restricted-globals)" };
  }

  const plain = folders.map((folder) => `${folder}/any.ts`);
  for (const file of new Set([...plain, ...Object.keys(nodeImports)])) {
    const allowed = nodeImports[file] ?? [];
    for (const module of nodeModules) {
      const may = allowed.includes("*") || allowed.includes(module);
      for (const line of forms(module)) yield { file: `src/${file}`, line, rule: rule(may) };
    }
    // A file with more of Node.js has no more of the folders.
    const folder = file.split("/")[0]!;
    for (const to of folders.filter((other) => other !== folder)) {
      const line = `import type { T as T${unique()} } from "../${to}/index.ts";`;
      yield { file: `src/${file}`, line, rule: rule(earlier[folder]!.includes(to)) };
    }
  }

  for (const folder of ["core", "http", "websocket", "testing"]) {
    for (const name of ["Buffer", "process"]) {
      const line = `export const v${unique()} = ${name};`;
      yield { file: `src/${folder}/any.ts`, line, rule: "eslint(no-restricted-globals)" };
    }
  }

  // A folder that nobody has said anything about imports nothing, and a folder in a folder is one.
  for (const file of ["src/elsewhere/any.ts", "src/http/deeper/any.ts"]) {
    yield { file, line: 'export * from "../core/index.ts";', rule: restricted };
    yield { file, line: 'export * from "../../core/index.ts";', rule: restricted };
  }

  for (const file of ["test/any.test.ts", "bench/any.ts"]) {
    for (const line of forms("serval")) yield { file, line, rule: restricted };
    for (const line of forms("serval/core")) yield { file, line, rule: restricted };
    for (const line of forms("../src/core/index.ts")) yield { file, line, rule: undefined };
    for (const line of forms("ws")) yield { file, line, rule: undefined };
  }

  // Cycles, of values and of types.
  const cycle = "import(no-cycle)";
  yield { file: "src/core/cycle-a.ts", line: 'export { b as a } from "./cycle-b.ts";', rule: cycle };
  yield { file: "src/core/cycle-b.ts", line: 'export { a as b } from "./cycle-a.ts";', rule: cycle };
  yield { file: "src/core/types-a.ts", line: 'export type { B as A } from "./types-b.ts";', rule: cycle };
  yield { file: "src/core/types-b.ts", line: 'import type { A } from "./types-c.ts"; export type B = A;', rule: cycle };
  yield { file: "src/core/types-c.ts", line: 'export type { A } from "./types-a.ts";', rule: cycle };
}

describe("direction of imports", () => {
  const all = [...cases()];
  const folder = mkdtempSync(path.join(tmpdir(), "serval-imports-"));
  /** The files of the tree, each with its lines. */
  const files = new Map<string, string[]>();
  /** What the linter said, by "file:line". */
  const found = new Map<string, string[]>();
  let filesSeen = 0;

  before(() => {
    cpSync(path.join(root, ".oxlintrc.json"), path.join(folder, ".oxlintrc.json"));
    for (const name of folders) {
      for (const file of ["index.ts", "inner.ts"])
        files.set(`src/${name}/${file}`, ["export const x = 1;", "export type T = 1;"]);
    }
    for (const { file, line } of all) files.set(file, [...(files.get(file) ?? []), line]);
    for (const [file, lines] of files) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), `${lines.join("\n")}\n`);
    }
    // Unused names would be reported on lines of ours that are all right.
    const linter = path.join(root, "tools/lint/node_modules/oxlint/bin/oxlint");
    const args = [linter, "--allow=no-unused-vars", "--format=json"];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: Infinity,
    });
    assert.ok(stdout.startsWith("{"), stdout + stderr);
    const report = JSON.parse(stdout) as Report;
    filesSeen = report.number_of_files;
    for (const { code, message, filename, labels } of report.diagnostics) {
      const place = `${filename}:${labels[0]?.span.line}`;
      found.set(place, [...(found.get(place) ?? []), `${code} ${message}`]);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  const reported = ({ file, line }: Case): readonly string[] =>
    found.get(`${file}:${files.get(file)!.indexOf(line) + 1}`) ?? [];

  it("looks at every file", () => {
    assert.equal(filesSeen, files.size);
  });

  it("forbids what is forbidden, by the rule meant for it", () => {
    const forbidden = all.filter(({ rule }) => rule !== undefined);
    assert.ok(forbidden.length > 0);
    const passed = forbidden.filter((each) => !reported(each).some((message) => message.includes(each.rule!)));
    assert.deepEqual(passed, []);
  });

  it("allows what is allowed", () => {
    const allowed = all.filter(({ rule }) => rule === undefined);
    assert.ok(allowed.length > 0);
    const refused = allowed
      .filter((each) => reported(each).length > 0)
      .map((each) => ({ ...each, said: reported(each) }));
    assert.deepEqual(refused, []);
  });
});

interface Report {
  readonly number_of_files: number;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly filename: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
}
