// The rooms of src/: what each may import, and which are pure. The linter wants each pattern for each folder, so rooms.json,
// which .oxlintrc.json extends, is made of this page: by `npm run format`. test/project/imports.test.ts shows that it holds.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Each folder imports `index.ts` and `internal.ts` of those to its left: of these, and of all that are to the left of these. */
const folders = {
  core: [],
  net: ["core"],
  http: ["core"],
  websocket: ["http"],
  client: ["net", "websocket"],
  server: ["net", "websocket"],
  ws: ["websocket"],
  testing: ["core"],
  cli: ["client", "server"],
};

/** The folders that stand on what users have too: of these folders `index.ts`, and nothing else. */
const onPublic = { ws: ["core", "websocket"] };

/** Each room in a folder imports any file of the rooms to its left. The files that stand in no room are to the right of all. */
const rooms = {
  net: {
    sockets: [],
  },
  http: {
    messages: [],
    codec: ["messages"],
    operations: ["codec"],
    server: ["operations"],
    client: ["operations"],
  },
  websocket: {
    frames: [],
    deflate: ["frames"],
    handshake: ["frames"],
    options: ["deflate", "handshake"],
    protocol: ["options"],
    connection: ["protocol"],
    operations: ["connection"],
  },
  cli: {
    shared: [],
    page: ["shared"],
    serve: ["page"],
    connect: ["shared"],
    inspect: ["connect"],
    bench: ["shared"],
  },
};

/** The folders that stand on Node.js. All others name nothing of it, imported or global, but these files. */
const onNode = ["net", "client", "server", "ws", "cli"];
const onNodeToo = {
  "core/text.ts": ["node:buffer"],
  "http/messages/method.ts": ["node:http"],
  "http/messages/status.ts": ["node:http"],
  "http/operations/file-body.ts": ["node:*", "node:*/*"],
  "websocket/deflate/deflate-later.ts": ["node:zlib"],
  "websocket/deflate/inflate-later.ts": ["node:zlib"],
  "websocket/deflate/zlib.ts": ["node:zlib"],
  "websocket/handshake/accept-key.ts": ["node:crypto"],
};

/** The optional packages are one file's alone, which has nothing else of the client's. */
const packages = { "client/packages.ts": ["socks", "proxy-from-env"] };

/** The rooms whose files are synchronous functions of bytes and state, but for those named: no promise, timer or clock. */
const pure = {
  "http/messages": ["message.ts", "read-body.ts"], // a message reads its own body: bytes, text, parts
  "http/codec": [],
  "websocket/frames": [],
  "websocket/deflate": ["deflate-later.ts", "inflate-later.ts"], // on other threads
  "websocket/handshake": [],
  "websocket/options": ["settings.ts", "upgrade-hook.ts"], // the clock is the system's by default; a hook may return a promise
  "websocket/protocol": [],
};

/** What a pure room does not name of the language and the platform. */
const impure = {
  globals: words(`Promise queueMicrotask setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate
    performance Date fetch globalThis MessageChannel AbortController`),
  types: words("Promise PromiseLike AsyncGenerator"),
};

/** The files of core whose exports are not for a pure room, each with those that are all the same. */
const impureCore = {
  "abort-guard.ts": [],
  "async-context.ts": [],
  "attentive-clock.ts": [],
  "batch.ts": [],
  "clock.ts": [],
  "completion.ts": ["checkHandler", "isPromise"],
  "deadline.ts": [],
  "duplex.ts": [],
  "next-layer.ts": ["checkByteStream"],
  "on-abort.ts": ["checkSignal"],
  "prefixed-stream.ts": [],
  "report.ts": [],
  "shared-timer.ts": [],
  // Nothing of a Blob is read before somebody asks for a piece.
  "sources.ts": ["piecesOf"],
  "transport-stream.ts": [],
  "turn-budget.ts": ["cost", "costOf"],
  "web-streams.ts": [],
};

/** What a pure room does not import of core and http, whose index.ts and internal.ts it may import. */
function impureNames() {
  const isImpureCore = ([name, file]) => impureCore[file]?.includes(name) === false;
  const isImpureHttp = ([, file]) => !Object.hasOwn(pure, `http/${file.split("/")[0]}`);
  return [...exportsOf("core").filter(isImpureCore), ...exportsOf("http").filter(isImpureHttp)].map(([name]) => name);
}

/** The values that a folder's index.ts and internal.ts export, each with its file. */
const exportsOf = (folder) =>
  ["index.ts", "internal.ts"].flatMap((entry) => {
    const text = readFileSync(new URL(`../../src/${folder}/${entry}`, import.meta.url), "utf8");
    const lists = [...text.matchAll(/^export \{([^}]*)\} from "\.\/(.*?)";$/gm)];
    return lists.flatMap(([, names, file]) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "" && !name.startsWith("type "))
        .map((name) => [name.replace(/.* as /, ""), file]),
    );
  });

/** The words of a text. */
function words(text) {
  return text.trim().split(/\s+/);
}

/** All to the left of a name, in a table from names to those directly to their left. */
const leftOf = (table, name) => [...new Set(table[name].flatMap((left) => [left, ...leftOf(table, left)]))];

const override = (files, rules) => ({ files, rules });

/** Forbids every import but these, in the patterns of .gitignore; and names, of those. */
function imports(allowed, message, { forbidden = [], names = [] } = {}) {
  const patterns = [{ group: ["**", ...allowed.map((pattern) => `!${pattern}`), ...forbidden], message }];
  // Before the other: what that lets through is looked at no further.
  const regex = "^(\\.\\./)+\\w+/(index|internal)\\.ts$";
  if (names.length > 0) patterns.unshift({ regex, importNames: names, message: "This room is pure." });
  return { "no-restricted-imports": ["error", { patterns }] };
}

/** The folders to the left of a folder, for a file that stands so many folders deep in src/. */
const leftFolders = (folder, depth) =>
  (onPublic[folder] ?? leftOf(folders, folder)).flatMap((left) =>
    (folder in onPublic ? ["index.ts"] : ["index.ts", "internal.ts"]).map(
      (file) => `${"../".repeat(depth)}${left}/${file}`,
    ),
  );

/** What the files directly in a folder may import. */
const inFolder = (folder) => [
  "./*.ts",
  ...Object.keys(rooms[folder] ?? {}).map((room) => `./${room}/*.ts`),
  ...leftFolders(folder, 1),
  ...(onNode.includes(folder) ? ["node:*", "node:*/*"] : []),
];

/** What the files of a room may import. */
const inRoom = (folder, room) => [
  "./*.ts",
  ...leftOf(rooms[folder], room).map((left) => `../${left}/*.ts`),
  ...leftFolders(folder, 2),
  ...(onNode.includes(folder) ? ["node:*", "node:*/*"] : []),
];

/** The impure files of the pure rooms to the left of a pure room, which are not for it. */
const impureFiles = (folder, room) =>
  leftOf(rooms[folder], room).flatMap((left) => (pure[`${folder}/${left}`] ?? []).map((file) => `../${left}/${file}`));

function* overrides() {
  const names = impureNames();
  const message = "tools/lint/rooms.mjs says what a file may import.";
  yield override(["src/**"], imports([], message));
  // `ws` stands in for the package of that name, which nobody else is to load.
  const entries = Object.keys(folders).filter((folder) => folder !== "cli" && folder !== "ws");
  yield override(
    ["src/index.ts"],
    imports(
      entries.map((folder) => `./${folder}/index.ts`),
      message,
    ),
  );

  const allowed = {};
  for (const folder of Object.keys(folders)) {
    allowed[folder] = inFolder(folder);
    yield override([`src/${folder}/*.ts`], imports(allowed[folder], message));
    for (const room of Object.keys(rooms[folder] ?? {})) {
      const name = `${folder}/${room}`;
      allowed[name] = inRoom(folder, room);
      const strict = name in pure ? { forbidden: impureFiles(folder, room), names } : {};
      yield override([`src/${name}/*.ts`], imports(allowed[name], message, strict));
      const shell = (pure[name] ?? []).map((file) => `src/${name}/${file}`);
      if (shell.length > 0) yield override(shell, imports(allowed[name], message));
    }
  }
  // The page's scripts run in a browser, and are one script there.
  yield override(["src/cli/page/*.js"], {
    ...imports(["./*.js"], "The page's scripts import each other alone."),
    "no-restricted-globals": ["error", "Buffer", "process", "global"],
  });
  for (const [file, modules] of Object.entries(onNodeToo)) {
    const name = path.posix.dirname(file);
    const isPure = pure[name]?.includes(path.posix.basename(file)) === false;
    const strict = isPure ? { forbidden: impureFiles(...name.split("/")), names } : {};
    yield override([`src/${file}`], imports([...allowed[name], ...modules], message, strict));
  }
  for (const [file, modules] of Object.entries(packages)) {
    const own = ["./*.ts", "../core/index.ts", "../core/internal.ts", "node:*", "node:*/*"];
    yield override([`src/${file}`], imports([...own, ...modules], message));
  }

  const nodes = ["Buffer", "process", "global"];
  const offNode = Object.keys(folders).filter((folder) => !onNode.includes(folder));
  yield override(
    offNode.map((folder) => `src/${folder}/**`),
    { "no-restricted-globals": ["error", ...nodes] },
  );
  yield override(["src/http/operations/file-body.ts"], { "no-restricted-globals": "off" });

  const isPure = "This room is pure: functions of bytes and state.";
  const globals = [...nodes, ...impure.globals].map((name) => ({ name, message: isPure }));
  yield override(
    Object.keys(pure).map((room) => `src/${room}/*.ts`),
    {
      "no-restricted-globals": ["error", ...globals],
      "no-restricted-properties": ["error", { property: "then", message: isPure }],
      "oxc/no-async-await": "error",
      "node/no-top-level-await": "error",
      "typescript/no-restricted-types": [
        "error",
        { types: Object.fromEntries(impure.types.map((name) => [name, isPure])) },
      ],
    },
  );
  const shell = Object.entries(pure).flatMap(([room, files]) => files.map((file) => `src/${room}/${file}`));
  yield override(shell, {
    "no-restricted-globals": ["error", ...nodes],
    "no-restricted-properties": "off",
    "oxc/no-async-await": "off",
    "node/no-top-level-await": "off",
    "typescript/no-restricted-types": "off",
  });
}

const file = fileURLToPath(new URL("rooms.json", import.meta.url));
const made = () =>
  `{\n  "overrides": [\n${[...overrides()].map((each) => `    ${JSON.stringify(each)}`).join(",\n")}\n  ]\n}\n`;

/** Whether rooms.json is what this page and the exports of core and http say. */
export const isCurrent = () => readFileSync(file, "utf8") === made();

/** Makes rooms.json. */
export const write = () => writeFileSync(file, made());
