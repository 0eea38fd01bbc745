// Errors that cross between Python and JavaScript, where Python may use JavaScript.
(host, shared) => {
  "use strict";
  const STDERR = 2;
  const O_WRONLY = 1;
  const decoder = new TextDecoder();

  // The message of a PythonError is the traceback, which Python prints to descriptor 2 meanwhile.  Pyodide puts a device
  // of its own there, one for each error; what the guest has opened as 2 stays open here, and no file is made.
  const captureTracebacks = ({ FS }, API) => {
    const captures = []; // innermost last: what shows an exception may raise another

    const open = () => {
      const path = "/dev/stderr";
      const { node } = FS.lookupPath(path, { follow: true });
      const { stream_ops } = FS.getDevice(node.rdev);
      return shared.files.byHost(() => FS.createStream({ node, path, flags: O_WRONLY, stream_ops, position: 0 }, STDERR));
    };

    API.capture_stderr = () => {
      const own = FS.streams[STDERR] ? undefined : open();
      const stream = own ?? FS.streams[STDERR];
      const capture = { stream, ops: stream.stream_ops, position: stream.position, own, parts: [], ended: false };
      stream.stream_ops = {
        ...capture.ops,
        write(at, buffer, offset, length, position) {
          if (capture.ended) return capture.ops.write(at, buffer, offset, length, position); // through a copy of 2
          capture.parts.push(buffer.slice(offset, offset + length));
          return length;
        },
      };
      captures.push(capture);
    };

    API.restore_stderr = () => {
      const { stream, ops, position, own, parts } = captures[captures.length - 1];
      captures.pop().ended = true;
      stream.stream_ops = ops;
      stream.position = position;
      if (own && FS.streams[STDERR] === own) FS.closeStream(STDERR);
      let text = "";
      for (const part of parts) text += decoder.decode(part, { stream: true });
      return text + decoder.decode();
    };
  };

  // What is thrown may be anything, such as a proxy that throws when it is looked at.
  const takeAnything = (Module) => {
    const { handle_js_error: take } = Module;
    const isKnown = (error) => {
      try {
        return error?.pyodide_fatal_error || error instanceof Module._PropagatePythonError;
      } catch {
        return false;
      }
    };
    Module.handle_js_error = (error) => {
      try {
        take(error);
      } catch (second) {
        if (isKnown(error)) throw second;
        take(new Error(`a value that can't be looked at was thrown: ${shared.inspect(error, { __proto__: null, depth: 0 })}`));
      }
    };
  };

  shared.carryErrors = (Module, API) => {
    captureTracebacks(Module, API);
    takeAnything(Module);
  };
}
