/* Package resolution: a walk in depth over what packages need, without recursion, as a lock may nest without end. */
#include <string.h>

#include "base/alloc.h"
#include "distribution/lock.h"

typedef struct step {
    const aard__package *package;
    size_t next; /* of its dependencies */
} step;

typedef struct walk {
    const aard__lock *lock;
    aard__lock_check check;
    void *user;
    bool *seen; /* by position in the lock */
    step *stack;
    size_t depth;
    aard__package_list list;
} walk;

void aard__package_list_free(aard__package_list *list)
{
    aard__free(list->items);
    *list = (aard__package_list){0};
}

/* Puts the package of that name onto the stack, unless it has been there. */
static aard_error *enter(walk *w, const char *name, const char *needed_by)
{
    const aard__package *package = aard__lock_find(w->lock, name);
    if (!package && needed_by)
        return aard__error(AARD_ERR_PACKAGE_NOT_FOUND,
                           "the package '%s', which '%s' needs, is not in the distribution's lock file: stage with a "
                           "wheel of it added",
                           name, needed_by);
    if (!package)
        return aard__error(AARD_ERR_PACKAGE_NOT_FOUND,
                           "the package '%s' is not in the distribution's lock file: correct its name, or stage with a "
                           "wheel of it added",
                           name);
    bool *seen = &w->seen[package - w->lock->packages];
    if (*seen) return NULL;
    *seen = true;
    AARD__TRY(w->check ? w->check(w->user, package, needed_by) : NULL);
    w->stack[w->depth++] = (step){.package = package};
    return NULL;
}

/* Follows what is on the stack to its end; a cycle ends where it comes round. */
static aard_error *follow(walk *w)
{
    while (w->depth) {
        step *top = &w->stack[w->depth - 1];
        if (top->next < json_array_size(top->package->depends)) {
            const char *name = json_string_value(json_array_get(top->package->depends, top->next++));
            AARD__TRY(enter(w, name, top->package->name));
        } else {
            w->list.items[w->list.count++] = top->package;
            w->depth--;
        }
    }
    return NULL;
}

aard_error *aard__lock_resolve(const aard__lock *lock, const char *const *names, size_t count, aard__lock_check check,
                               void *user, aard__package_list *out)
{
    walk w = {.lock = lock, .check = check, .user = user};
    w.seen = aard__calloc(lock->count, sizeof *w.seen);
    w.stack = aard__calloc(lock->count, sizeof *w.stack);
    w.list.items = aard__calloc(lock->count, sizeof *w.list.items);
    aard_error *error = w.seen && w.stack && w.list.items ? NULL : aard__error_no_memory();
    for (size_t i = 0; i < count && !error; i++) {
        error = enter(&w, names[i], NULL);
        if (!error) error = follow(&w);
    }
    if (!error) {
        *out = w.list;
        w.list.items = NULL;
    }
    aard__free(w.list.items);
    aard__free(w.stack);
    aard__free(w.seen);
    return error;
}
