"""The bindings for ctypes at work: aardvark.py is made from the headers by scripts/api.py (tests/test_bindings.sh)."""

import io
import sys
import zipfile
from ctypes import POINTER, Structure, byref, c_char_p, c_size_t, c_void_p, memset, sizeof, string_at

import aardvark as aard

MANIFEST = """{"schemaVersion": "1.0", "entrypoint": "main:f", "packages": [], "runtime": {"language": "javascript"}}"""

failed = 0


def check(name, good, *told):
    global failed
    failed += not good
    print(f"{'ok' if good else 'not ok'} {name}", *([] if good else told), flush=True)


def made(kind, make, *arguments):
    """What a function gives by its last argument."""
    out = POINTER(kind)()
    make(*arguments, byref(out))
    return out


def text(read, outcome):
    length = c_size_t()
    data = read(outcome, byref(length))
    return data[: length.value] if data else None


def config_of(language):
    config = made(aard.aard_isolate_config, aard.aard_isolate_config_new)
    aard.aard_isolate_config_set_language(config, language)
    return config


def bundle_of(files):
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made(aard.aard_bundle, aard.aard_bundle_from_bytes, room.getvalue(), len(room.getvalue()), None)


def execute(isolate, source, call=None):
    return made(aard.aard_outcome, aard.aard_isolate_exec, isolate, source, len(source), None, call)


def value_of(isolate, source, call=None):
    outcome = execute(isolate, source, call)
    value = text(aard.aard_outcome_value_json, outcome) or aard.aard_outcome_failure_message(outcome)
    aard.aard_outcome_free(outcome)
    return value


def try_numbers():
    """What the compiler says of structures and numbers, one a line: an expression of this module, and its value."""
    wrong = []
    for line in sys.stdin:
        expression, value = line.rsplit(" ", 1)
        have = eval(expression, {**vars(aard), "ctypes": aard.ctypes})
        if int(have) != int(value):
            wrong.append(f"{expression} is {int(have)} and not {int(value)}")
    check("structures and numbers are the compiler's", not wrong, wrong)


def try_functions():
    bound = [name for name, *_ in aard.FUNCTIONS if callable(getattr(aard, name, None))]
    check("all functions are bound", len(bound) == len(aard.FUNCTIONS) == int(sys.argv[2]), len(bound))
    check("the library is of the headers' version", aard.aard_version().decode() == aard.VERSION)


def try_errors():
    try:
        aard.aard_isolate_exec(None, b"1", 1, None, None, byref(POINTER(aard.aard_outcome)()))
    except aard.Error as error:
        is_right = error.code == aard.AARD_ERR_INVALID_ARGUMENT and "aard_isolate_exec" in str(error)
        check("an error is an exception", is_right, repr(error))
    else:
        check("an error is an exception", False)


def set_hooks():
    """Before anything else; gives what is heard.  The callback has to live as long as the library."""
    heard = []
    on_trace = aard.aard_trace_callback(lambda user, event: heard.append((event[0].phase, event[0].name)))
    aard.aard_hooks_set(byref(aard.aard_hooks(struct_size=sizeof(aard.aard_hooks), trace=on_trace)))
    return heard, on_trace


def try_hooks(heard):
    names = {name for _, name in heard}
    check("hooks hear of spans", {b"boot", b"request", b"call", b"host_function"} <= names, names)
    begun = sum(phase == aard.AARD_TRACE_BEGIN for phase, _ in heard)
    check("each of which ends", begun * 2 == len(heard), begun, len(heard))


def some_objects():
    """One of each type that has a list."""
    config = config_of(aard.AARD_LANGUAGE_JAVASCRIPT)
    isolate = made(aard.aard_isolate, aard.aard_isolate_new, config)
    bundle = bundle_of({"main.js": "1", "aardvark.manifest.json": MANIFEST})
    return {
        aard.aard_isolate_config: config,
        aard.aard_bundle: bundle,
        aard.aard_manifest: aard.aard_bundle_manifest(bundle),
        aard.aard_outcome: execute(isolate, b"1"),
        aard.aard_call: made(aard.aard_call, aard.aard_call_new),
        aard.aard_distribution: made(aard.aard_distribution, aard.aard_distribution_open, None),
    }


def filled(kind):
    """An output, with something in it."""
    output = kind()
    memset(byref(output), 1, sizeof(output))
    return output


def is_record(result):
    kind = getattr(result, "_type_", None)
    return isinstance(kind, type) and issubclass(kind, Structure) and kind is not aard.aard_error


def try_indices():
    """An index that is too large: NULL or 0, and the outputs become so."""
    objects, wrong, tried = some_objects(), [], 0
    for name, result, arguments in aard.FUNCTIONS:
        outputs_only = all(isinstance(getattr(argument, "_type_", None), type) for argument in arguments[2:])
        gives = result is c_char_p or is_record(result) or (result is None and len(arguments) > 2)
        if len(arguments) < 2 or arguments[1] is not c_size_t or not gives or not outputs_only:
            continue
        for which in (None, objects.get(arguments[0]._type_)):
            outputs = [filled(argument._type_) for argument in arguments[2:]]
            given = getattr(aard, name)(which, 2**64 - 1, *map(byref, outputs))
            tried += 1
            if given or any(any(bytes(output)) for output in outputs):
                wrong.append(name)
    check("an index that is too large gives nothing", not wrong and tried > 25, tried, wrong)


def try_guest(language, source, other):
    """Host function, output and the user's own pointers."""
    name = language.name.rsplit("_", 1)[1].capitalize()
    written, asked, finalized = [], [], []

    @aard.aard_stream_callback
    def on_output(context, user, stream, data, length):
        written.append((aard.aard_stream(stream), data[:length], user))

    @aard.aard_host_function
    def double(context, user, data, length, reply):
        asked.append((data[:length], aard.aard_call_context_user(context)))
        answer = str(int(data[:length]) * 2).encode()
        aard.aard_reply_set_json(reply, answer, len(answer))

    finalizer = aard.aard_finalizer(finalized.append)
    config = config_of(language)
    aard.aard_isolate_config_set_stream_callback(config, on_output, 17, finalizer)
    aard.aard_isolate_config_add_function(config, b"double", double, 18, finalizer)
    aard.aard_isolate_config_add_capability(config, b"double")
    isolate = made(aard.aard_isolate, aard.aard_isolate_new, config)
    aard.aard_isolate_config_free(config)
    call = made(aard.aard_call, aard.aard_call_new)
    aard.aard_call_set_user(call, 19)
    value = value_of(isolate, source, call)
    check(f"{name} calls the host", value == b"42" and asked == [(b"21", 19)], value, asked)
    check(f"{name} writes", written == [(aard.AARD_STREAM_STDOUT, b"a\0b\n", 17)], written)
    outcome = execute(isolate, other)
    message = aard.aard_outcome_failure_message(outcome)
    check(f"{name} fails", not aard.aard_outcome_is_success(outcome) and b"no" in message, message)
    diagnostics = aard.aard_outcome_diagnostics(outcome).contents
    check(f"{name} is measured", diagnostics.wall_ms > 0 and diagnostics.isolate_id > 0)
    json, length = c_void_p(), c_size_t()
    aard.aard_outcome_json(outcome, byref(json), byref(length))
    check(f"{name}'s outcome is JSON", string_at(json, length.value).startswith(b"{"))
    aard.aard_string_free(json)
    aard.aard_outcome_free(outcome)
    aard.aard_call_free(call)
    aard.aard_isolate_free(isolate)
    check(f"{name}'s callbacks are finalized", sorted(finalized) == [17, 18], finalized)


def try_input():
    bundle = bundle_of({"main.js": "export const f = (input) => input.a;"})
    isolate = made(aard.aard_isolate, aard.aard_isolate_new, config_of(aard.AARD_LANGUAGE_JAVASCRIPT))
    aard.aard_isolate_load_bundle(isolate, bundle)
    aard.aard_bundle_free(bundle)
    handler = made(aard.aard_handler, aard.aard_handler_new, isolate, b"main:f")
    call = made(aard.aard_call, aard.aard_call_new)
    finalized = []
    data, finalizer = b'{"a": 7}', aard.aard_finalizer(finalized.append)
    aard.aard_call_take_input_json(call, data, len(data), finalizer, 5)
    outcome = made(aard.aard_outcome, aard.aard_handler_invoke, handler, call)
    value = text(aard.aard_outcome_value_json, outcome)
    aard.aard_outcome_free(outcome)
    check("an input is handed over", value == b"7", value)
    aard.aard_call_free(call)
    check("and finalized", finalized == [5], finalized)
    aard.aard_handler_free(handler)
    aard.aard_isolate_free(isolate)


def main():
    aard.load(sys.argv[1])
    heard, _on_trace = set_hooks()
    try_numbers()
    try_functions()
    try_errors()
    try_indices()
    try_guest(
        aard.AARD_LANGUAGE_JAVASCRIPT, b"console.log('a\\0b'); await aardvark.host.double(21)", b"throw new Error('no')"
    )
    try_guest(
        aard.AARD_LANGUAGE_PYTHON,
        b"from aardvark import host\nprint('a\\0b')\nhost.double(21)",
        b"raise ValueError('no')",
    )
    try_input()
    try_hooks(heard)
    sys.exit(failed != 0)


main()
