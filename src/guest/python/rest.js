// Whether a guest rests: what is outside Python's memory and could not be taken along by a capture of that memory.
(host, shared) => {
  "use strict";
  const STANDARD_STREAMS = 3;

  const nameOf = (FS, stream) => {
    try {
      return `'${stream.path ?? FS.getPath(stream.node)}'`;
    } catch {
      return "a pipe or a socket";
    }
  };

  // Where Python is at home; or an error that names what has to end first.
  const describe = (Module) => {
    const { FS } = Module;
    FS.streams.forEach((stream, fd) => {
      if (stream && fd >= STANDARD_STREAMS) {
        throw new Error(`a file is open, which no other guest would have: ${nameOf(FS, stream)}; close it first`);
      }
    });
    if (shared.pendingTimers() > 0) {
      throw new Error("a timer or a task waits to run, which no other guest would have; let it end or cancel it first");
    }
    return { directory: FS.cwd() };
  };

  const restore = (Module, { directory }) => {
    const { FS } = Module;
    if (FS.cwd() === directory) return;
    FS.mkdirTree(directory);
    FS.chdir(directory);
  };

  shared.rest = { describe, restore };
}
