// What stands in an image besides the memory (adapter.js's capture()), checked before any of it is done: who writes an image
// may be nobody's friend, and a start does for it what no guest may.  Memory needs no check: what runs in it is a guest.
(host, shared) => {
  "use strict";

  const fail = (what) => {
    throw new Error(`the image was not made by a capture: ${what}`);
  };
  const check = (right, what) => right || fail(what);

  const isObject = (value) => typeof value === "object" && value !== null;
  const isCount = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  const areCounts = (list) => Array.isArray(list) && list.every(isCount);
  const isText = (value) => typeof value === "string";

  const DIRECTORY = 0o40000;
  const FILE = 0o100000;
  const LINK = 0o120000;
  const KINDS = [DIRECTORY, FILE, LINK];
  const kindOf = (mode) => mode & ~0o7777;

  // An absolute path that means the same to whoever reads it.
  const isPlain = (path) => isText(path) && /^(\/[^/\0]+)+$/.test(path) && !/\/\.\.?(\/|$)/.test(path);

  const isBelow = (path, place) => path === place || path.startsWith(`${place}/`);

  // Links are made last (rest.js): so a file's path leads through directories that are there or in the image.
  const checkFile = (file, links) => {
    check(Array.isArray(file), "one of its files is none");
    const [path, mode, time, contents] = file;
    const named = (what) => check(false, `${what} '${path}'`);
    if (!isPlain(path) || !shared.rest.places.some((place) => isBelow(path, place))) named("no guest could write the file");
    if (!isCount(mode) || !KINDS.includes(kindOf(mode))) named("no guest could make the file");
    if (!Number.isFinite(time)) named("there is no such time as that of");
    if (kindOf(mode) !== DIRECTORY && !isText(contents)) named("there are no contents of");
    if (kindOf(mode) !== DIRECTORY && shared.rest.places.includes(path)) named("it has no directory");
    for (const link of links) if (isBelow(path, link)) named("a link is in the way of");
    if (kindOf(mode) === LINK) links.push(path);
  };

  const checkRest = (rest) => {
    check(isObject(rest) && Array.isArray(rest.files), "it does not say what files there are");
    check(isText(rest.directory), "it does not say which is the working directory");
    const links = [];
    for (const file of rest.files) checkFile(file, links);
  };

  const isLibrary = (entry) =>
    isObject(entry) && isText(entry.name) && Number.isInteger(entry.references) && areCounts(entry.handles);
  const isPlace = (place) =>
    Array.isArray(place) && place.length === 3 && isCount(place[0]) && isCount(place[1]) && areCounts(place[2]);

  const checkLibraries = (libraries) => {
    const { list, places, table, free } = isObject(libraries) ? libraries : {};
    const right = Array.isArray(list) && list.every(isLibrary) && Array.isArray(places) && places.every(isPlace);
    check(right && isCount(table) && areCounts(free), "it does not say which libraries there are");
    for (const { name } of list) {
      const packaged = isPlain(name) && /^(\/usr\/lib|\/lib\/python\d+\.\d+\/site-packages)\//.test(name);
      check(packaged, `no package has the library '${name}'`);
    }
  };

  const isOfEveryGuest = (key) => key === null || (isObject(key) && !("path" in key) && (key.API || key.abortSignalAny));

  // Only with the capability "js" does a guest come to objects of the realm.
  const isOfRealm = ({ serialized: path, ...rest }) =>
    Array.isArray(path) && path.every(isText) && Object.keys(rest).length === 0;

  const checkReferences = (references) => {
    const { hiwireKeys, immortalKeys } = isObject(references) ? references : {};
    check(Array.isArray(hiwireKeys) && Array.isArray(immortalKeys), "it does not say what objects of JavaScript there are");
    for (const key of hiwireKeys) {
      const right = isOfEveryGuest(key) || (shared.grantsJavaScript && isOfRealm(key));
      check(right, `no guest could have the object of JavaScript ${JSON.stringify(key)}`);
    }
    check(immortalKeys.every(isText), "a string of JavaScript is none");
  };

  // The image that `text` describes.
  shared.readImage = (text) => {
    let image;
    try {
      image = JSON.parse(text);
    } catch {
      fail("it is not JSON");
    }
    check(isObject(image), "it is not a JSON object");
    check(isCount(image.memoryBytes) && image.memoryBytes === host.imageBytes(), "its memory is not as long as it says");
    check(isCount(image.version), "it does not say of which Python it is");
    check(Number.isFinite(image.now), "it does not say what its clock showed");
    checkRest(image.rest);
    checkLibraries(image.libraries);
    checkReferences(image.hiwire);
    check(isObject(image.pointers), "it does not say where its functions are");
    for (const name of shared.entryPoints) check(isCount(image.pointers[name]), `there is no function '${name}'`);
    return image;
  };
}
