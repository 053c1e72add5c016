// Exports for other folders of the package; users get index.ts.
export { thrownBy } from "./frames/errors.ts";
export { checkHeaders, checkProtocols } from "./handshake/client-rules.ts";
export { isPath, refuseUpgrade } from "./handshake/server-rules.ts";
export { protocolList } from "./operations/arguments.ts";
export { checkClose } from "./options/control.ts";
export { checkSendOptions, sendOptions } from "./options/of-operations.ts";
export type { OptionsOf } from "./options/options.ts";
export { headLimits, Settings, streamOptionNames } from "./options/settings.ts";
export type { Observer } from "./options/statistics.ts";
