/* Preparing a distribution: guests are booted and put to work once, and what the engine compiled and Python's memory
 * looked like is kept. */
#include <aardvark/warm.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/new_file.h"
#include "base/process.h"
#include "distribution/distribution.h"
#include "guest/javascript/javascript.h"
#include "guest/python/python.h"
#include "guest/python/python_guest.h"
#include "guest/python/python_shared.h"
#include "guest/snapshot.h"

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
    "import importlib, inspect, sys\n"
    "os.mkdir('/tmp/m')\n"
    "with open('/tmp/m/trained.py', 'w') as h: h.write('\"\"\"A module.\"\"\"\\ndef f(x=None):\\n    return {\"x\": f\"{x}\"}\\n')\n"
    "sys.path.insert(0, '/tmp/m')\n"
    "inspect.signature(importlib.import_module('trained').f)\n"
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
    aard__buf_clear(&guest->call.result);
    aard__buf_clear(&guest->call.report);
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
    aard_error *error = guest->ops->capture(guest, &image);
    if (!error) error = aard__derived_path(guest->start.distribution, AARD__BASE_IMAGE, true, &path);
    if (!error)
        error = aard__image_save(image, path, AARD__MODE_RUN, aard__distribution_key(guest->start.distribution));
    aard__free(path);
    aard__image_free(image);
    return error;
}

/* What is made on the way. */
typedef struct preparation {
    aard_distribution *distribution;
    aard__prelinked prelinked; /* empty where the distribution can't be prelinked */
    aard__python_layout layout;
} preparation;

/* Boots a guest from nothing and captures it. */
static aard_error *make_image(preparation *p)
{
    aard__guest *guest;
    const aard__python_options own = {.capturing = true,
                                      .recording = true,
                                      .prelinked = p->prelinked.wasm.len ? &p->prelinked : NULL,
                                      .layout = p->layout.name};
    aard__guest_options options = {
        .ops = &aard__python, .distribution = p->distribution, .own = &own, .streams = {.limit = 4096}};
    AARD__TRY(aard__guest_new(&options, &guest));
    aard__vm_enter(guest->vm);
    aard_error *error = write_base_image(guest);
    aard__vm_leave(guest->vm);
    aard__guest_free(guest);
    aard__python_forget(p->distribution);
    return error;
}

/* Starts a guest as all the others will start, and puts it to work.  Gives the code of Pyodide's JavaScript if asked. */
static aard_error *train(preparation *p, bool recording, aard__buf *glue_code)
{
    aard__guest *guest;
    const aard__python_options own = {.recording = recording, .keep_glue = glue_code != NULL};
    aard__guest_options options = {
        .ops = &aard__python, .distribution = p->distribution, .own = &own, .streams = {.limit = 4096}};
    AARD__TRY(aard__guest_new(&options, &guest));
    aard__vm_enter(guest->vm);
    aard_error *error = guest->start.image ? exec(guest, training)
                                           : aard__error(AARD_ERR_IO, "the base image could not be read back");
    if (!error && aard__python_of(guest)->glue) aard__script_code(aard__python_of(guest)->glue, glue_code);
    aard__script_free(aard__python_of(guest)->glue);
    aard__python_of(guest)->glue = NULL;
    aard__vm_leave(guest->vm);
    aard__guest_free(guest);
    return error;
}

static aard_error *write_wasm_code(preparation *p, const char *key)
{
    aard__buf code = AARD__BUF_INIT;
    aard_error *error = aard__python_serialize(p->distribution, &code);
    if (!error) error = aard__derived_write(p->distribution, AARD__DERIVED_WASM, key, code.data, code.len);
    aard__buf_free(&code);
    aard__python_forget(p->distribution);
    return error;
}

/* The engine takes JavaScript's code back only under the flags that it was made with: after the recording. */
static aard_error *write_glue_code(preparation *p, const char *key)
{
    aard__buf code = AARD__BUF_INIT;
    aard_error *error = train(p, false, &code);
    if (!error && code.failed) error = aard__error_no_memory();
    if (!error) error = aard__derived_write(p->distribution, AARD__DERIVED_GLUE, key, code.data, code.len);
    aard__buf_free(&code);
    return error;
}

static aard_error *write_code(preparation *p)
{
    char *key = aard__python_code_key(&p->layout);
    aard_error *error = key ? write_wasm_code(p, key) : aard__error_no_memory();
    if (!error) error = write_glue_code(p, key);
    aard__free(key);
    return error;
}

/* From a guest that has begun to start like all the others, with the code that training has left. */
static aard_error *write_snapshot(preparation *p)
{
    if (!aard__python_layout_prelinked(&p->layout)) return NULL;
    aard__buf blob = AARD__BUF_INIT;
    char *key = aard__python_snapshot_key(&p->layout);
    aard__guest *guest = aard__guest_new_bare(&aard__python);
    aard__python_forget(p->distribution);
    aard_error *error = key && guest ? NULL : aard__error_no_memory();
    if (!error) {
        guest->start.distribution = p->distribution;
        const aard__python_shared *shared;
        error = aard__python_share_files(guest, &shared);
        if (!error)
            error = aard__python_snapshot_make(&aard__javascript, guest,
                                               aard__distribution_line(p->distribution)->embedded, shared->glue, &blob);
    }
    if (!error) error = aard__derived_write(p->distribution, AARD__DERIVED_SNAPSHOT, key, blob.data, blob.len);
    aard__guest_free_bare(guest);
    aard__free(key);
    aard__buf_free(&blob);
    return error;
}

/* Files that are not of the form that prelinking knows are used as they are. */
static aard_error *prelink(preparation *p)
{
    aard_error *error = aard__python_prelink(p->distribution, &p->prelinked);
    if (error && aard_error_get_code(error) == AARD_ERR_DISTRIBUTION_MISMATCH) {
        aard_error_free(error);
        aard__python_layout_plain(&p->layout);
        return NULL;
    }
    if (!error) error = aard__python_layout_write(p->distribution, &p->prelinked);
    if (error) return error;
    aard__python_layout_open(p->distribution, &p->layout);
    return aard__python_layout_prelinked(&p->layout)
               ? NULL
               : aard__error(AARD_ERR_IO, "the prelinked files could not be read back");
}

static bool has_code(aard_distribution *distribution, const aard__python_layout *layout)
{
    static const char *const files[] = {AARD__DERIVED_WASM, AARD__DERIVED_GLUE};
    char *key = aard__python_code_key(layout);
    bool all = key != NULL;
    for (size_t i = 0; all && i < sizeof files / sizeof files[0]; i++) {
        aard__derived derived = {0};
        all = aard__derived_open(distribution, files[i], key, &derived);
        aard__derived_close(&derived);
    }
    aard__free(key);
    if (!all || !aard__python_layout_prelinked(layout)) return all;
    key = aard__python_snapshot_key(layout);
    aard__derived derived = {0};
    all = key && aard__derived_open(distribution, AARD__DERIVED_SNAPSHOT, key, &derived);
    aard__derived_close(&derived);
    aard__free(key);
    return all;
}

bool aard_distribution_is_prepared(aard_distribution *distribution)
{
    if (!distribution) return false;
    aard__python_layout layout;
    aard__python_layout_open(distribution, &layout);
    aard__image *image = aard__python_open_image(distribution, &layout);
    bool prepared = image && has_code(distribution, &layout);
    aard__image_free(image);
    aard__python_layout_close(&layout);
    return prepared;
}

bool aard_distribution_is_prelinked(aard_distribution *distribution)
{
    if (!distribution) return false;
    aard__python_layout layout;
    aard__python_layout_open(distribution, &layout);
    bool prelinked = aard__python_layout_prelinked(&layout);
    aard__python_layout_close(&layout);
    return prelinked;
}

aard_error *aard_distribution_prepare(aard_distribution *distribution, bool force)
{
    AARD__NEED(distribution);
    if (aard__forked()) return aard__error_forked();
    if (!force && aard_distribution_is_prepared(distribution)) return NULL;
    if (!aard__engine_record_code(true))
        return aard__error(AARD_ERR_BUSY,
                           "a distribution can't be prepared while the process has isolates; do it before making any");
    preparation p = {.distribution = distribution};
    aard__python_forget(distribution);
    /* What is made anew must not be made with the help of what is there; others use that until the end. */
    aard_error *error = force ? aard__derived_renew(distribution) : NULL;
    if (!error) error = prelink(&p);
    if (!error) error = make_image(&p);
    if (!error) error = train(&p, true, NULL);
    bool usual = aard__engine_record_code(false);
    if (!error && !usual) error = aard__error(AARD_ERR_ENGINE, "this engine's compiled code can't be kept");
    if (!error) error = write_code(&p);
    if (!error) error = write_snapshot(&p);
    if (force) error = aard__derived_renewed(distribution, error);
    aard__python_forget(distribution);
    aard__prelinked_free(&p.prelinked);
    aard__python_layout_close(&p.layout);
    return error;
}
