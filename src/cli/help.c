/* What --help says. */
#include "cli/cli.h"

#define TEXT(name) const char *const cli_help_##name[]

static const char call_options[] =
    "      --input JSON       the call's input\n"
    "      --input-file F     the same from a file; - is stdin\n"
    "      --stdin F          what the guest reads from its stdin, which is empty else; - is this one\n";

static const char guest_options[] =
    "      --language L       python or javascript\n"
    "      --package NAME     load a package of the distribution into Python; may be repeated\n"
    "      --env NAME=VALUE   a variable of the guest's environment, which has none of this one's; may be repeated\n"
    "      --distribution DIR the Pyodide to boot Python from; else $AARDVARK_PYODIDE_DIST_DIR, else the staged one\n"
    "      --isolation KIND   thread (the default), or process: a hardened process of its own\n"
    "      --require-hardening MEASURE[,MEASURE]\n"
    "                         run nothing where one of them is not in force: all, or what 'aardvark doctor' lists\n"
    "      --wall-ms N        stop the call after N milliseconds\n"
    "      --cpu-ms N         stop it after N milliseconds of processor time\n"
    "      --heap-mib N       let the guest's heap grow to N MiB at most\n"
    "      --capability NAME  grant a host capability; may be repeated\n"
    "      --filesystem MODE  what Python may write, at most: read or readWrite (the default)\n"
    "      --filesystem-quota BYTES\n"
    "                         how much of it; 64 MiB unless given\n"
    "      --mount HOST:GUEST[:rw]\n"
    "                         show the directory HOST to Python at GUEST; may be repeated\n"
    "      --allow-host H     let the guest reach host H: example.com, *.example.com, with or without :port; may be\n"
    "                         repeated.  Of a bundle with a manifest, only what that lists too\n"
    "      --allow-http       http too, unless the manifest forbids it; without it https only\n"
    "      --allow-private-addresses   loopback and private networks too\n"
    "      --no-network       nothing, whatever the manifest lists\n"
    "      --warm F           start Python from the warm state in F\n"
    "      --trace F          write what takes how long to F, which Perfetto and chrome://tracing open\n"
    "      --json             one outcome object on stdout and nothing else there\n"
    "  -v, --verbose          a summary of the call's diagnostics on stderr\n"
    "  -h, --help   -V, --version\n";

static const char statuses[] =
    "\nExit status: 0 success; 1 the guest failed; 2 usage; 3 an input was refused; 4 the host failed.\n";

static const char plain_options[] = "  -h, --help   -V, --version\n";

TEXT(top) = {
    "usage: aardvark COMMAND [OPTION]...\n"
    "Run Python and JavaScript in isolates of their own.\n\n"
    "  run BUNDLE.zip            call the handler of a bundle\n"
    "  exec -c CODE | FILE | -   run code and print the value of its last expression\n"
    "  session [BUNDLE.zip]      hold a session by JSON-RPC: code step by step, names stay\n"
    "  repl                      the same for a person: editing, history, completion\n"
    "  assets stage              stage a Pyodide distribution, which Python needs\n"
    "  assets verify [DIR]       check every file of a distribution\n"
    "  assets list               list the staged distributions\n"
    "  bundle pack DIR -o F.zip  make a bundle of a directory\n"
    "  bundle inspect F.zip      show what is in a bundle\n"
    "  warm build F.zip -o F     make a warm state of a bundle, so that its calls start fast\n"
    "  warm inspect F            show what a warm state was made of\n"
    "  doctor                    show what of isolation, limits and hardening is in force on this machine\n\n",
    plain_options,
    "\n'aardvark COMMAND --help' says more about each.\n",
    statuses,
    NULL,
};

TEXT(run) = {
    "usage: aardvark run BUNDLE.zip [OPTION]...\n"
    "Call the handler of a bundle, pass on what it writes, and print its value as JSON.\n\n"
    "      --entrypoint M:F   the handler, as module:export; default: the manifest's\n",
    call_options,
    guest_options,
    statuses,
    NULL,
};

TEXT(exec) = {
    "usage: aardvark exec [OPTION]... -c CODE | FILE | - [-- ARG...]\n"
    "Run code and print the value of its last expression, awaited: as JSON, or as its repr where JSON can't hold it;\n"
    "nothing for None, null and undefined.  The language is Python; of a FILE that ends in .js or .mjs it is\n"
    "JavaScript.  Python finds what follows -- in sys.argv, JavaScript in aardvark.argv.\n\n"
    "  -c CODE                the code itself\n",
    call_options,
    guest_options,
    statuses,
    NULL,
};

TEXT(session) = {
    "usage: aardvark session [BUNDLE.zip] [OPTION]...\n"
    "Hold a session by JSON-RPC 2.0 on stdin and stdout, one message a line: initialize, execute, call, cancel, clear,\n"
    "reset, files.write, files.read, files.list, files.remove, state.capture, state.restore.  Names stay from step to\n"
    "step.  The limits hold for each request.  The session ends with stdin.\n\n"
    "      --grace-ms N       milliseconds from a cancellation or limit, which Python sees as KeyboardInterrupt, to the\n"
    "                         end by force, which loses the state; 1000 unless given\n",
    guest_options,
    statuses,
    NULL,
};

TEXT(repl) = {
    "usage: aardvark repl [OPTION]...\n"
    "A session for a person: each step sees the names of those before, and its value is shown.  Lines are edited and\n"
    "remembered; Tab completes names of the guest.  Ctrl-C ends a step and keeps the session; Ctrl-D ends the session.\n\n"
    "      --grace-ms N       milliseconds from Ctrl-C or a limit, which Python sees as KeyboardInterrupt, to the end\n"
    "                         by force, which loses the state; 1000 unless given\n",
    guest_options,
    statuses,
    NULL,
};

TEXT(assets) = {
    "usage: aardvark assets stage|verify|list [OPTION]...\n"
    "Pyodide distributions: stage one, check every file of one, list them.\n\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(stage) = {
    "usage: aardvark assets stage [OPTION]...\n"
    "Stage a Pyodide distribution: fetch or unpack it, check every file, prepare it for fast starts, and print its\n"
    "directory.\n"
    "Distributions are kept in $AARDVARK_HOME/distributions, by default ~/.local/share/aardvark/distributions.\n\n"
    "      --version V        the version of Pyodide\n"
    "      --variant KIND     core (default) or full\n"
    "      --archive F        a release archive, the npm package, or a directory that holds either unpacked;\n"
    "                         default: the npm package, fetched with npm (core only)\n"
    "      --wheel F          a wheel to add; may be repeated\n"
    "      --force            stage again what is already there, and in place of anything else of its name\n"
    "      --lock-timeout S   wait for another staging for so many seconds; default: 600\n"
    "      --no-prepare       leave out what only makes later starts faster\n"
    "      --json             the result as a JSON object\n"
    "  -q, --quiet            no progress\n"
    "  -h, --help   -V        (--version has a value here)\n",
    statuses,
    NULL,
};

TEXT(verify) = {
    "usage: aardvark assets verify [OPTION]... [DIR]\n"
    "Compare every file of a distribution with its hash, and rebuild its cache; without DIR, of the distribution that is\n"
    "used by default.\n\n"
    "      --keep-cache       leave the cache as it is, unchecked\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(list) = {
    "usage: aardvark assets list [OPTION]...\n"
    "List the staged distributions.\n\n"
    "      --json             as a JSON array\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(bundle) = {
    "usage: aardvark bundle pack|inspect [OPTION]...\n"
    "Bundles: make one of a directory, show what is in one.\n\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(pack) = {
    "usage: aardvark bundle pack DIR -o FILE.zip\n"
    "Make a bundle of the files below DIR.  Equal files give equal bundles, byte by byte.\n\n"
    "  -o, --output FILE.zip  the bundle to write; it is replaced where it is there\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(inspect) = {
    "usage: aardvark bundle inspect FILE.zip [OPTION]...\n"
    "Check a bundle and show its digest, its manifest and its files.\n\n"
    "      --json             as a JSON object\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(warm) = {
    "usage: aardvark warm build|inspect [OPTION]...\n"
    "Warm states: keep Python as it is with a bundle's packages loaded and its preload imports done.\n\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(warm_build) = {
    "usage: aardvark warm build BUNDLE.zip -o FILE [OPTION]...\n"
    "Load a bundle and its packages, do the preloadImports of its manifest, and write Python's state to FILE, which\n"
    "'aardvark run BUNDLE.zip --warm FILE' then starts from.\n\n"
    "  -o, --output FILE      the warm state to write; it is replaced where it is there\n"
    "      --distribution DIR the Pyodide to boot Python from; else $AARDVARK_PYODIDE_DIST_DIR, else the staged one\n"
    "      --wall-ms N        give up when the imports take longer\n"
    "      --capability NAME  grant a host capability; may be repeated\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(warm_inspect) = {
    "usage: aardvark warm inspect FILE [OPTION]...\n"
    "Check a warm state and show what it was made of.\n\n"
    "      --json             as a JSON object\n",
    plain_options,
    statuses,
    NULL,
};

TEXT(doctor) = {
    "usage: aardvark doctor [OPTION]...\n"
    "Start a guest in a thread and one in a process, and show what of isolation, limits and hardening is in force on\n"
    "this machine: for each measure that is not, why, and what it needs.\n\n"
    "      --json             as a JSON object\n",
    plain_options,
    "\nExit status: 0 all is in force; 2 usage; 4 something is missing.\n",
    NULL,
};
