// What an import of ws gets where this package stands in for it.
export * from "serval/ws";
export { default } from "serval/ws";
