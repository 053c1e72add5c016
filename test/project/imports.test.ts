// What .oxlintrc.json and tools/lint/rooms.mjs hold: the real linter, with the real configuration, looks at a small tree in
// which every forbidden and every allowed import occurs, each on a line of its own; and impure code, and long files. A
// pattern with a mistake would pass everything in silence. The table of the rooms is written down here a second time.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The folders before each folder: those whose index.ts and internal.ts it may import. */
const earlier: Record<string, readonly string[]> = {
  core: [],
  net: ["core"],
  http: ["core"],
  websocket: ["core", "http"],
  client: ["core", "net", "http", "websocket"],
  server: ["core", "net", "http", "websocket"],
  ws: ["core", "websocket"],
  testing: ["core"],
  cli: ["core", "net", "http", "websocket", "client", "server"],
};
const folders = Object.keys(earlier);
/** The folders that import what users can too, and no internal.ts. */
const onPublic = ["ws"];

/** The rooms of a folder, each with those whose files it may import. */
const rooms: Record<string, Record<string, readonly string[]>> = {
  net: { sockets: [] },
  http: {
    messages: [],
    codec: ["messages"],
    operations: ["messages", "codec"],
    server: ["messages", "codec", "operations"],
    client: ["messages", "codec", "operations"],
  },
  websocket: {
    frames: [],
    deflate: ["frames"],
    handshake: ["frames"],
    options: ["frames", "deflate", "handshake"],
    protocol: ["frames", "deflate", "handshake", "options"],
    connection: ["frames", "deflate", "handshake", "options", "protocol"],
    operations: ["frames", "deflate", "handshake", "options", "protocol", "connection"],
  },
  cli: {
    shared: [],
    page: ["shared"],
    serve: ["shared", "page"],
    connect: ["shared"],
    inspect: ["shared", "connect"],
    bench: ["shared"],
  },
};
const roomsOf = (folder: string): readonly string[] => Object.keys(rooms[folder] ?? {});

/** The rooms without promises, timers and clocks, each with the files that are none of it. */
const pure: Record<string, readonly string[]> = {
  "http/messages": ["message.ts", "read-body.ts"],
  "http/codec": [],
  "websocket/frames": [],
  "websocket/deflate": ["deflate-later.ts", "inflate-later.ts"],
  "websocket/handshake": [],
  "websocket/options": ["settings.ts", "upgrade-hook.ts"],
  "websocket/protocol": [],
};

/** The files that may import more of Node.js than their folder. `*` is anything. */
const nodeImports: Record<string, readonly string[]> = {
  "core/text.ts": ["node:buffer"],
  "http/operations/file-body.ts": ["*"],
  "http/messages/status.ts": ["node:http"],
  "http/messages/method.ts": ["node:http"],
  "websocket/deflate/deflate-later.ts": ["node:zlib"],
  "websocket/deflate/inflate-later.ts": ["node:zlib"],
  "websocket/deflate/zlib.ts": ["node:zlib"],
  "websocket/handshake/accept-key.ts": ["node:crypto"],
};
const onNode = ["net", "client", "server", "ws", "cli"];
const nodeModules = ["node:buffer", "node:http", "node:zlib", "node:crypto", "node:net", "node:fs/promises"];

/** The files of core that are not pure, and what one of them exports that is not for a pure room. */
const impureCore: Record<string, string> = {
  "async-context.ts": "currentContext",
  "attentive-clock.ts": "attentive",
  "abort-guard.ts": "AbortGuard",
  "batch.ts": "Batch",
  "clock.ts": "systemClock",
  "completion.ts": "promised",
  "deadline.ts": "Deadline",
  "duplex.ts": "fromDuplex",
  "on-abort.ts": "onAbort",
  "prefixed-stream.ts": "PrefixedStream",
  "report.ts": "reportError",
  "shared-timer.ts": "SharedTimer",
  "sources.ts": "beginSource",
  "transport-stream.ts": "TransportStream",
  "turn-budget.ts": "turnBudget",
  "web-streams.ts": "fromWebStreams",
};

/** Of http, some of what is not. */
const impureHttp = ["read", "serve", "write", "fileBody", "IncomingBody", "request"];

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

const restricted = "eslint(no-restricted-imports)";
const rule = (allowed: boolean): string | undefined => (allowed ? undefined : restricted);

/** From a file of a folder or room, `name`, so many folders deep, to the other folders and out of the package. */
function* outwards(name: string): Generator<Case> {
  const file = `src/${name}/any.ts`;
  const folder = name.split("/")[0]!;
  const up = "../".repeat(name.split("/").length);
  for (const to of folders.filter((other) => other !== folder)) {
    const allowed = earlier[folder]!.includes(to);
    for (const entry of ["index.ts", "internal.ts"]) {
      // What is impure there is not for a pure room, so it names what it imports.
      const may = (line: string): boolean =>
        allowed &&
        !(name in pure && line.startsWith("export *")) &&
        !(entry === "internal.ts" && onPublic.includes(folder));
      for (const line of forms(`${up}${to}/${entry}`)) yield { file, line, rule: rule(may(line)) };
    }
    for (const inner of ["inner.ts", ...roomsOf(to).map((room) => `${room}/inner.ts`)]) {
      for (const line of forms(`${up}${to}/${inner}`)) yield { file, line, rule: restricted };
    }
    yield { file, line: `export type T${unique()} = import("${up}${to}/index.ts").T;`, rule: "type annotation" };
  }
  for (const line of forms("./inner.ts")) yield { file, line, rule: undefined };
  const never = ["serval", `serval/${folder}`, "ws", `${up}index.ts`, `${up}elsewhere/index.ts`, `./${up}net/index.ts`];
  for (const module of [...never, `${up}core/../net/index.ts`, "fs"]) {
    for (const line of forms(module)) yield { file, line, rule: restricted };
  }
}

/** Between the rooms of a folder, and the files beside them. */
function* between(folder: string): Generator<Case> {
  for (const room of roomsOf(folder)) {
    const file = `src/${folder}/${room}/any.ts`;
    for (const to of roomsOf(folder).filter((other) => other !== room)) {
      for (const line of forms(`../${to}/inner.ts`))
        yield { file, line, rule: rule(rooms[folder]![room]!.includes(to)) };
    }
    for (const beside of ["../index.ts", "../internal.ts", "../inner.ts"]) {
      for (const line of forms(beside)) yield { file, line, rule: restricted };
    }
    for (const line of forms(`./${room}/inner.ts`)) yield { file: `src/${folder}/any.ts`, line, rule: undefined };
  }
}

function* ofNode(): Generator<Case> {
  const plain = [...folders, ...folders.flatMap((folder) => roomsOf(folder).map((room) => `${folder}/${room}`))];
  for (const name of [...plain.map((each) => `${each}/any.ts`), ...Object.keys(nodeImports)]) {
    const file = `src/${name}`;
    const folder = name.split("/")[0]!;
    const allowed = onNode.includes(folder) ? ["*"] : (nodeImports[name] ?? []);
    for (const module of nodeModules) {
      const may = allowed.includes("*") || allowed.includes(module);
      for (const line of forms(module)) yield { file, line, rule: rule(may) };
    }
    // A file with more of Node.js has no more of the folders.
    const up = "../".repeat(name.split("/").length - 1);
    for (const to of folders.filter((other) => other !== folder)) {
      const line = `import type { T as T${unique()} } from "${up}${to}/index.ts";`;
      yield { file, line, rule: rule(earlier[folder]!.includes(to)) };
    }
    if (onNode.includes(folder) || allowed.includes("*")) continue;
    for (const global of ["Buffer", "process"]) {
      yield { file, line: `export const v${unique()} = ${global};`, rule: "eslint(no-restricted-globals)" };
    }
  }
}

/** What is impure, by the rule that says so. */
const impurities = (): readonly (readonly [line: string, rule: string])[] => {
  const [globals, types, awaits] = ["no-restricted-globals", "no-restricted-types", "no-async-await"];
  return [
    [`export const f${unique()} = async () => {};`, awaits!],
    [`export async function f${unique()}() {}`, awaits!],
    [`export async function* f${unique()}() {}`, awaits!],
    [`export const f${unique()} = { async f() {} };`, awaits!],
    [`export class F${unique()} { async f() {} }`, awaits!],
    ["for await (const x of []) x;", "no-top-level-await"],
    [`export const x${unique()} = await import("./inner.ts");`, "no-top-level-await"],
    [`export type T${unique()} = Promise<void>;`, types!],
    [`export function f${unique()}(): PromiseLike<void> { throw 0; }`, types!],
    [`export type T${unique()} = AsyncGenerator<number>;`, types!],
    [`export const f${unique()} = (x: { then(): void }) => x.then();`, "no-restricted-properties"],
    [`export const f${unique()} = () => new Promise(() => {});`, globals!],
    [`export const f${unique()} = () => Promise.resolve();`, globals!],
    [`export const f${unique()} = () => globalThis.setTimeout;`, globals!],
    [`export const f${unique()} = () => Date.now();`, globals!],
    ...["queueMicrotask", "setTimeout", "setInterval", "setImmediate", "performance", "fetch"].map(
      (name) => [`export const f${unique()} = ${name};`, globals!] as const,
    ),
  ];
};

function* ofPurity(): Generator<Case> {
  for (const [name, shell] of Object.entries(pure)) {
    const [folder, room] = name.split("/") as [string, string];
    const file = `src/${name}/any.ts`;
    for (const [line, by] of impurities()) yield { file, line, rule: `(${by})` };
    // A named file may be impure; a pure one has nothing of it, nor what is impure of other folders.
    for (const each of shell) {
      for (const [line] of impurities()) yield { file: `src/${name}/${each}`, line, rule: undefined };
    }
    for (const to of rooms[folder]![room]!) {
      for (const each of pure[`${folder}/${to}`] ?? []) {
        for (const line of forms(`../${to}/${each}`)) yield { file, line, rule: restricted };
      }
    }
    const mayHttp = earlier[folder]!.includes("http");
    for (const impure of [...Object.values(impureCore), ...(mayHttp ? impureHttp : [])]) {
      const from = impureHttp.includes(impure) ? "http" : "core";
      for (const entry of ["index.ts", "internal.ts"]) {
        for (const verb of ["import", "export"]) {
          const line = `${verb} { ${impure} as i${unique()} } from "../../${from}/${entry}";`;
          yield { file, line, rule: restricted };
          if (shell.length > 0) yield { file: `src/${name}/${shell[0]}`, line, rule: undefined };
        }
      }
    }
  }
  // What may be impure may.
  for (const name of ["core", "http/operations", "websocket/connection", "server"]) {
    for (const [line] of impurities().filter(([each]) => !each.includes("await"))) {
      yield { file: `src/${name}/impure.ts`, line, rule: undefined };
    }
  }
}

function* cases(): Generator<Case> {
  for (const folder of folders) {
    yield* outwards(folder);
    for (const room of roomsOf(folder)) yield* outwards(`${folder}/${room}`);
    yield* between(folder);
  }
  yield* ofNode();
  yield* ofPurity();

  for (const to of folders) {
    const isExported = to !== "cli" && to !== "ws";
    for (const line of forms(`./${to}/index.ts`)) yield { file: "src/index.ts", line, rule: rule(isExported) };
    for (const inner of ["inner.ts", "internal.ts"]) {
      for (const line of forms(`./${to}/${inner}`)) yield { file: "src/index.ts", line, rule: restricted };
    }
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
  const script = "src/cli/page/any.js";
  for (const [module, allowed] of [
    ["./inner.js", true],
    ["./inner.ts", false],
    ["../shared/inner.ts", false],
    ["../../core/index.ts", false],
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

  // A folder that nobody has said anything about imports nothing, and neither does a room.
  for (const file of ["src/elsewhere/any.ts", "src/http/deeper/any.ts", "src/http/codec/deeper/any.ts"]) {
    for (const up of ["../", "../../", "../../../"]) {
      yield { file, line: `export * from "${up}core/index.ts";`, rule: restricted };
    }
    yield { file, line: 'export * from "./inner.ts";', rule: restricted };
  }

  for (const file of ["test/any.test.ts", "bench/any.ts"]) {
    for (const line of forms("serval")) yield { file, line, rule: restricted };
    for (const line of forms("serval/core")) yield { file, line, rule: restricted };
    for (const line of forms("../src/core/index.ts")) yield { file, line, rule: undefined };
    for (const line of forms("ws")) yield { file, line, rule: undefined };
  }

  // Cycles, of values and of types, and through a folder's index.ts.
  const cycle = "import(no-cycle)";
  yield { file: "src/core/cycle-a.ts", line: 'export { b as a } from "./cycle-b.ts";', rule: cycle };
  yield { file: "src/core/cycle-b.ts", line: 'export { a as b } from "./cycle-a.ts";', rule: cycle };
  yield { file: "src/core/types-a.ts", line: 'export type { B as A } from "./types-b.ts";', rule: cycle };
  yield { file: "src/core/types-b.ts", line: 'import type { A } from "./types-c.ts"; export type B = A;', rule: cycle };
  yield { file: "src/core/types-c.ts", line: 'export type { A } from "./types-a.ts";', rule: cycle };
  yield { file: "src/http/codec/cycle-a.ts", line: 'export { b as a } from "./cycle-b.ts";', rule: cycle };
  yield { file: "src/http/codec/cycle-b.ts", line: 'export { a as b } from "./cycle-a.ts";', rule: cycle };

  // Length, comments and empty lines included: of a file the last line is marked, of a function the first.
  const [long, fits] = ["eslint(max-lines)", undefined];
  yield { file: "src/core/long.ts", line: `${"// x\n\n".repeat(200)}export const x = 1;`, rule: long };
  yield { file: "src/core/fits.ts", line: `${"// x\n\n".repeat(199)}export const x = 1;`, rule: fits };
  const body = (lines: number): string => `export function f() {\n${"  // x\n".repeat(lines - 2)}}`;
  yield { file: "src/cli/bench/long.ts", line: body(61), rule: "eslint(max-lines-per-function)" };
  yield { file: "src/cli/bench/fits.ts", line: body(60), rule: fits };
}

describe("the rooms of src/", () => {
  const all = [...cases()];
  const folder = mkdtempSync(path.join(tmpdir(), "serval-imports-"));
  /** The files of the tree, each with its lines. */
  const files = new Map<string, string[]>();
  /** What the linter said, by file, and by "file:line". */
  const found = new Map<string, string[]>();
  let filesSeen = 0;
  const coreFiles = readdirSync(path.join(root, "src/core")).filter((file) => !/^(index|internal)\./.test(file));

  before(() => {
    for (const name of [".oxlintrc.json", "tools/lint/rooms.json"])
      cpSync(path.join(root, name), path.join(folder, name));
    const inner = ["export const x = 1;", "export type T = 1;"];
    for (const name of folders) {
      for (const file of ["index.ts", "internal.ts", "inner.ts"]) files.set(`src/${name}/${file}`, inner);
      for (const room of roomsOf(name)) files.set(`src/${name}/${room}/inner.ts`, inner);
    }
    for (const { file, line } of all) files.set(file, [...(files.get(file) ?? []), line]);
    // The files of core as they are, where only pure ones may be.
    for (const file of coreFiles) {
      const text = readFileSync(path.join(root, "src/core", file), "utf8");
      files.set(`src/websocket/frames/core-${file}`, [text]);
    }
    for (const [file, lines] of files) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), lines.join("\n"));
    }
    // Unused names would be reported on lines of ours that are all right, and these files are long.
    const linter = path.join(root, "tools/lint/node_modules/oxlint/bin/oxlint");
    const args = [linter, "--allow=no-unused-vars", "--allow=no-unused-expressions", "--format=json"];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: Infinity,
    });
    assert.ok(stdout.startsWith("{"), stdout + stderr);
    const report = JSON.parse(stdout) as Report;
    filesSeen = report.number_of_files;
    for (const { code, message, filename, labels } of report.diagnostics) {
      const line = labels[0]?.span.line;
      // A file that has all the lines of these tests may be long.
      if (code === "eslint(max-lines)" && /any\.\w+$/.test(filename)) continue;
      const place = `${filename}:${line}`;
      found.set(place, [...(found.get(place) ?? []), `${code} ${message}`]);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What was said of the lines of a case. */
  const reported = ({ file, line }: Case): readonly string[] => {
    const lines = files.get(file)!;
    const first = lines.slice(0, lines.indexOf(line)).join("\n").split("\n").length + (lines[0] === line ? 0 : 1);
    return line.split("\n").flatMap((_, i) => found.get(`${file}:${first + i}`) ?? []);
  };

  it("looks at every file", () => {
    assert.equal(filesSeen, files.size);
  });

  it("forbids each import by the rule meant for it", () => {
    const forbidden = all.filter((each) => each.rule !== undefined);
    assert.ok(forbidden.length > 0);
    const passed = forbidden.filter((each) => !reported(each).some((message) => message.includes(each.rule!)));
    assert.deepEqual(passed, []);
  });

  it("knows every file of core that is impure", () => {
    const impurity = /no-restricted-(globals|types|properties)|no-async-await|no-top-level-await/;
    const impure = coreFiles.filter((file) =>
      [...found].some(
        ([at, said]) => at.startsWith(`src/websocket/frames/core-${file}:`) && impurity.test(said.join()),
      ),
    );
    assert.ok(impure.includes("batch.ts") && impure.includes("completion.ts"));
    // text.ts is of Node.js, and no less pure.
    assert.deepEqual(
      impure.filter((file) => file !== "text.ts" && !Object.hasOwn(impureCore, file)),
      [],
    );
  });

  it("allows the imports that are allowed", () => {
    const allowed = all.filter((each) => each.rule === undefined);
    assert.ok(allowed.length > 0);
    const refused = allowed
      .filter((each) => reported(each).length > 0)
      .map((each) => ({ ...each, said: reported(each) }));
    assert.deepEqual(refused, []);
  });
});

test("the table of the rooms names every folder of src/, and none else", () => {
  const there = readdirSync(path.join(root, "src"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.relative(path.join(root, "src"), path.join(entry.parentPath, entry.name)));
  const named = folders.flatMap((folder) => [folder, ...roomsOf(folder).map((room) => path.join(folder, room))]);
  assert.deepEqual(there.toSorted(), named.toSorted());
});

test("no folder of src/ has more than 30 files", () => {
  const counts = new Map<string, number>();
  for (const entry of readdirSync(path.join(root, "src"), { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
  }
  assert.ok(counts.size > folders.length);
  assert.deepEqual(
    [...counts].filter(([, files]) => files > 30),
    [],
  );
});

test("the package exports an index.ts each, and no internal.ts", () => {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    exports: Record<string, { default: string; types: unknown } | string>;
  };
  for (const [name, entry] of Object.entries(manifest.exports)) {
    if (typeof entry === "string") assert.equal(entry, "./package.json");
    else {
      const file = `./dist/${name === "." ? "" : `${name.slice(2)}/`}index`;
      // What `require` gives of it is the class itself.
      const types = name === "./ws" ? { require: "./dist/ws/commonjs.d.cts", default: `${file}.d.ts` } : `${file}.d.ts`;
      assert.deepEqual(entry, { types, default: `${file}.js` });
    }
  }
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
