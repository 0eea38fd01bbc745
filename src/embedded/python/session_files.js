// The host's way to the guest's files between calls (src/guest/python/session_files.c): write, read, list, remove below /session
// and /tmp.  No link is followed, nothing of the guest is called, and of the guest's limits the mode alone does not hold.
(host, shared) => {
  "use strict";

  // What came of it, as src/guest/session_files.h has it.
  const DONE = 0;
  const NOT_FOUND = 1;
  const IS_LINK = 2;
  const IS_DIRECTORY = 3;
  const NOT_DIRECTORY = 4;
  const NO_BYTES = 5;
  const NO_FILES = 6;
  const TOO_LARGE = 7;

  const VALUE = 0;
  const LONGEST_PATH = 4096; // of what is listed: deeper down a guest may have more names than anybody could read

  shared.sessionFiles = (Module) => {
    const { FS } = Module;
    const { files } = shared;

    const kindOf = ({ mode }) => (FS.isDir(mode) ? "d" : FS.isLink(mode) ? "l" : "f");
    const bytesOf = (node) => Uint8Array.from(node.contents ?? []).subarray(0, node.usedBytes ?? 0);

    // Goes down as far as there is something: the last node, how many names were found, and what is wrong with the one after.
    const walk = (names) => {
      let { node } = FS.lookupPath(`/${names[0]}`, { follow: false });
      for (let i = 1; i < names.length; i++) {
        if (!FS.isDir(node.mode)) return { node, found: i, result: FS.isLink(node.mode) ? IS_LINK : NOT_DIRECTORY };
        const next = node.contents[names[i]];
        if (next === undefined) return { node, found: i, result: NOT_FOUND };
        node = next;
      }
      return { node, found: names.length, result: FS.isLink(node.mode) ? IS_LINK : DONE };
    };

    const write = (names, data) => {
      let { node, found, result } = walk(names);
      if (result !== DONE && result !== NOT_FOUND) return result;
      if (result === DONE && FS.isDir(node.mode)) return IS_DIRECTORY;
      if (!files.hasRoom(data.length - (result === DONE ? node.usedBytes : 0), 0)) return NO_BYTES;
      if (!files.hasRoom(0, names.length - found)) return NO_FILES;
      for (; found < names.length; found++) node = files.make(node, names[found], found < names.length - 1);
      files.fill(node, data);
      return DONE;
    };

    const read = (names, most) => {
      const { node, result } = walk(names);
      if (result !== DONE) return result;
      if (FS.isDir(node.mode)) return IS_DIRECTORY;
      if (node.usedBytes > most) return TOO_LARGE;
      const bytes = bytesOf(node);
      host.result(VALUE, bytes, 0, bytes.length);
      return DONE;
    };

    // Calls `visit` with everything below a directory, each before what is in it.
    const visitBelow = (node, visit) => {
      const open = [[node, ""]];
      while (open.length > 0) {
        const [directory, above] = open.pop();
        for (const name of Object.keys(directory.contents)) {
          const below = directory.contents[name];
          const path = above === "" ? name : `${above}/${name}`;
          if (visit(below, path) && FS.isDir(below.mode)) open.push([below, path]);
        }
      }
    };

    // "kind size milliseconds path" and a NUL, each.
    const list = (names) => {
      const { node, result } = walk(names);
      if (result !== DONE) return result;
      if (!FS.isDir(node.mode)) return NOT_DIRECTORY;
      const lines = [];
      visitBelow(node, (below, path) => {
        if (path.length > LONGEST_PATH) return false;
        lines.push(`${kindOf(below)} ${FS.isFile(below.mode) ? below.usedBytes : 0} ${Math.floor(+below.mtime)} ${path}\0`);
        return true;
      });
      host.result(VALUE, lines.join(""));
      return DONE;
    };

    const remove = (names) => {
      const { node, found, result } = walk(names);
      if (found < names.length) return result;
      const all = [node];
      if (FS.isDir(node.mode)) visitBelow(node, (below) => all.push(below));
      while (all.length > 0) files.drop(all.pop());
      return DONE;
    };

    const operations = [write, read, list, remove];
    return (operation, path, argument) => files.inLimits(() => operations[operation](path.slice(1).split("/"), argument));
  };
}
