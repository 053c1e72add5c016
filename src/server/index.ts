export type { AdmissionOptions } from "./admission.ts";
export type { ChannelMessages } from "./channels.ts";
export type { DrainOptions, DrainReport } from "./drain.ts";
export { mount } from "./mount.ts";
export type { UpgradingServer } from "./mount.ts";
export type {
  BaseServeOptions,
  DataResult,
  FetchHandler,
  FetchInfo,
  MountOptions,
  ServeOptions,
  ServerOptions,
  ServeTimeouts,
  TlsInfo,
  UpgradeRule,
} from "./options.ts";
export type { Origins } from "./origin.ts";
export type { ProxyOptions } from "./proxies.ts";
export { serve } from "./serve.ts";
export type { MountedServer, Server } from "./server.ts";
export type { ServerWebSocket } from "./server-websocket.ts";
export type { Limit, Refusal, ServerStatistics } from "./statistics.ts";
