import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type coreErrors } from "../../../src/core/errors.ts";
import type { httpErrors } from "../../../src/http/index.ts";
import { httpError } from "../../../src/http/internal.ts";
import { refusalStatus } from "../../../src/http/messages/refusal-status.ts";

type HttpCode = keyof typeof httpErrors;
type CoreCode = keyof typeof coreErrors;

describe("refusalStatus", () => {
  it("distinguishes errors that a client can correct", () => {
    const of = (code: string): number | undefined =>
      refusalStatus(code.startsWith("http.") ? httpError(code as HttpCode) : coreError(code as CoreCode));
    for (const [status, ...codes] of [
      [
        400,
        "http.bad_start_line",
        "http.bad_method",
        "http.bad_target",
        "http.bad_field",
        "http.bad_value",
        "http.bad_host",
      ],
      [400, "http.bad_line_ending", "http.bad_obs_fold", "http.bad_content_length", "http.multiple_content_length"],
      [400, "http.bad_transfer_encoding", "http.bad_chunk", "http.bad_chunk_extension", "http.partial_message"],
      [408, "core.timeout"],
      [413, "http.body_limit", "http.chunk_extension_limit", "core.buffer_overflow"],
      [414, "http.target_limit"],
      [417, "http.expectation_failed"],
      [431, "http.header_limit", "http.field_limit"],
      [501, "http.unknown_transfer_coding", "http.method_limit"],
      [505, "http.bad_version"],
      [
        undefined,
        "http.end_of_stream",
        "http.body_used",
        "http.handler_failed",
        "http.short_read",
        "http.stale_parser",
      ],
      [undefined, "core.aborted", "core.connection_reset", "core.transport", "core.operation_pending"],
    ] as [number | undefined, ...string[]][]) {
      for (const code of codes) assert.equal(of(code), status, code);
    }
  });
});
