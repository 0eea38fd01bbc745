/* Made by pyodide-stage/update-pins.py from pyodide-stage/pins.json; edit neither by hand. */
/* clang-format off */
#include "distribution/pins.h"

const aard__pins aard__pins_0_29 = {
    .version = "0.29.4",
    .python = "3.13.2",
    .abi_version = "2025_0",
    .platform = "emscripten_4_0_9",
    .npm_sha512 =
        "b42b1e4eca94de44b16488e4b9ee735f14cc344c2b299c0e20811044103f5731"
        "f114dd61a02c5ee30e35a617c274777d8adf517023506f92bf45ed089ea320bc",
    .files =
        {
            {.name = "pyodide-lock.json",
             .size = 122027,
             .sha256 = "14d2c2dba101277999e17135e653d8f15389ad1437f53eae213bf0c3cdff723d",
             .blake2b = "311c1cf0b107b4026fc888c98f703323997846a66ea473af8e503ccd80cde741"},
            {.name = "pyodide.asm.js",
             .size = 1074322,
             .sha256 = "fe75e97ef2c7a10c41f23b96344c553c7c1c62821bb206080dbb24941c06d5f3",
             .blake2b = "09bb53f24317b477b37bf16dfcf3494a5cbfcb15322cd4509a3e62fcae5f197d"},
            {.name = "pyodide.asm.wasm",
             .size = 8647684,
             .sha256 = "10090fe41e019ae669d512e1f747021a8db2aaab0f6dd6f85fa9368c55d681e3",
             .blake2b = "ccf7c406b3ed1672a17fdcb7d3708ee23063b48ddfd71c137879b7bdd8224bfd"},
            {.name = "python_stdlib.zip",
             .size = 2424002,
             .sha256 = "92cb24faa546818f3ef4050fd5bd2b6487bd2042efed2113af141d035f30efb4",
             .blake2b = "d4662c7e373117bca7c08696e407bd3ea37915c79672c39e1d06261c608f794c"},
        },
};
