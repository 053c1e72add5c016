export * from "serval/ws";
export { default } from "serval/ws";
