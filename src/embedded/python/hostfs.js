// Files of the host inside Emscripten's filesystem, read in place: nothing is copied into the guest until it reads, and
// nothing the guest does can change them.  A file is known by its number; `host.fileRead` copies from it.
(host, shared) => {
  "use strict";
  const { EINVAL, ENODEV, ENOMEM, EROFS } = shared.errno;
  const DIRECTORY = 0o40555;
  const FILE = 0o100444;

  shared.makeHostFs = (Module) => {
    const FS = Module.FS;
    const fail = (code) => {
      throw new FS.ErrnoError(code);
    };
    const refuse = () => fail(EROFS);
    const epoch = new Date(0);

    const getattr = (node) => ({
      dev: 1,
      ino: node.id,
      mode: node.mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size: node.hostSize,
      atime: epoch,
      mtime: epoch,
      ctime: epoch,
      blksize: 4096,
      blocks: Math.ceil(node.hostSize / 4096),
    });

    const nodeOps = {
      getattr,
      setattr: refuse,
      lookup: () => fail(44),
      statfs: shared.noRoom,
      mknod: refuse,
      rename: refuse,
      unlink: refuse,
      rmdir: refuse,
      symlink: refuse,
      readdir: (node) => [".", "..", ...node.hostChildren],
    };

    const streamOps = {
      llseek(stream, offset, whence) {
        const base = whence === 1 ? stream.position : whence === 2 ? stream.node.hostSize : 0;
        return base + offset < 0 ? fail(EINVAL) : base + offset;
      },
      read(stream, buffer, offset, length, position) {
        return host.fileRead(stream.node.hostFile, buffer, offset, length, position);
      },
      write: refuse,
      mmap(stream, length, position) {
        if (!FS.isFile(stream.node.mode)) fail(ENODEV);
        const at = Module._emscripten_builtin_malloc(length);
        if (!at) fail(ENOMEM);
        const heap = Module.HEAPU8;
        heap.fill(0, at, at + length);
        host.fileRead(stream.node.hostFile, heap, at, length, position);
        return { ptr: at, allocated: true };
      },
      msync: refuse,
    };

    const addNode = (parent, name, mode, file, size) => {
      const node = FS.createNode(parent, name, mode, 0);
      node.node_ops = nodeOps;
      node.stream_ops = streamOps;
      node.hostFile = file;
      node.hostSize = size;
      node.hostChildren = [];
      node.atime = node.mtime = node.ctime = 0;
      if (parent && parent.hostChildren) parent.hostChildren.push(name);
      return node;
    };

    // `entries`: [name, file number, size] each, names relative with "/" between their parts.
    const type = {
      mount(mount) {
        const root = addNode(null, "/", DIRECTORY, -1, 4096);
        const directories = new Map([["", root]]);
        const directory = (path) => {
          const known = directories.get(path);
          if (known) return known;
          const cut = path.lastIndexOf("/");
          const parent = directory(cut < 0 ? "" : path.slice(0, cut));
          const made = addNode(parent, path.slice(cut + 1), DIRECTORY, -1, 4096);
          directories.set(path, made);
          return made;
        };
        for (const [name, file, size] of mount.opts.entries) {
          const cut = name.lastIndexOf("/");
          addNode(directory(cut < 0 ? "" : name.slice(0, cut)), name.slice(cut + 1), FILE, file, size);
        }
        return root;
      },
    };

    return {
      mount(path, entries) {
        FS.mkdirTree(path);
        FS.mount(type, { entries }, path);
      },
      unmount(path) {
        FS.unmount(path);
      },
      // One file in a directory of the in-memory filesystem.
      place(directory, name, file) {
        const parent = FS.lookupPath(directory).node;
        parent.contents[name] = addNode(parent, name, FILE, file, host.fileSize(file));
      },
    };
  };
}
