import WebSocket = require("serval/ws");
export = WebSocket;
