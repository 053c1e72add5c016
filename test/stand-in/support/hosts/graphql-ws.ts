import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { GraphQLObjectType, GraphQLSchema, GraphQLInt, GraphQLNonNull, GraphQLString } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "serval/ws";

async function* countTo(most: number) {
  for (let count = 1; count <= most; count++) yield { count };
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: { hello: { type: GraphQLString, resolve: () => "world" } } }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      count: {
        type: GraphQLInt,
        args: { to: { type: new GraphQLNonNull(GraphQLInt) } },
        subscribe: (_, { to }: { to: number }) => countTo(to),
      },
    },
  }),
});

/** GraphQL over WebSocket; a connection needs the token in its parameters. */
export async function start() {
  const wss = new WebSocketServer({ port: 0, path: "/graphql" });
  const graphql = useServer({ schema, onConnect: ({ connectionParams }) => connectionParams?.token === "secret" }, wss);
  await once(wss, "listening");
  const { port } = wss.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/graphql`, wss, close: async () => graphql.dispose() };
}
