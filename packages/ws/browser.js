// What a bundler for browsers takes: there is no socket to build on, and the platform has a WebSocket.
export default function WebSocket() {
  throw new Error("serval-ws, which stands in for ws, is for Node.js: in a browser use the global WebSocket");
}
export { WebSocket };
