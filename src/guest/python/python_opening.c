#include "guest/python/python_opening.h"

#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "guest/python/python_shared.h"

enum { WASM, IMAGE, JOBS };

struct aard__python_opening {
    aard_distribution *distribution; /* retained */
    aard__python_opened opened;
    char *code_key;
    bool wasm_whole;
    pthread_t threads[JOBS];
    bool started[JOBS];
};

static void open_code(const aard__python_opening *o, const char *name, aard__derived *out)
{
    if (o->code_key) aard__derived_open(o->distribution, name, o->code_key, out);
}

static void *open_wasm(void *user)
{
    aard__python_opening *o = user;
    o->wasm_whole = aard__python_layout_check(o->distribution, &o->opened.layout.wasm);
    if (o->wasm_whole) open_code(o, AARD__DERIVED_WASM, &o->opened.wasm_code);
    return NULL;
}

static void *open_image(void *user)
{
    aard__python_opening *o = user;
    o->opened.image = aard__python_open_image(o->distribution, &o->opened.layout);
    return NULL;
}

static void *(*const jobs[JOBS])(void *) = {[WASM] = open_wasm, [IMAGE] = open_image};

/* A job whose thread can't be made is done at the end. */
static void start_threads(aard__python_opening *o)
{
    for (int i = 0; i < JOBS; i++) o->started[i] = aard__thread_start(&o->threads[i], jobs[i], o) == 0;
}

aard__python_opening *aard__python_opening_start(aard_distribution *distribution)
{
    aard__python_opening *o = aard__calloc(1, sizeof *o);
    if (!o) return NULL;
    o->distribution = aard_distribution_retain(distribution);
    if (!aard__python_layout_map(distribution, &o->opened.layout)) return o;
    o->code_key = aard__python_code_key(&o->opened.layout);
    start_threads(o);
    return o;
}

const aard__python_layout *aard__python_opening_layout(const aard__python_opening *opening)
{
    return &opening->opened.layout;
}

static void close_all(aard__python_opened *opened)
{
    aard__python_layout_close(&opened->layout);
    aard__derived_close(&opened->wasm_code);
    aard__derived_close(&opened->glue_code);
    aard__image_free(opened->image);
    *opened = (aard__python_opened){0};
}

/* The small files are this thread's share of the work. */
static bool finish_prelinked(aard__python_opening *o)
{
    if (!aard__python_layout_prelinked(&o->opened.layout)) return false;
    bool whole = aard__python_layout_check(o->distribution, &o->opened.layout.glue) &&
                 aard__python_layout_check(o->distribution, &o->opened.layout.symbols);
    if (whole) open_code(o, AARD__DERIVED_GLUE, &o->opened.glue_code);
    for (int i = 0; i < JOBS; i++) {
        if (o->started[i])
            pthread_join(o->threads[i], NULL);
        else
            jobs[i](o);
    }
    return whole && o->wasm_whole && o->opened.image;
}

static void open_plain(aard__python_opening *o)
{
    close_all(&o->opened);
    aard__free(o->code_key);
    aard__python_layout_plain(&o->opened.layout);
    o->code_key = aard__python_code_key(&o->opened.layout);
    open_code(o, AARD__DERIVED_WASM, &o->opened.wasm_code);
    open_code(o, AARD__DERIVED_GLUE, &o->opened.glue_code);
    open_image(o);
}

void aard__python_opening_finish(aard__python_opening *opening, aard__python_opened *out)
{
    bool whole = finish_prelinked(opening);
    if (!whole) open_plain(opening);
    opening->opened.whole = whole;
    *out = opening->opened;
    aard_distribution_free(opening->distribution);
    aard__free(opening->code_key);
    aard__free(opening);
}
