// What compiles and what does not: the compiler checks this file with all tests. Nothing here is called.
import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { Http2SecureServer } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import { test } from "node:test";
import { Response as HttpResponse } from "../../../src/http/index.ts";
import { mount, serve, type MountOptions, type ServeOptions, type ServerWebSocket } from "../../../src/server/index.ts";

interface User {
  readonly user: string;
}

declare const http: HttpServer;
declare const others: HttpsServer | Http2SecureServer;
declare const application: EventEmitter & { (): void; listen(): HttpServer };

/** The type of a value, exactly. */
type Is<Expected> = <Actual>(value: Actual, same: [Actual, Expected] extends [Expected, Actual] ? true : false) => void;
declare const isString: Is<string>;
declare const isUnknown: Is<unknown>;
declare const mayBeUser: Is<User | undefined>;

export const withUpgrade = [
  () =>
    serve<User>({
      upgrade: () => ({ data: { user: "ada" } }),
      open: (ws) => isString(ws.data.user, true),
      message: (ws) => isString(ws.data.user, true),
      close: (ws) => isString(ws.data.user, true),
      // A hook that fails is reported before there are data.
      error(ws) {
        mayBeUser(ws.data, true);
        // @ts-expect-error -- data may be missing
        void ws.data.user;
      },
    }),
  () => serve<User>({ upgrade: async () => ({ data: { user: "ada" }, protocol: "chat" }) }),
  () =>
    serve<User>({
      upgrade: (request) => (request.path === "/" ? { data: { user: "ada" } } : new HttpResponse({ status: 404 })),
    }),
  () => serve<User>({ upgrade: async () => new Response(null, { status: 401 }) }),
  () => mount<User>(http, { upgrade: () => ({ data: { user: "ada" } }), open: (ws) => isString(ws.data.user, true) }),
  (options: ServeOptions<User>, mounting: MountOptions<User>) => [serve(options), mount(http, mounting)],
  <Data>(options: ServeOptions<Data>) => serve<Data>(options),
  async () => {
    const server = await serve<User>({ upgrade: () => ({ data: { user: "ada" } }) });
    // Those that are still opening have no data yet.
    for (const ws of server.sockets) mayBeUser(ws.data, true);
  },
];

export const withoutUpgrade = [
  () => serve({ message: (ws) => isUnknown(ws.data, true) }),
  () => serve<User | undefined>({ open: (ws) => mayBeUser(ws.data, true) }),
  () => serve<User | undefined>({ upgrade: () => undefined }),
  // @ts-expect-error -- nothing gives the sockets their data
  () => serve<User>({ message: (ws) => isString(ws.data.user, true) }),
  // @ts-expect-error -- nothing gives the sockets their data
  () => serve<User>({ upgrade: undefined }),
  // @ts-expect-error -- nothing gives the sockets their data
  () => mount<User>(http, {}),
];

export const mounts = [
  () => mount(others, {}),
  // @ts-expect-error -- an application of Express
  () => mount(application, {}),
];

export const holes = [
  // @ts-expect-error -- accepted without data
  () => serve<User>({ upgrade: () => ({ protocol: "chat" }) }),
  // @ts-expect-error -- accepted without data
  () => serve<User>({ upgrade: () => ({ data: undefined }) }),
  // @ts-expect-error -- accepted without data
  () => serve<User>({ upgrade: () => {} }),
  // @ts-expect-error -- accepted without data
  () => serve<User>({ upgrade: async () => {} }),
  // @ts-expect-error -- accepted with other data
  () => serve<User>({ upgrade: () => ({ data: { user: 5 } }) }),
  // @ts-expect-error -- accepted without data for some requests
  () => mount<User>(http, { upgrade: (request) => (request.path === "/" ? { data: { user: "ada" } } : {}) }),
  // @ts-expect-error -- a handler of failures that relies on data
  () => serve<User>({ upgrade: () => ({ data: { user: "ada" } }), error: (ws: ServerWebSocket<User>) => void ws }),
];

test("the types of data are those that the compiler has checked", () => {
  const groups = [withUpgrade, withoutUpgrade, mounts, holes];
  assert.deepEqual(
    groups.map((group) => group.length),
    [8, 6, 2, 7],
  );
});
