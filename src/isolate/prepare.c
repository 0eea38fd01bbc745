/* Preparing a distribution: guests are booted and put to work once, and what the engine compiled and Python's memory
 * looked like is kept. */
#include <aardvark/warm.h>
#include <string.h>

#include "base/alloc.h"
#include "isolate/python_shared.h"

/* Work whose functions are worth having compiled: what nearly every guest does. */
static const char training[] =
    "import asyncio, collections, dataclasses, datetime, functools, io, itertools, json, math, random, re, time\n"
    "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)\n"
    "f(12)\n"
    "text = json.dumps({'a': [1, 2.5, 'x', None, True, {'b': 'é'}], 's': 'x' * 1000}, ensure_ascii=False)\n"
    "json.loads(text)\n"
    "sorted([random.random() for _ in range(100)], key=lambda x: -x)\n"
    "re.findall(r'(\\w+)@(\\w+)', 'a@b c@d' * 10)\n"
    "@dataclasses.dataclass\n"
    "class P:\n"
    "    x: int = 0\n"
    "d = collections.defaultdict(list); d['a'].append(P(3)); repr(d), sum(range(100)), 2 ** 200 // 7, '%.3f' % math.pi\n"
    "datetime.datetime.now().isoformat(); io.StringIO('a\\nb').readlines(); bytes(range(256)).hex()\n"
    "try:\n"
    "    1 / 0\n"
    "except ZeroDivisionError as e:\n"
    "    str(e)\n"
    "with open('/tmp/x', 'w') as h: h.write('y')\n"
    "import os; os.remove('/tmp/x'); os.listdir('/')\n"
    "async def g():\n"
    "    await asyncio.sleep(0)\n"
    "    return [i async for i in h2()]\n"
    "async def h2():\n"
    "    for i in range(3): yield i\n"
    "print('trained')\n"
    "await g()\n";

static aard_error *exec(aard__guest *guest, const char *source)
{
    aard_outcome *outcome;
    AARD__TRY(aard__outcome_new(&outcome));
    aard__buf_clear(&guest->result);
    aard__buf_clear(&guest->report);
    aard__state state = guest->ops->execute(guest, source, strlen(source), "<prepare>", "{\"x\":1}", 7, outcome);
    state = aard__guest_wait(guest, state, outcome);
    if (state == AARD__DONE) aard__guest_collect(guest, outcome);
    aard_error *error = NULL;
    if (state != AARD__DONE || !aard_outcome_is_success(outcome))
        error = aard__error(AARD_ERR_GUEST_BOOT, "a guest that was to prepare the distribution failed: %s",
                            aard_outcome_is_success(outcome) ? "it broke" : aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
    return error;
}

static aard_error *write_base_image(aard__guest *guest)
{
    aard__image *image = NULL;
    char *path = NULL;
    aard_error *error = aard__guest_capture(guest, &image);
    if (!error) error = aard__derived_path(guest->distribution, AARD__BASE_IMAGE, true, &path);
    if (!error) error = aard__image_save(image, path);
    aard__free(path);
    aard__image_free(image);
    return error;
}

/* Boots a guest and puts it to work; `first` starts from nothing and is captured before. */
static aard_error *run_guest(aard_distribution *distribution, bool first, aard__buf *glue_code)
{
    aard__guest *guest;
    aard__guest_options options = {
        .language = AARD_LANGUAGE_PYTHON, .distribution = distribution, .capturing = first, .keep_glue = true, .streams = {.limit = 4096}};
    AARD__TRY(aard__guest_new(&options, &guest));
    aard__vm_enter(guest->vm);
    aard_error *error = first ? write_base_image(guest) : NULL;
    if (!error) error = exec(guest, training);
    if (!error && guest->glue) aard__script_code(guest->glue, glue_code);
    aard__script_free(guest->glue);
    guest->glue = NULL;
    aard__vm_leave(guest->vm);
    aard__guest_free(guest);
    return error;
}

static aard_error *write_code(aard_distribution *distribution, const aard__buf *glue_code)
{
    const char *key = aard__engine_code_key();
    aard__buf wasm_code = AARD__BUF_INIT;
    aard_error *error = glue_code->failed ? aard__error_no_memory() : NULL;
    if (!error) error = aard__python_serialize(distribution, &wasm_code);
    if (!error) error = aard__derived_write(distribution, AARD__DERIVED_WASM, key, wasm_code.data, wasm_code.len);
    if (!error) error = aard__derived_write(distribution, AARD__DERIVED_GLUE, key, glue_code->data, glue_code->len);
    aard__buf_free(&wasm_code);
    return error;
}

bool aard_distribution_is_prepared(aard_distribution *distribution)
{
    static const char *const files[] = {AARD__DERIVED_WASM, AARD__DERIVED_GLUE};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        aard__derived derived;
        if (!aard__derived_open(distribution, files[i], aard__engine_code_key(), &derived)) return false;
        aard__derived_close(&derived);
    }
    aard__image *image = aard__python_open_image(distribution);
    aard__image_free(image);
    return image != NULL;
}

aard_error *aard_distribution_prepare(aard_distribution *distribution, bool force)
{
    if (!force && aard_distribution_is_prepared(distribution)) return NULL;
    if (!aard__engine_record_code(true))
        return aard__error(AARD_ERR_BUSY,
                           "a distribution can't be prepared while the process has isolates; do it before making any");
    aard__buf glue_code = AARD__BUF_INIT;
    aard__python_forget(distribution);
    aard_error *error = run_guest(distribution, true, &glue_code);
    if (!error) error = aard__python_adopt_image(distribution);
    if (!error) {
        aard__buf_clear(&glue_code);
        error = run_guest(distribution, false, &glue_code);
    }
    bool usual = aard__engine_record_code(false);
    if (!error && !usual) error = aard__error(AARD_ERR_ENGINE, "this engine's compiled code can't be kept");
    if (!error) error = write_code(distribution, &glue_code);
    aard__python_forget(distribution);
    aard__buf_free(&glue_code);
    return error;
}
