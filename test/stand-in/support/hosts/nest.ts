import type { AddressInfo } from "node:net";
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { WsAdapter } from "@nestjs/platform-ws";
import { MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";

class Gateway {
  add({ a, b }: { a: number; b: number }) {
    return { event: "sum", data: a + b };
  }
}
// What the decorators @WebSocketGateway({ path: "/" }), @SubscribeMessage("add") and @MessageBody() do.
WebSocketGateway({ path: "/" })(Gateway);
SubscribeMessage("add")(Gateway.prototype, "add", Object.getOwnPropertyDescriptor(Gateway.prototype, "add")!);
MessageBody()(Gateway.prototype, "add", 0);

class Root {
  readonly name = "root";
}
Module({ providers: [Gateway] })(Root);

/** A gateway of NestJS; its package.json has "overrides": { "@nestjs/platform-ws": { "ws": "npm:serval-ws" } }. */
export async function start() {
  const app = await NestFactory.create(Root, { logger: ["error"] });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, "127.0.0.1");
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/`, gateway: app.get(Gateway), close: async () => app.close() };
}
