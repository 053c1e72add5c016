import type { ServalError } from "../../core/index.ts";

/** The result of `Protocol.next`, distinguished by `type`. Its bytes are the receiver's own. */
export type ProtocolEvent =
  | {
      /** A whole message. */
      readonly type: "message";
      readonly kind: "text" | "binary";
      /** A string for text, unless the option `text` is "bytes"; bytes for binary. */
      readonly data: string | Uint8Array;
    }
  | {
      /** The next part of a message, with the option `parts`. */
      readonly type: "part";
      readonly kind: "text" | "binary";
      /** Possibly empty. A part of a text may end inside a character. */
      readonly data: Uint8Array;
      /** Whether the message ends with this part. */
      readonly done: boolean;
    }
  | {
      /** A ping, already answered unless `autoPong` is false, or a pong (RFC 6455 sections 5.5.2 and 5.5.3). */
      readonly type: "ping" | "pong";
      readonly payload: Uint8Array;
    }
  | {
      /** The peer's close frame, already answered (RFC 6455 section 5.5.1) unless `autoClose` is false. The last event. */
      readonly type: "close";
      /** The close code; 1005 for a close frame without one. */
      readonly code: number;
      readonly reason: string;
    }
  | {
      /**
       * The peer violated the protocol or a limit, and a close frame says so (RFC 6455 section 7.1.7) unless `autoClose`
       * is false. The last event.
       */
      readonly type: "failed";
      readonly error: ServalError;
      /**
       * The value that is not allowed: an opcode, the reserved bits as they stand in the first byte, the length of a frame, a
       * close code. Undefined if it is none of these.
       */
      readonly value: number | undefined;
    }
  | {
      /** One step of inflating a long message is done: the next call does another. */
      readonly type: "inflating";
    };
