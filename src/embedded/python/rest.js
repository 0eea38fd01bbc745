// What is outside of Python's memory and goes along with a capture of it: the files that were written, and where Python is
// at home.  A guest that has more than that does not rest, and can't be captured.
(host, shared) => {
  "use strict";
  const STANDARD_STREAMS = 3;
  const HOME = "/session";

  const nameOf = (FS, stream) => {
    try {
      return `'${stream.path ?? FS.getPath(stream.node)}'`;
    } catch {
      return "a pipe or a socket";
    }
  };

  const WRITTEN = ["/session", "/tmp"]; // where a guest's files are
  const MOST_BYTES = 64 * 2 ** 20; // of all their contents
  const CHUNK = 8192;

  const toText = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
    return btoa(text);
  };

  const toBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  // [path, mode, time, contents]: base64 of a file, the target of a link, nothing of a directory.
  const describeFiles = (FS) => {
    const files = [];
    let room = MOST_BYTES;
    const walk = (path, node) => {
      let contents;
      if (FS.isLink(node.mode)) contents = node.link;
      if (FS.isFile(node.mode)) {
        const bytes = Uint8Array.from(node.contents ?? []).subarray(0, node.usedBytes);
        room -= bytes.length;
        if (room < 0) throw new Error(`the guest's files hold more than ${MOST_BYTES} bytes; remove some`);
        contents = toText(bytes);
      }
      files.push([path, node.mode, +node.mtime, contents]);
      if (!FS.isDir(node.mode)) return;
      for (const name of Object.keys(node.contents)) walk(`${path}/${name}`, node.contents[name]);
    };
    for (const path of WRITTEN) {
      const { object, exists } = FS.analyzePath(path, true);
      if (exists) walk(path, object);
    }
    return files;
  };

  const restoreFiles = (FS, files) => {
    for (const [path, mode, , contents] of files) {
      if (FS.isDir(mode)) FS.mkdirTree(path);
      else if (FS.isFile(mode)) FS.writeFile(path, toBytes(contents));
    }
    // Nothing is written through them.
    for (const [path, mode, , contents] of files) if (FS.isLink(mode)) FS.symlink(contents, path);
    // From the last one on: what is made in a directory changes its time.
    // The places themselves are as old as the guest.
    for (const [path, mode, time] of files.reverse()) {
      const { node } = FS.lookupPath(path, { follow: false });
      node.mode = mode;
      if (WRITTEN.includes(path)) continue;
      node.atime = node.mtime = node.ctime = time;
    }
  };

  // As JSON; or an error that names what has to end first.
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
    return { directory: FS.cwd(), files: describeFiles(FS) };
  };

  const restore = (Module, { directory, files }) => {
    const { FS } = Module;
    restoreFiles(FS, files);
    try {
      FS.chdir(directory);
    } catch {
      FS.chdir(HOME); // it was in a directory of the host that is not mounted here
    }
  };

  shared.rest = { describe, restore, places: WRITTEN };
}
