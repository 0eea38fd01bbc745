// Devices of a Python guest: where its random bytes come from, where it asks the host, and terminals (network.js has
// another).
(host, shared) => {
  "use strict";
  const { addDevice } = shared;
  const { EINTR } = shared.errno;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  // Random bytes come from the kernel, whatever Emscripten finds in its surroundings.
  const randomDevices = ({ FS }) => {
    const read = (stream, buffer, offset, length) => {
      host.random(buffer.subarray(offset, offset + length));
      return length;
    };
    for (const path of ["/dev/random", "/dev/urandom"]) {
      FS.unlink(path);
      addDevice(FS, path, { read, write: (stream, buffer, offset, length) => length });
    }
  };

  // Emscripten's terminals gather lines, a number for each byte: long ones come in parts.
  const LINE = 16384;
  const shortLines = ({ FS }) => {
    const { stream_ops: ops } = FS.getDevice(FS.makedev(5, 0)); // of both
    const { write } = ops;
    ops.write = (stream, buffer, offset, length, position) => {
      const written = write(stream, buffer, offset, Math.min(length, LINE), position);
      if (stream.tty.output.length >= LINE) stream.tty.ops.fsync(stream.tty);
      return written;
    };
  };

  const CUT_SHORT = 1; // by who ends the call, or asks it to end
  const IDLE = 2; // nothing would ever come

  // Python looks for signals where a write is cut short, and then writes the same once more.
  const wait = (stream, ms, interrupt) => {
    const cut = stream.cut;
    stream.cut = false;
    if (cut) return "";
    const how = host.wait(ms);
    if (!shared.grantsJavaScript) while (host.netNext() !== 0);
    if (how === CUT_SHORT) {
      stream.cut = true;
      interrupt();
    }
    return how === IDLE ? "idle" : "";
  };

  const invoke = (text, end) => {
    const id = end < 0 ? 0 : host.callbackStart(text.slice(0, end), text.slice(end + 1));
    return id === 0 ? "" : (host.callbackTake(id) ?? `#${id}`);
  };

  const answerOf = (id, stream, interrupt) => {
    for (;;) {
      const answer = host.callbackTake(id);
      if (answer !== null) return answer ?? "";
      if (host.callbackWait(id, -1) === CUT_SHORT) interrupt();
    }
  };

  // What a message asks by its first letter:
  //   d  the name of a module: tells of a capability that was not granted, as often as anybody likes to say so
  //   e  asks for the environment
  //   c  the name of a host function, a NUL and its input: calls that
  //   w  milliseconds: waits so long, less than 0 without an end, or until a request has been answered
  //   p  a number: tells that so much has been ended
  //   i  the name of a callback, a NUL and its arguments: invokes that; gives its answer, or "#" and its number
  //   s  such a number: waits for its answer, and gives it
  //   a  milliseconds: waits as by "w", and asks for all answers that have come
  //   x  such a number: nobody wants its answer any more
  //   l  asks for the host's callbacks
  const closed = /^(js|pyodide_js|pyodide\.ffi)(\.\w{1,99}){0,9}$/;
  const answer = (message, stream, interrupt) => {
    const text = message.slice(1);
    switch (message[0]) {
      case "d":
        host.violation("capability_denied", "js", closed.test(text) ? text : "js");
        return "";
      case "e":
        return host.environment() ?? "[]";
      case "c": {
        const end = text.indexOf("\0");
        return end < 0 ? "" : host.callHost(text.slice(0, end), text.slice(end + 1));
      }
      case "w":
        return wait(stream, Number(text), interrupt);
      case "i":
        return invoke(text, text.indexOf("\0"));
      case "s":
        return answerOf(Number(text), stream, interrupt);
      case "a":
        return wait(stream, Number(text), interrupt) || host.callbackTakeAll();
      case "x":
        host.callbackDrop(Number(text));
        return "";
      case "l":
        return host.callbacks() ?? "[]";
      case "p":
        host.ended(Number(text));
        return "";
      default:
        return "";
    }
  };

  // What is not UTF-8 is not JSON either.
  const textOf = (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      const end = bytes.indexOf(0) + 1;
      return String.fromCharCode(...bytes.subarray(0, Math.min(end, 99)).filter((byte) => byte < 0x80));
    }
  };

  // What Python asks the host: a message is written to the device, and the answer is read from it.
  const hostDevice = ({ FS }) => {
    const interrupt = () => {
      throw new FS.ErrnoError(EINTR);
    };
    addDevice(FS, "/dev/aardvark", {
      open(stream) {
        stream.seekable = false;
      },
      write(stream, buffer, offset, length) {
        const message = textOf(buffer.slice(offset, offset + length));
        stream.answer = encoder.encode(answer(message, stream, interrupt));
        return length;
      },
      read(stream, buffer, offset, length) {
        const { answer: bytes = encoder.encode("") } = stream;
        const part = bytes.subarray(0, length);
        buffer.set(part, offset);
        stream.answer = bytes.subarray(part.length);
        return part.length;
      },
    });
  };

  shared.makeDevices = (Module) => {
    randomDevices(Module);
    shortLines(Module);
    hostDevice(Module);
  };
}
