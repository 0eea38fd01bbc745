// Packages: files of the host, mounted where Python looks for packages and the dynamic linker for libraries.
(host, shared) => {
  "use strict";
  const LIBRARIES = "/usr/lib";
  const mounted = [];

  // Mounts what `host.overlay` tells, in place of what was mounted before.  May run while Python does not: before its
  // memory is there.
  shared.mountOverlay = (Module = shared.module) => {
    const text = host.overlay();
    if (text === undefined) return;
    const { packages, files } = JSON.parse(text);
    const { API } = Module;
    const trees = { "site/": [], "lib/": [] };
    for (const [name, file, size] of files) {
      const end = name.indexOf("/") + 1;
      trees[name.slice(0, end)].push([name.slice(end), file, size]);
    }
    shared.files.byHost(() => {
      while (mounted.length > 0) shared.hostFs.unmount(mounted.pop());
      for (const [path, entries] of [
        [API.sitePackages, trees["site/"]],
        [LIBRARIES, trees["lib/"]],
      ]) {
        if (entries.length === 0) continue;
        shared.hostFs.mount(path, entries);
        mounted.push(path);
      }
    });
    shared.loadedPackages = packages;
    shared.nameLoadedPackages();
  };

  // For guests that ask pyodide_js, which is there only once Python is.
  shared.nameLoadedPackages = () => {
    const loaded = shared.pyodide?.loadedPackages;
    if (!loaded) return;
    for (const name of shared.loadedPackages ?? []) loaded[name] = "aardvark";
  };
}
