import type { Role } from "../../core/index.ts";
import type { AsyncContext } from "../../core/internal.ts";
import type { DeflateParameters } from "../handshake/permessage-deflate.ts";

/** The result of the opening handshake. */
export interface Opened {
  readonly role: Role;
  readonly deflate: DeflateParameters | undefined;
  /** Of the call that accepted, connected or attached. */
  readonly context: AsyncContext;
}
