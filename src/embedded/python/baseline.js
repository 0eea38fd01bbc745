// What Python has outside of its memory, as it was at a checkpoint: Emscripten's file system, the JavaScript objects that
// Python refers to, WebAssembly's globals and tables.  take() remembers it, restore() puts it back, whatever was under way in between: everything is
// assigned anew, so that an operation that was cut off in the middle leaves nothing behind.
(host, shared) => {
  "use strict";

  const isHostNode = (node) => node.hostFile !== undefined;

  // Fields of a node that a guest's calls change.
  const nodeState = (node) => ({
    node,
    next: node.name_next,
    parent: node.parent,
    name: node.name,
    mode: node.mode,
    atime: node.atime,
    mtime: node.mtime,
    ctime: node.ctime,
    timestamp: node.timestamp,
    contents: node.contents,
    entries: isDirectory(node) ? { __proto__: null, ...node.contents } : undefined,
    usedBytes: node.usedBytes,
    link: node.link,
  });

  const isDirectory = (node) => (node.mode & 0o170000) === 0o40000;
  const isDevice = (node) => (node.mode & 0o170000) === 0o20000;

  const restoreNode = (was) => {
    const { node } = was;
    node.name_next = was.next;
    if (isHostNode(node)) return;
    node.parent = was.parent;
    node.name = was.name;
    node.mode = was.mode;
    node.contents = was.entries ? { __proto__: null, ...was.entries } : was.contents;
    node.usedBytes = was.usedBytes;
    node.link = was.link;
    restoreTimes(was);
  };

  const restoreTimes = ({ node, atime, mtime, ctime, timestamp }) => {
    node.atime = atime;
    node.mtime = mtime;
    node.ctime = ctime;
    node.timestamp = timestamp;
  };

  // Devices keep what they have to say in the stream.
  const restoreStream = ({ stream, own, state }) => {
    for (const name in stream) if (Object.hasOwn(stream, name) && !Object.hasOwn(own, name)) delete stream[name];
    Object.assign(stream, own);
    Object.assign(stream.shared, state);
  };

  // What is on its way in pipes and sockets is nowhere that could be put back.
  const isConduit = (stream) => stream && (stream.node.pipe || stream.node.sock);

  shared.makeBaseline = (Module, guard) => {
    const { FS } = Module;
    let touched = false; // something in the file system has changed, or may have
    let kept = new WeakSet(); // contents of files at the checkpoint, which must not be written to in place
    let files; // what was taken
    let references;
    let stack;

    const watch = () =>
      shared.files.watch((node) => {
        touched = true;
        if (node.contents && kept.has(node.contents)) node.contents = node.contents.slice();
      });

    const takeFiles = () => {
      const nodes = [];
      const table = Object.entries(FS.nameTable); // thirty of thousands of places are taken
      for (const [, first] of table) for (let node = first; node; node = node.name_next) nodes.push(nodeState(node));
      kept = new WeakSet();
      for (const { contents, entries } of nodes) if (contents && !entries) kept.add(contents);
      files = {
        nodes,
        devices: nodes.filter(({ node }) => isDevice(node)),
        opened: nodes.filter(({ node }) => node.opens !== undefined).map(({ node }) => [node, node.opens, node.gone]),
        used: shared.files.take(),
        table,
        inode: FS.nextInode,
        directory: FS.currentPath,
        streams: FS.streams.map((stream) =>
          stream ? { stream, own: { ...stream }, state: { ...stream.shared } } : null,
        ),
      };
    };

    const restoreFiles = () => {
      if (touched) {
        FS.nameTable = new Array(FS.nameTable.length);
        for (const [hash, first] of files.table) FS.nameTable[hash] = first;
        files.nodes.forEach(restoreNode);
      } else {
        files.devices.forEach(restoreTimes);
      }
      for (const [node, opens, gone] of files.opened) {
        node.opens = opens;
        node.gone = gone;
      }
      shared.files.restore(files.used);
      FS.nextInode = files.inode;
      FS.currentPath = files.directory;
      const { streams } = FS;
      streams.length = files.streams.length;
      files.streams.forEach((was, fd) => {
        streams[fd] = was ? was.stream : was;
        if (!was) return;
        restoreStream(was);
      });
      touched = false;
    };

    const lookAt = (index) => {
      try {
        return { value: Module.__hiwire_get(index) };
      } catch {
        return undefined; // past the end of the table
      }
    };

    const takeReferences = () => {
      const values = [];
      for (let found; (found = lookAt(values.length)); ) values.push(found.value);
      references = { values, known: guard.deduplicated && [...guard.deduplicated] };
      guard.referenced = false;
    };

    const restoreReferences = () => {
      const { values, known } = references;
      // The last of the fixed ones is an empty object that is made anew by each look.
      for (let i = 0; i < values.length; i++) if (i !== marker && Module.__hiwire_get(i) !== values[i]) Module.__hiwire_set(i, values[i]);
      if (!guard.referenced) return;
      for (let i = values.length; lookAt(i); i++) Module.__hiwire_set(i, null);
      if (known) {
        guard.deduplicated.clear();
        for (const [value, reference] of known) guard.deduplicated.set(value, reference);
      }
      guard.referenced = false;
    };
    // Of WebAssembly: what only a guest changes that calls functions by their numbers is compared, and not put back.  Of
    // Pyodide's mutable globals nothing is ever written but these and the stack pointer; a table can't shrink.  The contents
    // of the immortal references can't change, those of hiwire's are with the references, those of the function table
    // change by JavaScript alone, of which the guard is told.
    const registers = ["getTempRet0", "emscripten_stack_get_base", "emscripten_stack_get_end"]
      .map((name) => Module[`_${name}`])
      .filter((read) => read !== undefined);
    guard.watchTable(Module.wasmTable);
    let engine; // what was taken

    const takeEngine = () => {
      engine = { registers: registers.map((read) => read()), tables: shared.tables.map((table) => table.length) };
    };

    const sameEngine = () => {
      for (let i = 0; i < registers.length; i++) if (registers[i]() !== engine.registers[i]) return false;
      for (let i = 0; i < engine.tables.length; i++) if (shared.tables[i].length !== engine.tables[i]) return false;
      return true;
    };

    // Lines that were begun on terminals, which nobody has to have open.
    const terminals = ["/dev/tty", "/dev/tty1"].map((path) => {
      const stream = FS.open(path, 1);
      FS.close(stream);
      return stream.tty;
    });
    let lines;

    const takeLines = () => {
      lines = terminals.map(({ input, output }) => [input.slice(), output.slice()]);
    };

    const restoreLines = () => {
      terminals.forEach((terminal, i) => {
        if (terminal.input.length > 0 || lines[i][0].length > 0) terminal.input = lines[i][0].slice();
        if (terminal.output.length > 0 || lines[i][1].length > 0) terminal.output = lines[i][1].slice();
      });
    };

    const marker = Module.API.getExpectedKeys().length - 1;

    watch();
    return {
      take() {
        takeFiles();
        takeReferences();
        takeEngine();
        takeLines();
        stack = Module.stackSave();
        touched = false;
        guard.noted = FS.streams.some(isConduit);
      },
      // False where the guest has changed what can't be put back.
      restore() {
        if (!files || guard.noted || !sameEngine()) return false;
        if (Module.stackSave() !== stack) Module.stackRestore(stack);
        restoreFiles();
        restoreLines();
        restoreReferences();
        return true;
      },
    };
  };
}
