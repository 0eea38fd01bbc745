// What the files around Emscripten's glue share: its error numbers, and ways to reach it.
(host, shared) => {
  "use strict";

  // As WASI numbers them (wasi_snapshot_preview1, errno).
  shared.errno = Object.freeze({
    EACCES: 2,
    EAGAIN: 6,
    EINTR: 27,
    EINVAL: 28,
    EIO: 29,
    EMFILE: 33,
    ENAMETOOLONG: 37,
    ENODEV: 43,
    ENOMEM: 48,
    ENOSPC: 51,
    EPERM: 63,
    EROFS: 69,
  });

  // The functions of adapter.py that adapter.js calls.
  shared.entryPoints = Object.freeze([
    "resolve",
    "execute",
    "buffer",
    "report",
    "mount",
    "restored",
    "renewed",
    "grant",
    "denied",
    "javascript_error",
    "random_state",
    "renew_stdin",
    "calm",
    "clear",
    "environment",
    "callbacks",
  ]);

  // What `stat` gives as a time: Date knows whole milliseconds, in which much can be done to a file.
  shared.exactTime = (milliseconds) => Object.assign(new Date(milliseconds), { getTime: () => milliseconds });

  // statfs() where nothing can be written: Emscripten would make up a disk.
  shared.noRoom = () => ({ blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 });

  // A device of a number of its own at `path`.
  shared.addDevice = (FS, path, ops) => {
    const device = FS.makedev(FS.createDevice.major++, 0);
    FS.registerDevice(device, ops);
    FS.mkdev(path, 0o666, device);
  };

  // `makes` makes code for the host's own sake, which the guest itself may not.
  shared.makeCode = (makes) => {
    host.allowCode(true);
    try {
      return makes();
    } finally {
      host.allowCode(false);
    }
  };
}
