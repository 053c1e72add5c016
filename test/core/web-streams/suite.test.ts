import { Duplex } from "node:stream";
import { fromDuplex, fromWebStreams } from "../../../src/core/index.ts";
import { socketPair } from "../../net/support/sockets.ts";
import { byteStreamSuite, type Connection } from "../support/byte-stream-suite.ts";

const ownMemory = "Web streams bring memory that nothing else uses";

/** Before Node 24 the readable of `Duplex.toWeb` does not end before its writable does. */
const endsLate = Number(process.versions.node.split(".")[0]) < 24;

function reset(): Error {
  return Object.assign(new Error("reset"), { code: "ECONNRESET" });
}

function transforms(): Connection {
  const controllers: TransformStreamDefaultController<Uint8Array>[] = [];
  const make = (): TransformStream<Uint8Array, Uint8Array> =>
    new TransformStream({ start: (controller) => void controllers.push(controller) });
  const there = make();
  const back = make();
  return {
    stream: fromWebStreams({ readable: back.readable, writable: there.writable }),
    peer: fromWebStreams({ readable: there.readable, writable: back.writable }),
    endPeer: () => controllers[1]!.terminate(),
    reset: () => controllers.forEach((controller) => controller.error(reset())),
  };
}

async function duplexes(): Promise<Connection> {
  const [client, raw] = await socketPair();
  const { readable, writable } = Duplex.toWeb(client);
  return {
    stream: fromWebStreams({ readable, writable }),
    peer: fromDuplex(raw),
    endPeer: () => void raw.end(),
    reset: () => void raw.resetAndDestroy(),
  };
}

byteStreamSuite("fromWebStreams(TransformStreams)", transforms, { "late-look": ownMemory });
if (!endsLate) {
  byteStreamSuite("fromWebStreams(Duplex.toWeb)", duplexes, {
    "late-look": ownMemory,
    "show-reset": "a writable of Duplex.toWeb that is aborted destroys its socket, which sends an end",
  });
}
