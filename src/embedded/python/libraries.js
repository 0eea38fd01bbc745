// Native libraries of packages.  Their code and their places in the function table are not in Python's memory: a guest
// that starts from an image has to load the same libraries in the same order to the same places before its memory is there.
//
// The glue, as it is prelinked, asks `placeLibrary` for the memory of a library, and while `replayed` is there asks it for
// the file of a library that another one needs, and leaves the memory of what it loads alone.
(host, shared) => {
  "use strict";
  const MAIN = "__main__"; // what the glue calls Python itself
  // Of each library, in the order of loading: where its memory begins, how long the function table was, and which of its
  // places were free.
  const places = [];
  let recorded; // while loads are replayed

  const fail = (name, what) => {
    throw new Error(`the native library '${name}' ${what}`);
  };

  // Their JavaScript runs where they are loaded again, before there is a guest.
  const checkPackages = (list) => {
    for (const { name } of list) {
      if (!shared.files.isPackaged(name)) fail(name, "is of no package: what a guest has loaded otherwise can't be loaded again");
    }
  };

  const base = (name) => name.slice(name.lastIndexOf("/") + 1);

  // Callbacks for C take places in the function table, too, and a library may get one that was given back.  So a replay
  // leaves gaps where others were, and has the same places to give; in the end no gap may be in use.
  const gaps = [];
  const growTable = (Module, length, free) => {
    const { wasmTable, freeTableIndexes } = Module;
    if (wasmTable.length > length) takenBy(length);
    for (let i = wasmTable.length; i < length; i++) gaps.push(i);
    wasmTable.grow(length - wasmTable.length);
    freeTableIndexes.splice(0, freeTableIndexes.length, ...free);
  };

  const takenBy = (index) => {
    throw new Error(
      `place ${index} of the function table is taken by what can't be loaded again: a callback for C (ctypes), most likely`,
    );
  };

  // As a method of the module.
  function place(size, allocate) {
    if (!recorded) {
      const at = allocate(size, 1);
      places.push([at, this.wasmTable.length, [...this.freeTableIndexes]]);
      return at;
    }
    if (places.length >= recorded.places.length) fail("of a package", "has no place in the image");
    const [at, table, free] = recorded.places[places.length];
    growTable(this, table, free);
    places.push([at, table, free]);
    return at;
  }

  const loaded = (Module) => Object.entries(Module.LDSO.loadedLibsByName).filter(([name]) => name !== MAIN);

  const needs = (Module, name) => Module.getDylinkMetadata(Module.FS.readFile(name)).neededDynlibs;

  // What a library needs is loaded before it.
  const inOrder = (Module) => {
    const names = loaded(Module).map(([name]) => name);
    const ordered = [];
    const visit = (name) => {
      if (ordered.includes(name)) return;
      let wanted;
      try {
        wanted = needs(Module, name);
      } catch {
        fail(name, "is not there any more, so that it can't be loaded again");
      }
      for (const needed of wanted) {
        const found = names.find((other) => base(other) === base(needed));
        if (found !== undefined && found !== name) visit(found);
      }
      if (!ordered.includes(name)) ordered.push(name);
    };
    names.forEach(visit);
    return ordered;
  };

  const describe = (Module) => {
    const { loadedLibsByName, loadedLibsByHandle } = Module.LDSO;
    const list = inOrder(Module).map((name) => {
      const library = loadedLibsByName[name];
      if (library.exports === "loading") fail(name, "is being loaded");
      const handles = Object.keys(loadedLibsByHandle).filter((handle) => loadedLibsByHandle[handle] === library);
      const references = library.refcount === Infinity ? -1 : library.refcount;
      return { name, global: Boolean(library.global), references, handles: handles.map(Number) };
    });
    checkPackages(list);
    const withMemory = list.filter(({ name }) => Module.getDylinkMetadata(Module.FS.readFile(name)).memorySize > 0);
    if (withMemory.length > places.length) {
      fail(withMemory[0].name, "was loaded without noting where; prepare the distribution (aardvark assets stage)");
    }
    if (withMemory.length < places.length) fail("of a package", "could not be loaded and left traces");
    return { list, places, table: Module.wasmTable.length, free: Module.freeTableIndexes };
  };

  const loadOne = (Module, { name, global, references, handles }) => {
    const { LDSO } = Module;
    Module.loadDynamicLibrary(name, { global, nodelete: references < 0 }, global ? null : {});
    const library = LDSO.loadedLibsByName[name];
    library.refcount = references < 0 ? Infinity : references;
    for (const handle of handles) LDSO.loadedLibsByHandle[handle] = library;
  };

  const replay = (Module, image) => {
    checkPackages(image.list);
    recorded = image;
    Module.replayed = (wanted) => image.list.find(({ name }) => base(name) === base(wanted))?.name;
    try {
      for (const library of image.list) loadOne(Module, library);
      if (places.length !== image.places.length) fail("of a package", "takes no place, unlike in the image");
      growTable(Module, image.table, image.free);
      for (const gap of gaps) if (!Module.wasmTable.get(gap) && !image.free.includes(gap)) takenBy(gap);
    } finally {
      recorded = undefined;
      Module.replayed = undefined;
    }
  };

  shared.libraries = { place, describe, replay };
}
