#include "callbacks/invocations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

enum { MOST_DEPTH = 200 }; /* of arguments and answers: Python reads no more */

typedef enum stage {
    OPEN,     /* the host has it */
    ANSWERED, /* the guest has still to take the answer */
    OVER      /* the guest wants no more of it */
} stage;

struct aard_invocation { /* what can change is under the lock of `of` */
    atomic_uint owners;  /* the call, as long as the guest may want it, and the host's handle */
    aard__invocations *of;
    aard_invocation *next, *before; /* in the call's list */
    uint32_t id;
    stage stage;
    bool held;         /* by the host, unanswered: it counts as in flight */
    uint64_t deadline; /* UINT64_MAX = none */
    const char *limit; /* that the answer went beyond, to be written down */
    aard__invocation_answer answer;
    char name[AARD__CALLBACK_NAME + 1];
    char *arguments;
    size_t len;
};

struct aard__invocations {
    atomic_uint owners; /* the call and its invocations */
    aard__invocations_options options;
    aard__callback_limits limits; /* a copy: late answers are measured by them */
    pthread_mutex_t lock;
    bool ended;                   /* under the lock, as the rest */
    aard_invocation *list, *last; /* that the guest may want, oldest first */
    aard_invocation *running;
    uint32_t last_id;
    uint64_t in_flight, count;
    uint64_t busy_since, busy_ns;
};

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void release_all(aard__invocations *all)
{
    if (atomic_fetch_sub(&all->owners, 1) != 1) return;
    pthread_mutex_destroy(&all->lock);
    aard__free(all);
}

static void release(aard_invocation *one)
{
    if (atomic_fetch_sub(&one->owners, 1) != 1) return;
    aard__invocation_answer_free(&one->answer);
    aard__free(one->arguments);
    release_all(one->of);
    aard__free(one);
}

void aard__invocation_answer_free(aard__invocation_answer *answer)
{
    aard__buf_free(&answer->type);
    aard__buf_free(&answer->text);
}

aard_error *aard__invocations_new(const aard__invocations_options *options, aard__invocations **out)
{
    aard__invocations *made = aard__calloc(1, sizeof *made);
    if (!made) return aard__error_no_memory();
    atomic_init(&made->owners, 1);
    made->options = *options;
    made->limits = *options->limits;
    pthread_mutex_init(&made->lock, NULL);
    *out = made;
    return NULL;
}

/* The host has answered, or given back, what it held. */
static void settle(aard_invocation *one)
{
    aard__invocations *all = one->of;
    if (!one->held) return;
    one->held = false;
    if (--all->in_flight == 0) all->busy_ns += aard__clock_monotonic() - all->busy_since;
}

/* The guest wants no more of it. */
static void unlist(aard_invocation *one)
{
    aard__invocations *all = one->of;
    *(one->before ? &one->before->next : &all->list) = one->next;
    *(one->next ? &one->next->before : &all->last) = one->before;
    one->stage = OVER;
}

void aard__invocations_end(aard__invocations *all)
{
    if (!all) return;
    pthread_mutex_lock(&all->lock);
    all->ended = true;
    pthread_mutex_unlock(&all->lock);
    while (all->list) aard__invocations_drop(all, all->list->id);
    release_all(all);
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

/* Under the lock; what is in `answer` is moved. */
static bool answer(aard_invocation *one, aard__invocation_answer *given)
{
    aard__invocations *all = one->of;
    settle(one);
    if (one->stage != OPEN) return false;
    one->stage = ANSWERED;
    one->answer = *given;
    *given = (aard__invocation_answer){.id = 0};
    if (!all->ended && all->options.wake) all->options.wake(all->options.user);
    return true;
}

static bool answer_locked(aard_invocation *one, aard__invocation_answer *given, const char *limit)
{
    pthread_mutex_lock(&one->of->lock);
    bool taken = answer(one, given);
    if (taken) one->limit = limit;
    pthread_mutex_unlock(&one->of->lock);
    aard__invocation_answer_free(given);
    return taken;
}

static aard__invocation_answer failure(const char *type, const char *message)
{
    aard__invocation_answer made = {.failed = true};
    aard__buf_puts(&made.type, type);
    aard__buf_puts(&made.text, message);
    return made;
}

static bool fail(aard_invocation *one, const char *type, const char *message, const char *limit)
{
    aard__invocation_answer made = failure(type, message);
    return answer_locked(one, &made, limit);
}

/* What the guest is told of the answer that it can't have; NULL = it can. */
static const char *misfit(const aard_invocation *one, const char *json, size_t len, const char **type)
{
    bool deep;
    *type = "InvalidResult";
    if (!json || !len) return "the host's answer is empty, and so not JSON";
    if (len > one->of->limits.result_bytes) {
        *type = "CallbackLimit";
        return "the host's answer is larger than it may be";
    }
    if (aard__json_valid_to(json, len, MOST_DEPTH, &deep, NULL)) return NULL;
    return deep ? "the host's answer is nested too deeply" : "the host's answer is not JSON";
}

bool aard_invocation_reply(aard_invocation *one, const char *json, size_t len)
{
    const char *type;
    if (!one || aard_invocation_is_over(one)) return false;
    const char *wrong = misfit(one, json, len, &type);
    if (wrong) return fail(one, type, wrong, *type == 'C' ? "result_bytes" : NULL);
    aard__invocation_answer made = {.failed = false};
    aard__buf_append(&made.text, json, len);
    return answer_locked(one, &made, NULL);
}

bool aard_invocation_fail(aard_invocation *one, const char *type, const char *message)
{
    if (!one) return false;
    bool valid = type && aard__callback_type_valid(type, strlen(type));
    return fail(one, valid ? type : "CallbackError", message ? message : "", NULL);
}

void aard__invocation_fail_as(aard_invocation *one, const aard__invocation_answer *failed)
{
    aard__invocation_answer made = {.failed = true};
    aard__buf_append(&made.type, failed->type.data, failed->type.len);
    aard__buf_append(&made.text, failed->text.data, failed->text.len);
    answer_locked(one, &made, NULL);
}

bool aard_invocation_is_over(const aard_invocation *one)
{
    if (!one) return true;
    pthread_mutex_lock(&one->of->lock);
    bool over = one->stage != OPEN;
    pthread_mutex_unlock(&one->of->lock);
    return over;
}

void aard_invocation_free(aard_invocation *one)
{
    if (!one) return;
    fail(one, "NoAnswer", "the host gave no answer", NULL);
    release(one);
}

const char *aard_invocation_name(const aard_invocation *one) { return one ? one->name : NULL; }
uint64_t aard_invocation_id(const aard_invocation *one) { return one ? one->id : 0; }

const char *aard_invocation_arguments(const aard_invocation *one, size_t *len)
{
    if (len) *len = one ? one->len : 0;
    return one ? one->arguments : NULL;
}

/* ---- beginning ---------------------------------------------------------------------------------------------------- */

static void note_limit(aard__invocations *all, const char *reason, const char *name)
{
    aard__ledger_violation(all->options.ledger, AARD_VIOLATION_CALLBACK_LIMIT, reason, name, strlen(name));
}

static aard_invocation *begin(aard__invocations *all, const aard__invocation_start *what)
{
    aard_invocation *one = aard__calloc(1, sizeof *one);
    if (!one) return NULL;
    atomic_init(&one->owners, 1);
    one->of = all;
    one->deadline = UINT64_MAX;
    memcpy(one->name, what->name, what->name_len < AARD__CALLBACK_NAME ? what->name_len : AARD__CALLBACK_NAME);
    atomic_fetch_add(&all->owners, 1);
    pthread_mutex_lock(&all->lock);
    one->id = all->last_id = what->id ? what->id : all->last_id + 1;
    one->before = all->last;
    *(all->last ? &all->last->next : &all->list) = one;
    all->last = one;
    pthread_mutex_unlock(&all->lock);
    return one;
}

/* Whether one more may begin: it is in flight then. */
static const char *claim(aard_invocation *one, const aard__callback_limits *limits)
{
    aard__invocations *all = one->of;
    uint64_t now = aard__clock_monotonic();
    const char *limit = NULL;
    pthread_mutex_lock(&all->lock);
    if (all->count >= limits->count) {
        limit = "count";
    } else if (all->in_flight >= limits->in_flight) {
        limit = "in_flight";
    } else {
        all->count++;
        if (all->in_flight++ == 0) all->busy_since = now;
        one->held = true;
        if (limits->timeout_ms != UINT64_MAX) one->deadline = aard__clock_later(now, limits->timeout_ms);
    }
    pthread_mutex_unlock(&all->lock);
    return limit;
}

/* What is wrong with the arguments; empty where they are what the host is promised. */
static void review_arguments(const aard__callback *callback, const char *arguments, size_t len, aard__buf *why)
{
    bool deep;
    if (!aard__json_valid_to(arguments, len, MOST_DEPTH, &deep, NULL)) {
        aard__buf_puts(why, deep ? "they are nested too deeply" : "they are not JSON");
    } else if (arguments[strspn(arguments, " \t\r\n")] != '{') {
        aard__buf_puts(why, "they are not an object");
    } else if (callback->schema) {
        json_t *value = aard__schema_value(arguments, len);
        if (!value)
            aard__buf_puts(why, "they have a name twice, a lone surrogate, or a number that is too large");
        else if (!aard__schema_accepts(callback->schema, value, why) && !why->len)
            aard__buf_puts(why, "they are not what its schema wants");
        json_decref(value);
    }
}

static bool check_arguments(aard_invocation *one, const aard__callback *callback, const char *arguments, size_t len)
{
    aard__buf why = AARD__BUF_INIT;
    review_arguments(callback, arguments, len, &why);
    bool accepted = !why.len && !why.failed;
    if (!accepted) {
        aard__invocation_answer made = failure("InvalidArguments", "");
        aard__buf_printf(&made.text, "the arguments of '%s' are refused: ", callback->name);
        aard__buf_append(&made.text, why.data, why.len);
        answer_locked(one, &made, NULL);
    }
    aard__buf_free(&why);
    return accepted;
}

static void refuse(aard_invocation *one, const char *limit, const char *what)
{
    aard__invocation_answer made = failure("CallbackLimit", "");
    aard__buf_printf(&made.text, "the callback '%s' is refused: %s", one->name, what);
    answer_locked(one, &made, NULL);
    note_limit(one->of, limit, one->name);
}

/* Whether the host's function is to be called. */
static bool prepare(aard_invocation *one, const aard__callback *callback, const char *arguments, size_t len)
{
    const aard__callback_limits *limits = &one->of->limits;
    if (!callback) {
        aard__invocation_answer made = failure("UnknownCallback", "");
        aard__buf_puts(&made.text, "the host has no callback ");
        aard__buf_json_string(&made.text, one->name, strlen(one->name)); /* whatever the guest has written there */
        answer_locked(one, &made, NULL);
        return false;
    }
    if (len > limits->argument_bytes) {
        refuse(one, "argument_bytes", "its arguments are larger than they may be");
        return false;
    }
    one->arguments = aard__memdup0(arguments, len);
    one->len = len;
    if (!one->arguments) {
        fail(one, "MemoryError", "the host's memory is out", NULL);
        return false;
    }
    if (!check_arguments(one, callback, one->arguments, len)) return false;
    const char *limit = claim(one, limits);
    if (!limit) return true;
    refuse(one, limit,
           *limit == 'c' ? "the call has made as many invocations as it may" : "as many wait for their answers as may");
    return false;
}

uint32_t aard__invocations_start(aard__invocations *all, const aard__invocation_start *what)
{
    const aard__callback *callback = aard__callbacks_find(all->options.callbacks, what->name, what->name_len);
    aard_invocation *one = begin(all, what);
    if (!one) return 0;
    uint32_t id = one->id;
    if (!prepare(one, callback, what->arguments, what->len)) return id;
    atomic_fetch_add(&one->owners, 1); /* the host's */
    all->running = one;
    callback->call(all->options.context, callback->user.pointer, one);
    all->running = NULL;
    return id;
}

/* Whether it has kept the handle, nobody knows: that is never freed then. */
uint32_t aard__invocations_threw(aard__invocations *all)
{
    if (all->running) fail(all->running, "CallbackError", "the host's callback threw a C++ exception", NULL);
    all->running = NULL;
    return all->last_id;
}

/* ---- the guest's side --------------------------------------------------------------------------------------------- */

bool aard__invocations_busy(const aard__invocations *all) { return all->list != NULL; }

static aard_invocation *find(const aard__invocations *all, uint32_t id)
{
    aard_invocation *one = all->list;
    while (one && (id ? one->id != id : one->stage != ANSWERED)) one = one->next;
    return one;
}

bool aard__invocations_has(const aard__invocations *all, uint32_t id) { return id && find(all, id); }

bool aard__invocations_ready(aard__invocations *all, uint32_t id)
{
    pthread_mutex_lock(&all->lock);
    const aard_invocation *one = find(all, id);
    bool ready = one && one->stage == ANSWERED;
    pthread_mutex_unlock(&all->lock);
    return ready;
}

bool aard__invocations_take(aard__invocations *all, uint32_t id, aard__invocation_answer *out)
{
    pthread_mutex_lock(&all->lock);
    aard_invocation *one = find(all, id);
    bool taken = one && one->stage == ANSWERED;
    if (taken) {
        *out = one->answer;
        out->id = one->id;
        one->answer = (aard__invocation_answer){.id = 0};
        unlist(one);
    }
    pthread_mutex_unlock(&all->lock);
    if (!taken) return false;
    if (one->limit) note_limit(all, one->limit, one->name);
    release(one);
    return true;
}

void aard__invocations_drop(aard__invocations *all, uint32_t id)
{
    pthread_mutex_lock(&all->lock);
    aard_invocation *one = id ? find(all, id) : NULL;
    if (one) unlist(one);
    pthread_mutex_unlock(&all->lock);
    if (one) release(one);
}

uint64_t aard__invocations_expire(aard__invocations *all, uint64_t now)
{
    uint64_t first = UINT64_MAX;
    if (all->limits.timeout_ms == UINT64_MAX) return first;
    pthread_mutex_lock(&all->lock);
    for (aard_invocation *one = all->list; one; one = one->next) {
        if (one->stage != OPEN) continue;
        if (one->deadline > now) {
            if (one->deadline < first) first = one->deadline;
            continue;
        }
        bool held = one->held;
        aard__invocation_answer late = failure("CallbackTimeout", "the host did not answer in time");
        one->held = false; /* what the host goes on with is in flight still */
        answer(one, &late);
        one->held = held;
        one->limit = "timeout_ms";
    }
    pthread_mutex_unlock(&all->lock);
    return first;
}

void aard__invocations_measure(const aard__invocations *all, uint64_t *count, uint64_t *ns)
{
    aard__invocations *own = (aard__invocations *)(uintptr_t)all;
    pthread_mutex_lock(&own->lock);
    *count = all->count;
    *ns = all->busy_ns + (all->in_flight ? aard__clock_monotonic() - all->busy_since : 0);
    pthread_mutex_unlock(&own->lock);
}
