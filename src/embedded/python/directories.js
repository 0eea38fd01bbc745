// Directories of the host inside Emscripten's filesystem (src/policy/mount.h): every operation asks the host, by the
// number of the mount and a path below it.  Nodes only remember names; what is behind them may change at any time.
(host, shared) => {
  "use strict";
  const { EINVAL, ENODEV, ENOMEM, EPERM } = shared.errno;
  const { exactTime } = shared;
  const DIRECTORY = 0o40777;
  const FILE = 0o100777;
  const WRITES = 3; // of a descriptor's flags

  shared.mountDirectories = (Module) => {
    const { FS } = Module;
    const changed = shared.files.touch;
    const facts = new Float64Array(6);

    const fail = (errno) => {
      const error = new FS.ErrnoError(errno);
      error.told = true; // by the host, where it was a refusal
      throw error;
    };
    const check = (result) => (typeof result === "number" && result < 0 ? fail(-result) : result);

    const numberOf = (node) => node.mount.opts.number;
    const pathOf = (node) => {
      const names = [];
      for (; !FS.isRoot(node); node = node.parent) names.push(node.name);
      return names.reverse().join("/");
    };
    const below = (node, name) => {
      const path = pathOf(node);
      return path ? `${path}/${name}` : name;
    };

    const adopt = (node) => {
      node.node_ops = nodes;
      node.stream_ops = FS.isDir(node.mode) ? { llseek: (stream, offset, whence) => seek(stream, offset, whence, 0) } : streams;
      return node;
    };
    const add = (parent, name, directory) => {
      changed(parent);
      return adopt(FS.createNode(parent, name, directory ? DIRECTORY : FILE, 0));
    };

    const seek = (stream, offset, whence, size) => {
      const base = whence === 1 ? stream.position : whence === 2 ? size : 0;
      return base + offset < 0 ? fail(EINVAL) : base + offset;
    };

    const sized = (node, size) => {
      const file = check(host.mountOpen(numberOf(node), pathOf(node), true));
      try {
        check(host.mountTruncate(file, size));
      } finally {
        host.mountClose(file);
      }
    };

    const known = (parent, name) => {
      for (let node = FS.nameTable[FS.hashName(parent.id, name)]; node; node = node.name_next) {
        if (node.parent.id === parent.id && node.name === name) return node;
      }
      return undefined;
    };

    const nodes = {
      outside: true, // the host decides who may write
      getattr(node) {
        check(host.mountStat(numberOf(node), pathOf(node), facts));
        const [directory, size, atime, mtime, ctime, nlink] = facts;
        const mode = directory ? DIRECTORY : FILE;
        const times = { atime: exactTime(atime), mtime: exactTime(mtime), ctime: exactTime(ctime) };
        const blocks = Math.ceil(size / 512);
        return { dev: 2 + numberOf(node), ino: node.id, mode, nlink, uid: 0, gid: 0, rdev: 0, size, ...times, blksize: 4096, blocks };
      },
      // Modes and times are the host's affair: what would set them does nothing.
      setattr(node, { size }) {
        check(host.mountMayWrite(numberOf(node), pathOf(node)));
        if (size !== undefined) sized(node, size);
      },
      lookup(parent, name) {
        check(host.mountStat(numberOf(parent), below(parent, name), facts));
        return add(parent, name, facts[0]);
      },
      readdir(node) {
        const entries = JSON.parse(check(host.mountList(numberOf(node), pathOf(node))));
        // Whoever reads a directory asks for the nodes then: they are there, even if the files are not any more.
        for (const [name, directory] of entries) if (!known(node, name)) add(node, name, directory);
        return [".", "..", ...entries.map(([name]) => name)];
      },
      mknod(parent, name, mode) {
        if (!FS.isFile(mode) && !FS.isDir(mode)) {
          shared.tellFiles(69, "special_file", `${FS.getPath(parent)}/${name}`);
          fail(EPERM);
        }
        check(host.mountMake(numberOf(parent), below(parent, name), FS.isDir(mode)));
        return add(parent, name, FS.isDir(mode));
      },
      symlink(parent, name) {
        shared.tellFiles(69, "special_file", `${FS.getPath(parent)}/${name}`);
        fail(EPERM);
      },
      rename(node, parent, name) {
        const path = pathOf(node);
        check(host.mountRename(numberOf(parent), path, below(parent, name)));
        changed(node);
        const there = known(parent, name);
        if (there) FS.hashRemoveNode(there);
        node.name = name;
      },
      unlink(parent, name) {
        check(host.mountRemove(numberOf(parent), below(parent, name), false));
        changed(parent);
      },
      rmdir(parent, name) {
        check(host.mountRemove(numberOf(parent), below(parent, name), true));
        changed(parent);
      },
    };

    const streams = {
      open(stream) {
        const { node, flags } = stream;
        const file = host.mountOpen(numberOf(node), pathOf(node), (flags & WRITES) !== 0);
        if (file < 0) {
          FS.closeStream(stream.fd);
          fail(-file);
        }
        stream.shared.file = file;
        stream.shared.uses = 1;
      },
      dup(stream) {
        stream.shared.uses++;
      },
      close(stream) {
        if (--stream.shared.uses === 0) host.mountClose(stream.shared.file);
      },
      llseek: (stream, offset, whence) =>
        seek(stream, offset, whence, whence === 2 ? check(host.mountSize(stream.shared.file)) : 0),
      read: (stream, buffer, offset, length, position) =>
        check(host.mountRead(stream.shared.file, buffer, offset, length, position)),
      write: (stream, buffer, offset, length, position) =>
        check(host.mountWrite(stream.shared.file, buffer, offset, length, position)),
      setattr: (stream, { size }) => {
        if (size !== undefined) check(host.mountTruncate(stream.shared.file, size));
        else check(host.mountMayWrite(numberOf(stream.node), pathOf(stream.node)));
      },
      mmap(stream, length, position) {
        if (!FS.isFile(stream.node.mode)) fail(ENODEV);
        const at = Module._emscripten_builtin_malloc(length);
        if (!at) fail(ENOMEM);
        const heap = Module.HEAPU8;
        heap.fill(0, at, at + length);
        check(host.mountRead(stream.shared.file, heap, at, length, position));
        return { ptr: at, allocated: true };
      },
      // A mapping is longer than its file where that does not end with a page.
      msync(stream, buffer, offset, length) {
        const inside = Math.min(length, check(host.mountSize(stream.shared.file)) - offset);
        if (inside > 0) check(host.mountWrite(stream.shared.file, buffer, 0, inside, offset));
        return 0;
      },
    };

    const type = { mount: () => adopt(FS.createNode(null, "/", DIRECTORY, 0)) };
    JSON.parse(host.mounts()).forEach(([place, writable], number) => {
      FS.mkdirTree(place);
      FS.mount(type, { number, writable }, place);
    });
  };
}
