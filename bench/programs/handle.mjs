// The lowest floor on Node.js: its TCP handles, without sockets, with the least that a protocol needs.
import process from "node:process";
import { host, ready } from "./child.mjs";
import { accepted, echoed } from "./floor.mjs";

const { TCP, constants } = process.binding("tcp_wrap");
const { ShutdownWrap, WriteWrap, streamBaseState, kReadBytesOrError } = process.binding("stream_wrap");

/** Every read goes here. */
const input = Buffer.allocUnsafeSlow(64 * 1024);
const empty = Buffer.alloc(0);

function write(handle, bytes) {
  const request = new WriteWrap();
  request.oncomplete = () => {};
  // Kept with the request, in case the kernel does not take all of it at once.
  request.bytes = bytes;
  handle.writeBuffer(request, bytes);
}

function end(handle) {
  const request = new ShutdownWrap();
  request.oncomplete = () => {};
  handle.shutdown(request);
}

class Connection {
  isOpen = false;
  left = empty;

  constructor(handle) {
    this.handle = handle;
  }

  onRead(length) {
    const { handle } = this;
    if (length < 0) return handle.close();
    const chunk = input.subarray(0, length);
    if (!this.isOpen) {
      this.isOpen = true;
      return write(handle, Buffer.from(accepted(chunk)));
    }
    const { output, rest, closes } = echoed(this.left.length === 0 ? chunk : Buffer.concat([this.left, chunk]));
    this.left = rest.length === 0 ? empty : Buffer.from(rest);
    if (output.length > 0) write(handle, output);
    if (closes) end(handle);
  }
}

function onread() {
  const length = streamBaseState[kReadBytesOrError];
  if (length !== 0) this.connection.onRead(length);
}

const server = new TCP(constants.SERVER);
server.bind(host, 0);
server.onconnection = (_status, handle) => {
  handle.setNoDelay(true);
  handle.connection = new Connection(handle);
  handle.onread = onread;
  handle.useUserBuffer(input);
  handle.readStart();
};
server.listen(511);
const address = {};
server.getsockname(address);
ready({ version: process.versions.node, port: address.port });
