"use strict";
// What require("ws") gets where this package stands in for it: the class, with everything else as its properties.
// Node.js gives the class for the export name "module.exports"; bundlers that don't know it give the namespace.
const ws = require("serval/ws");
module.exports = ws.default ?? ws;
