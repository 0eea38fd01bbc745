#!/usr/bin/env python3
"""Pins releases of Pyodide, one a line (0.29, 314.0): writes pins.json and, from it, src/distribution/pins.c.

    npm pack pyodide@VERSION
    npm view pyodide@VERSION dist.integrity        # compare with what the script prints
    pyodide-stage/update-pins.py pyodide-VERSION.tgz
    pyodide-stage/update-pins.py                   # only makes pins.c from pins.json again
    pyodide-stage/update-pins.py --check           # fails where pins.c is not what pins.json makes

A release takes the place of the one of its line.  A new line also needs a row in src/distribution/lines.c, its pins named
in pins.h, and a folder of src/embedded.

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

FILES = ["pyodide-lock.json", "pyodide.asm.wasm", "python_stdlib.zip"]
GLUE = ["pyodide.asm.js", "pyodide.asm.mjs"]  # whichever there is


def pin_tarball(path):
    """Everything that is pinned of one npm tarball."""
    packed = pathlib.Path(path).read_bytes()
    with tarfile.open(path) as tar:
        names = [*FILES, *(name for name in GLUE if f"package/{name}" in tar.getnames())]
        content = {name: tar.extractfile(f"package/{name}").read() for name in [*names, "package.json"]}
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
            for name in sorted(names)
        },
    }


def line_of(version):
    """0.29 of 0.29.4."""
    return version.rsplit(".", 1)[0]


def one(pins):
    """The C constant that holds the pins of a release."""
    lines = [
        "",
        f"const aard__pins aard__pins_{line_of(pins['version']).replace('.', '_')} = {{",
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
    return [*lines, "        },", "};"]


def table(releases):
    """The C source that holds them all."""
    lines = [
        "/* Made by pyodide-stage/update-pins.py from pyodide-stage/pins.json; edit neither by hand. */",
        "/* clang-format off */",
        '#include "distribution/pins.h"',
    ]
    for pins in releases:
        lines += one(pins)
    return "\n".join([*lines, ""])


def main(arguments):
    if arguments == ["--check"]:
        if TABLE.read_text() != table(json.loads(PINS.read_text())):
            sys.exit(f"{TABLE} is not what {PINS} makes: run {__file__}")
        return
    if arguments:
        pins = pin_tarball(arguments[0])
        others = [p for p in json.loads(PINS.read_text()) if line_of(p["version"]) != line_of(pins["version"])]
        PINS.write_text(json.dumps(sorted([*others, pins], key=lambda p: p["version"]), indent=2) + "\n")
    TABLE.write_text(table(json.loads(PINS.read_text())))


main(sys.argv[1:])
