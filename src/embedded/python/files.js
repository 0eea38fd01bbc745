// What the guest may do to files.  /session and /tmp are one small filesystem of its own, with limits (src/policy/filesystem.h);
// everything else can't be changed by it.  The checks stand where the tree itself is changed, below every system call: no
// flag of a descriptor, link or mapping leads around them.  What is refused is told to the host, even where the guest does
// not care.
//
// Until `seal` the host is at work, and nothing is refused.
(host, shared) => {
  "use strict";
  const { EAGAIN, EINVAL, EMFILE, ENAMETOOLONG, ENOSPC, EPERM, EROFS } = shared.errno;

  const KINDS = { [EROFS]: "filesystem_read_only", [ENOSPC]: "filesystem_quota", [EMFILE]: "filesystem_quota" };
  const PLACES = ["/session", "/tmp"];
  const DIRECTORY = 0o40777;
  const FILE = 0o100666;
  const BLOCK = 4096;
  const LONGEST_NAME = 255;
  const LONGEST_LINK = 4095;
  const PIPE = 65536; // bytes in one

  shared.makeFiles = (Module) => {
    const { FS } = Module;
    const { MEMFS } = FS.filesystems;
    const { node_ops: nodes, stream_ops: streams } = MEMFS;
    const rules = { writable: true, bytes: Infinity, files: Infinity, handles: Infinity };
    const used = { bytes: 0, files: 0, handles: FS.streams.filter(Boolean).length };
    let sealed = false;
    let reason; // of the last refusal
    let changed = () => {}; // called with the node before it, or what it contains, changes

    const fail = (errno) => {
      throw new FS.ErrnoError(errno);
    };
    const refuse = (errno, why) => {
      reason = why;
      fail(errno);
    };

    // ---- limits

    const readOnly = () => sealed && !rules.writable;
    const mustBeWritable = () => readOnly() && refuse(EROFS, "mode_read");

    const mayGrow = (bytes) => {
      if (sealed && used.bytes + bytes > rules.bytes) refuse(ENOSPC, "bytes");
    };

    const mayAdd = (name) => {
      mustBeWritable();
      checkName(name);
      if (sealed && used.files >= rules.files) refuse(ENOSPC, "files");
    };

    const checkName = (name) => {
      if (name === "" || name === "." || name === "..") fail(EINVAL);
      if (name.length > LONGEST_NAME) fail(ENAMETOOLONG);
    };

    // Runs what allocates; where there is no memory for it there is no room.
    const allocating = (work) => {
      try {
        return work();
      } catch (error) {
        if (error instanceof RangeError) refuse(ENOSPC, "memory");
        throw error;
      }
    };

    const release = (node) => {
      used.files--;
      used.bytes -= node.usedBytes ?? 0;
    };

    // A file that is open goes on taking room until it is closed.
    const leave = (node) => {
      node.gone = true;
      if (!node.opens) release(node);
    };

    // ---- the filesystem of the guest

    const adopt = (node) => {
      node.opens = 0;
      node.gone = false;
      if (FS.isDir(node.mode)) {
        node.contents = Object.create(null);
        node.node_ops = ops.dir;
        node.stream_ops = MEMFS.ops_table.dir.stream;
      } else if (FS.isLink(node.mode)) {
        node.node_ops = ops.link;
      } else {
        node.node_ops = ops.file;
        node.stream_ops = ops.stream;
      }
      return node;
    };

    // Whoever looks at a file or a directory again must see that it was changed, in the same millisecond too: importlib
    // keeps lists of directories by their times, linecache the text of files.  An eighth of a millisecond is the smallest step that
    // stat and utime, which counts in microseconds, both tell exactly: a time that was copied is the same time.
    const STEP = 0.125;
    const AHEAD = 1000; // so far from the clock at most
    const changing = (node, work) => {
      const before = node.mtime;
      const result = work();
      if (node.mtime <= before && node.mtime > before - AHEAD) node.mtime = node.ctime = before + STEP;
      return result;
    };

    const getattr = (node) => {
      const attr = nodes.getattr(node);
      for (const name of ["atime", "mtime", "ctime"]) attr[name] = shared.exactTime(+node[name]);
      return attr;
    };

    const statfs = () => {
      const room = (most, taken) => Math.min(Math.max(0, most - taken), 2 ** 31 - 1);
      const free = room(rules.bytes / BLOCK, Math.ceil(used.bytes / BLOCK));
      return {
        blocks: room(rules.bytes / BLOCK, 0),
        bfree: free,
        bavail: rules.writable ? free : 0,
        files: room(rules.files, 0),
        ffree: room(rules.files, used.files),
      };
    };

    const setattr = (node, attr) => {
      mustBeWritable();
      changed(node);
      if (attr.size === undefined) return nodes.setattr(node, attr);
      const growth = attr.size - node.usedBytes;
      if (growth > 0) mayGrow(growth);
      allocating(() => nodes.setattr(node, attr));
      used.bytes += growth;
    };

    const isBelow = (node, above) => {
      for (; node !== above; node = node.parent) if (FS.isRoot(node)) return false;
      return true;
    };

    const write = (stream, buffer, offset, length, position) => {
      const { node } = stream;
      mustBeWritable();
      if (length === 0) return 0;
      const before = node.usedBytes;
      const room = sealed ? Math.max(0, rules.bytes - used.bytes) + before - position : Infinity;
      if (length > room) {
        if (room <= 0) refuse(ENOSPC, "bytes");
        length = room;
      }
      changed(node);
      const written = changing(node, () =>
        allocating(() => streams.write(stream, buffer, offset, length, position, false)),
      );
      used.bytes += node.usedBytes - before;
      if (sealed) host.wrote(written);
      return written;
    };

    const ops = {
      dir: {
        getattr,
        setattr,
        lookup: nodes.lookup,
        readdir: nodes.readdir,
        statfs,
        mknod(parent, name, mode, dev) {
          if (!FS.isFile(mode) && !FS.isDir(mode)) {
            if (sealed) shared.tellFiles(EROFS, "special_file", `${FS.getPath(parent)}/${name}`);
            fail(EPERM);
          }
          mayAdd(name);
          changed(parent);
          used.files++;
          return adopt(changing(parent, () => MEMFS.createNode(parent, name, mode, dev)));
        },
        symlink(parent, name, target) {
          mayAdd(name);
          if (target.length > LONGEST_LINK) fail(ENAMETOOLONG);
          changed(parent);
          used.files++;
          return adopt(changing(parent, () => nodes.symlink(parent, name, target)));
        },
        rename(node, parent, name) {
          mustBeWritable();
          checkName(name);
          if (isBelow(parent, node)) fail(EINVAL);
          changed(node);
          const there = parent.contents[name];
          changing(node.parent, () => changing(parent, () => nodes.rename(node, parent, name)));
          if (there) leave(there);
        },
        unlink(parent, name) {
          mustBeWritable();
          const node = parent.contents[name];
          changed(parent);
          changing(parent, () => nodes.unlink(parent, name));
          leave(node);
        },
        rmdir(parent, name) {
          mustBeWritable();
          const node = parent.contents[name];
          changed(parent);
          changing(parent, () => nodes.rmdir(parent, name));
          leave(node);
        },
      },
      file: { getattr, setattr, statfs },
      link: { getattr, setattr, readlink: nodes.readlink },
      stream: {
        llseek: streams.llseek,
        read: streams.read,
        write,
        mmap: (...args) => allocating(() => streams.mmap(...args)),
        // A mapping is longer than its file where that does not end with a page.
        msync(stream, buffer, offset, length) {
          const inside = Math.min(length, stream.node.usedBytes - offset);
          if (inside > 0) write(stream, buffer, 0, inside, offset);
          return 0;
        },
        open({ node }) {
          node.opens++;
        },
        dup({ node }) {
          node.opens++;
        },
        close({ node }) {
          if (--node.opens === 0 && node.gone) release(node);
        },
      },
    };

    const type = {
      mount: () => adopt(FS.createNode(null, "/", DIRECTORY, 0)),
    };

    // ---- everything else

    const isOwn = ({ node_ops }) => node_ops === ops.dir || node_ops === ops.file || node_ops === ops.link;

    const permissions = FS.nodePermissions;
    FS.nodePermissions = (node, wanted = "rw") => { // what Emscripten has no text for is more than reading and writing
      if (sealed && wanted.includes("w")) {
        const own = isOwn(node);
        if (own ? !rules.writable : !FS.isChrdev(node.mode) && !node.node_ops.outside) {
          reason = own ? "mode_read" : "read_only_path";
          return EROFS;
        }
        if (node.node_ops.outside && !(rules.writable && node.mount.opts.writable)) {
          reason = "mount_read_only";
          return EROFS;
        }
      }
      return permissions(node, wanted);
    };

    const closeWhenSealed = (table, names) => {
      for (const name of names) {
        const real = table[name];
        if (real) table[name] = (...args) => (sealed ? refuse(EROFS, "read_only_path") : real(...args));
      }
    };
    for (const kind of ["dir", "file", "link", "chrdev"]) {
      const { node, stream } = MEMFS.ops_table[kind];
      node.statfs = shared.noRoom;
      closeWhenSealed(node, ["setattr", "mknod", "rename", "unlink", "rmdir", "symlink"]);
      if (kind === "file") closeWhenSealed(stream, ["write", "msync"]);
    }

    // ---- open handles

    const mayOpen = () => {
      if (sealed && used.handles >= rules.handles) refuse(EMFILE, "handles");
    };

    const { createStream } = FS;
    FS.createStream = (stream, fd = -1) => {
      if (fd >= FS.MAX_OPEN_FDS) fail(EINVAL);
      mayOpen();
      const made = createStream(stream, fd);
      used.handles++;
      return made;
    };
    const { closeStream } = FS;
    FS.closeStream = (fd) => {
      if (FS.streams[fd]) used.handles--;
      closeStream(fd);
    };
    const { open } = FS;
    FS.open = (path, flags, mode) => {
      mayOpen(); // before a file is made or emptied for nothing
      return open(path, flags, mode);
    };

    // A pipe that is full takes no more, as where nobody may wait; Emscripten's hold whatever is written to them.
    const { write: writeAny } = FS;
    FS.write = (stream, buffer, offset, length, ...rest) => {
      const { pipe } = stream.node;
      if (pipe && length > 0) {
        const held = pipe.buckets.reduce((sum, bucket) => sum + bucket.offset - bucket.roffset, 0);
        if (held >= PIPE) fail(EAGAIN);
        length = Math.min(length, PIPE - held);
      }
      return writeAny(stream, buffer, offset, length, ...rest);
    };

    // From or to another filesystem: that it can't be changed is said first.
    const { rename } = FS;
    FS.rename = (from, to) => {
      for (const path of [from, to]) {
        const { node } = FS.lookupPath(path, { parent: true });
        if (FS.nodePermissions(node, "w") === EROFS) fail(EROFS);
      }
      rename(from, to);
    };

    // The glue reads libraries with this; those of the bundle are the guest's own.
    const isLibrary = (path) => host.grantsCode() || isPackaged(path);
    const isPackaged = (path) => {
      let { object: node } = FS.analyzePath(path);
      if (node?.hostFile === undefined) return false;
      while (!FS.isRoot(node)) node = node.parent;
      return node.mount.mountpoint !== "/app";
    };
    const { readFile } = FS;
    FS.readFile = (path, options) => {
      if (sealed && !isLibrary(path)) {
        host.violation("capability_denied", "codegen", ofPath(path));
        fail(EPERM);
      }
      return readFile(path, options);
    };

    // ---- what the host is told

    shared.tellFiles = (errno, why, path) => host.violation(KINDS[errno], why, path);

    const ofPath = (path) => {
      if (typeof path !== "string") return FS.getPath(path);
      return path.startsWith("/") ? path : `${FS.cwd()}/${path}`;
    };
    const ofStream = (stream) => stream.path ?? FS.getPath(stream.node);
    const ofNumber = (fd) => ofStream(FS.getStream(fd));
    const told = (subject, names) => {
      for (const name of names) {
        const real = FS[name];
        FS[name] = (...args) => {
          try {
            return real(...args);
          } catch (error) {
            if (sealed && KINDS[error?.errno] && error instanceof FS.ErrnoError && !error.told) {
              error.told = true;
              shared.tellFiles(error.errno, reason ?? "read_only_path", subject(...args));
              reason = undefined;
            }
            throw error;
          }
        };
      }
    };
    told(ofPath, ["open", "mknod", "unlink", "rmdir", "chmod", "chown", "truncate", "utime"]);
    told((target, path) => ofPath(path), ["symlink"]);
    told(ofPath, ["rename"]);
    told(ofStream, ["write", "msync", "createStream"]);
    told(ofNumber, ["fchmod", "fchown", "ftruncate"]);

    for (const place of PLACES) FS.mount(type, {}, place);

    const files = {
      // Takes the rules from the host.
      rule() {
        [rules.writable, rules.bytes, rules.files, rules.handles] = JSON.parse(host.fileRules());
      },
      seal() {
        files.rule();
        sealed = true;
      },
      // The host's own work on the tree of a guest that may be there already.
      byHost(work) {
        const before = sealed;
        sealed = false;
        try {
          return work();
        } finally {
          sealed = before;
        }
      },
      // The host's work for the guest between calls: within all limits but the mode.
      inLimits(work) {
        const { writable } = rules;
        rules.writable = true;
        try {
          return work();
        } finally {
          rules.writable = writable;
        }
      },
      hasRoom: (bytes, count) => used.bytes + Math.max(0, bytes) <= rules.bytes && used.files + count <= rules.files,
      make: (parent, name, directory) => ops.dir.mknod(parent, name, directory ? DIRECTORY : FILE, 0),
      // Gives the file, as whoever has it open sees it, other contents.
      fill(node, contents) {
        changed(node);
        changing(node, () => {
          used.bytes += contents.length - node.usedBytes;
          node.contents = contents;
          node.usedBytes = contents.length;
          node.mtime = node.ctime = Date.now();
        });
      },
      drop(node) {
        (FS.isDir(node.mode) ? ops.dir.rmdir : ops.dir.unlink)(node.parent, node.name);
        FS.destroyNode(node);
      },
      isLibrary,
      isPackaged,
      touch: (node) => changed(node),
      watch(listener) {
        changed = listener;
      },
      take: () => ({ ...used }),
      restore(then) {
        sealed = true; // what byHost() was cut off in did not say so
        Object.assign(used, then);
      },
    };
    return files;
  };
}
