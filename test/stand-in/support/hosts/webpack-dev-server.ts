import webpack from "webpack";
import WebpackDevServer from "webpack-dev-server";

/** A development server that tells pages of rebuilds; "overrides": { "webpack-dev-server": { "ws": "npm:serval-ws" } }. */
export async function start(context: string) {
  const compiler = webpack({
    mode: "development",
    context,
    entry: "./page.js",
    infrastructureLogging: { level: "none" },
    stats: "none",
  });
  const server = new WebpackDevServer({ port: 0, host: "127.0.0.1", webSocketServer: "ws", hot: true }, compiler);
  await server.start();
  const { port } = server.server!.address() as { port: number };
  return { url: `ws://127.0.0.1:${port}/ws`, server, close: async () => server.stop() };
}
