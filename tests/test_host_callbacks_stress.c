/* A hundred callbacks at a time, answered by eight threads in whatever order, calls that are cancelled meanwhile, and sessions that
 * live on.  `make soak` has more rounds.  test-timeout: 600 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "isolate_support.h"

enum { THREADS = 8, PARALLEL = 100, ROOM = 4096 };

/* Invocations that wait for some thread to answer them. */
typedef struct desk {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    aard_invocation *waiting[ROOM];
    size_t count;
    bool closed;
    unsigned answered, dropped;
} desk;

static void put(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    desk *d = user;
    (void)context;
    pthread_mutex_lock(&d->lock);
    assert_true(d->count < ROOM);
    d->waiting[d->count++] = invocation;
    pthread_cond_signal(&d->filled);
    pthread_mutex_unlock(&d->lock);
}

static aard_invocation *take(desk *d, unsigned *seed)
{
    aard_invocation *taken = NULL;
    pthread_mutex_lock(&d->lock);
    while (!d->count && !d->closed) pthread_cond_wait(&d->filled, &d->lock);
    if (d->count) {
        size_t which = (size_t)rand_r(seed) % d->count;
        taken = d->waiting[which];
        d->waiting[which] = d->waiting[--d->count];
    }
    pthread_mutex_unlock(&d->lock);
    return taken;
}

static bool answer(aard_invocation *one, unsigned how)
{
    size_t len;
    const char *arguments = aard_invocation_arguments(one, &len);
    if (how % 16 == 0) return aard_invocation_fail(one, "Unlucky", "this time");
    if (how % 16 == 1) return false; /* given back without one */
    if (how % 16 == 2) usleep(how % 1000);
    return aard_invocation_reply(one, arguments, len);
}

static void *serve(void *user)
{
    desk *d = user;
    unsigned seed = (unsigned)(uintptr_t)&seed ^ (unsigned)getpid();
    for (aard_invocation *one; (one = take(d, &seed));) {
        bool taken = answer(one, (unsigned)rand_r(&seed));
        aard_invocation_free(one);
        pthread_mutex_lock(&d->lock);
        d->answered += taken;
        d->dropped += !taken;
        pthread_mutex_unlock(&d->lock);
    }
    return NULL;
}

static void *cancel_sometime(void *user)
{
    usleep((useconds_t)(rand() % 8000));
    aard_cancel(user);
    return NULL;
}

static const char python[] = "import asyncio\n"
                             "async def one(n):\n"
                             "    try:\n"
                             "        return (await put(n=n))['n'] == n\n"
                             "    except CallbackError as error:\n"
                             "        return error.type in ('Unlucky', 'NoAnswer')\n"
                             "steps = globals().get('steps', 0) + 1\n"
                             "all(await asyncio.gather(*[one(n) for n in range(100)]))";
static const char javascript[] =
    "var one = async (n) => { try { return (await put({n})).n === n } catch (e) { return e.name === 'Unlucky' || e.name === 'NoAnswer' } };\n"
    "(await Promise.all(Array.from({length: 100}, (_, n) => one(n)))).every((x) => x)";

/* One step, cancelled at some time or not; whether it was. */
static bool run_step(aard_isolate *isolate, const char *code, bool cancels)
{
    aard_cancel_handle *cancel;
    aard_call *call;
    pthread_t thread;
    assert_ok(aard_cancel_handle_new(&cancel));
    assert_ok(aard_call_new(&call));
    aard_call_set_cancel_handle(call, cancel);
    if (cancels) assert_int_equal(pthread_create(&thread, NULL, cancel_sometime, cancel), 0);
    aard_outcome *outcome = exec_with(isolate, code, call);
    if (cancels) pthread_join(thread, NULL);
    bool cancelled = aard_outcome_failure_kind(outcome) == AARD_FAILURE_CANCELLED;
    assert_true(cancels || !cancelled);
    if (cancelled)
        aard_outcome_free(outcome);
    else
        value_is(outcome, "true");
    aard_call_free(call);
    aard_cancel_handle_free(cancel);
    return cancelled;
}

static void run(aard_language language, const char *code)
{
    static desk d;
    pthread_t threads[THREADS];
    int rounds = getenv("AARD_SOAK") ? 400 : 20, cancelled = 0;
    d = (desk){.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, serve, &d), 0);
    aard_isolate_config *config = config_of(language);
    assert_ok(aard_isolate_config_add_callback(config, "put", NULL, NULL, put, &d, NULL));
    if (language == AARD_LANGUAGE_PYTHON) aard_isolate_config_set_grace_ms(config, 60000);
    aard_isolate_config_set_callback_limit(config, AARD_CALLBACK_IN_FLIGHT, ROOM);
    aard_isolate *isolate = boot(config, NULL);
    for (int i = 0; i < rounds; i++) cancelled += run_step(isolate, code, i % 2);
    if (language == AARD_LANGUAGE_PYTHON) value_is(exec(isolate, "steps > 1"), "true"); /* nothing was lost */
    aard_isolate_free(isolate);
    pthread_mutex_lock(&d.lock);
    d.closed = true;
    pthread_cond_broadcast(&d.filled);
    pthread_mutex_unlock(&d.lock);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    print_message("%d of %d steps cancelled, %u answers taken, %u dropped\n", cancelled, rounds, d.answered, d.dropped);
    assert_true(d.answered >= (unsigned)(PARALLEL * rounds / 3));
}

static void test_python(void **state)
{
    (void)state;
    run(AARD_LANGUAGE_PYTHON, python);
}

static void test_javascript(void **state)
{
    (void)state;
    run(AARD_LANGUAGE_JAVASCRIPT, javascript);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_python), cmocka_unit_test(test_javascript)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
