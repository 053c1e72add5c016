import { FrameCounter } from "./frame-counter.ts";
import { maskedFrame } from "./frames.ts";
import { openWebSocket } from "./upgrade.ts";
import { ask, type Wire } from "./wire.ts";

/** Asks for the namespace "/": Engine.IO's packet type for a message, and Socket.IO's for a connection. */
const connectPacket = Buffer.from("40");

/** A connection to a Socket.IO server by WebSocket alone, on which events can be sent. */
export async function openSocketIo(port: number): Promise<Wire> {
  const wire = await openWebSocket(port, { path: "/socket.io/?EIO=4&transport=websocket", isGreeted: true });
  try {
    const counter = new FrameCounter();
    let counted = 0;
    const reply = await ask(wire, maskedFrame(0x81, connectPacket), (received) => {
      const isWhole = counter.count(received.subarray(counted), received.length - counted) > 0;
      counted = received.length;
      return isWhole;
    });
    const packet = reply.subarray(2, 5).toString();
    if (packet !== "40{") throw new Error(`the server has not connected the namespace, but sent ${packet}`);
    return wire;
  } catch (error) {
    wire.close();
    throw error;
  }
}
