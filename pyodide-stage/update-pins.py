#!/usr/bin/env python3
"""Pins a Pyodide release: writes pins.json and, from it, src/distribution/pins.c.

    npm pack pyodide@VERSION
    npm view pyodide@VERSION dist.integrity        # compare with what the script prints
    pyodide-stage/update-pins.py pyodide-VERSION.tgz
    pyodide-stage/update-pins.py                   # only makes pins.c from pins.json again
    pyodide-stage/update-pins.py --check           # fails where pins.c is not what pins.json makes

Nothing of the package is run.  The script wants Python 3.9 or later and nothing else.
"""

import base64
import hashlib
import json
import pathlib
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINS = ROOT / "pyodide-stage" / "pins.json"
TABLE = ROOT / "src" / "distribution" / "pins.c"

FILES = ["pyodide-lock.json", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]


def pin_tarball(path):
    """Everything that is pinned of one npm tarball."""
    packed = pathlib.Path(path).read_bytes()
    with tarfile.open(path) as tar:
        content = {name: tar.extractfile(f"package/{name}").read() for name in [*FILES, "package.json"]}
    lock = json.loads(content["pyodide-lock.json"])["info"]
    sha512 = hashlib.sha512(packed)
    print("integrity: sha512-" + base64.b64encode(sha512.digest()).decode())
    return {
        "version": json.loads(content["package.json"])["version"],
        "npm_sha512": sha512.hexdigest(),
        "python": lock["python"],
        "abi_version": lock["abi_version"],
        "platform": lock["platform"],
        "files": {
            name: {
                "size": len(content[name]),
                "sha256": hashlib.sha256(content[name]).hexdigest(),
                "blake2b": hashlib.blake2b(content[name], digest_size=32).hexdigest(),
            }
            for name in FILES
        },
    }


def table(pins):
    """The C source that holds the pins."""
    lines = [
        "/* Made by pyodide-stage/update-pins.py from pyodide-stage/pins.json; edit neither by hand. */",
        "/* clang-format off */",
        '#include "distribution/pins.h"',
        "",
        "const aard__pins aard__pinned = {",
        *(
            f"    .{key} = {json.dumps(pins[key])},"
            for key in ("version", "python", "abi_version", "platform")
        ),
        "    .npm_sha512 =",
        f'        "{pins["npm_sha512"][:64]}"',
        f'        "{pins["npm_sha512"][64:]}",',
        "    .files =",
        "        {",
    ]
    for name in sorted(pins["files"]):
        file = pins["files"][name]
        lines += [
            f'            {{.name = "{name}",',
            f'             .size = {file["size"]},',
            f'             .sha256 = "{file["sha256"]}",',
            f'             .blake2b = "{file["blake2b"]}"}},',
        ]
    return "\n".join([*lines, "        },", "};", ""])


def main(arguments):
    if arguments == ["--check"]:
        if TABLE.read_text() != table(json.loads(PINS.read_text())):
            sys.exit(f"{TABLE} is not what {PINS} makes: run {__file__}")
        return
    if arguments:
        PINS.write_text(json.dumps(pin_tarball(arguments[0]), indent=2) + "\n")
    TABLE.write_text(table(json.loads(PINS.read_text())))


main(sys.argv[1:])
