// Python's way to the network, which leads through no JavaScript object: the device /dev/network.  What is written to it in
// one piece is a message, a length (4 bytes, little-endian), JSON of that length, and perhaps a body:
//
//   { "method", "url", "headers": lines, "redirects", "timeout", "body": whether one follows }
//       a request, which the host checks and makes.  Reading then gives a length, JSON (src/net/net.h) and the body; it
//       waits for that, unless the descriptor does not block.  Closing it lets go of the request.
(host, shared) => {
  "use strict";
  const { EACCES, EAGAIN, EINVAL, EIO, ENOMEM } = shared.errno;
  const O_NONBLOCK = 2048;
  const DEVICE = "/dev/network";
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  shared.makeNetworkDevice = (Module) => {
    const { FS } = Module;
    const fail = (code) => {
      throw new FS.ErrnoError(code);
    };
    const text = (value) => (typeof value === "string" ? value : fail(EINVAL));
    const number = (value) => (typeof value === "number" ? value : fail(EINVAL));

    const parse = (bytes) => {
      if (bytes.length < 4) fail(EINVAL);
      const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
      if (length > bytes.length - 4) fail(EINVAL);
      let message;
      try {
        message = JSON.parse(decoder.decode(bytes.slice(4, 4 + length)));
      } catch {
        fail(EINVAL);
      }
      if (typeof message !== "object" || message === null) fail(EINVAL);
      return { message, body: bytes.subarray(4 + length) };
    };

    const start = ({ message, body }) => {
      const { method, url, headers, redirects, timeout } = message;
      const id = host.netStart(text(method), text(url), text(headers), number(redirects), number(timeout), message.body ? body : undefined);
      return id === 0 ? fail(ENOMEM) : id;
    };

    // The answer's length and JSON, once it is there.
    const headOf = (stream) => {
      const request = stream.aardvark;
      if (request.head) return request.head;
      let json = host.netHead(request.id);
      if (json === null && stream.flags & O_NONBLOCK) fail(EAGAIN);
      if (json === null && host.netWait(request.id, -1)) json = host.netHead(request.id);
      if (typeof json !== "string") fail(EIO); // the call is over that made the request, or this one is being stopped
      const bytes = encoder.encode(json);
      request.head = new Uint8Array(4 + bytes.length);
      new DataView(request.head.buffer).setUint32(0, bytes.length, true);
      request.head.set(bytes, 4);
      return request.head;
    };

    const ops = {
      open(stream) {
        stream.seekable = false;
      },
      close(stream) {
        if (stream.aardvark) host.netDrop(stream.aardvark.id);
        stream.aardvark = undefined;
      },
      write(stream, buffer, offset, length) {
        const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
        if (stream.aardvark) fail(EINVAL);
        stream.aardvark = { id: start(parse(bytes)), head: undefined, at: 0 };
        return length;
      },
      read(stream, buffer, offset, length) {
        const request = stream.aardvark ?? fail(EINVAL);
        const head = headOf(stream);
        let done = 0;
        if (request.at < head.length) {
          const part = head.subarray(request.at, request.at + length);
          new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(part, offset);
          done = part.length;
        }
        if (done < length) done += host.netRead(request.id, buffer, offset + done, length - done, request.at + done - head.length);
        request.at += done;
        return done;
      },
    };
    shared.addDevice(FS, DEVICE, ops);
  };

  const EAI_NONAME = -2;

  // Emscripten would make WebSockets of sockets; here there are none.  That somebody wanted one is written down.
  shared.refuseSockets = (env) => {
    const addressAt = (at, length) => {
      if (!at || length < 8 || at >>> 0 > env.memory.buffer.byteLength - 28) return "";
      const view = new DataView(env.memory.buffer, at >>> 0, 28);
      const port = view.getUint16(2);
      if (view.getUint16(0, true) !== 2) return ` [IPv6]:${port}`;
      const parts = [4, 5, 6, 7].map((i) => view.getUint8(i));
      return ` ${parts.join(".")}:${port}`;
    };
    const refuse = (call, addressOf) => {
      const real = env[call];
      if (!real) return;
      env[call] = (...args) => {
        host.violation("network_denied", "raw_socket", call.slice("__syscall_".length) + addressOf(args));
        return -EACCES;
      };
      env[call].sig = real.sig;
    };
    const second = (args) => addressAt(args[1], args[2]);
    refuse("__syscall_connect", second);
    refuse("__syscall_bind", second);
    refuse("__syscall_listen", () => "");
    refuse("__syscall_accept4", () => "");
    refuse("__syscall_sendto", (args) => addressAt(args[4], args[5]));
    refuse("__syscall_sendmsg", () => "");
    // Emscripten gives names addresses of its own invention.
    const lookUp = env.getaddrinfo;
    if (!lookUp) return;
    env.getaddrinfo = (node, ...rest) => {
      if (node) {
        const bytes = new Uint8Array(env.memory.buffer, node >>> 0);
        const end = bytes.subarray(0, 256).indexOf(0);
        const name = decoder.decode(bytes.slice(0, end < 0 ? 256 : end));
        if (!/^(\d{1,3}\.){3}\d{1,3}$|:/.test(name)) {
          host.violation("network_denied", "raw_socket", `lookup ${name}`);
          return EAI_NONAME;
        }
      }
      return lookUp(node, ...rest);
    };
    env.getaddrinfo.sig = lookUp.sig;
  };
}
