/* The watchdog: fires when it is time, in any order, and never once a disarm has returned.  test-quick */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "budget/budget.h"
#include "budget/watchdog.h"

#define MS UINT64_C(1000000)

static void sleep_ms(uint64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000 * MS)};
    nanosleep(&t, NULL);
}

/* Waits for `count` to become `want`, at most 10 s. */
static void reaches(atomic_uint *count, unsigned want)
{
    uint64_t until = aard__clock_monotonic() + 10000 * MS;
    while (atomic_load(count) != want && aard__clock_monotonic() < until) sleep_ms(1);
    assert_int_equal(atomic_load(count), want);
}

typedef struct shot {
    aard__watch watch;
    atomic_uint fired;
    uint64_t at;    /* when it fired */
    unsigned place; /* how many fired before */
} shot;

static atomic_uint fired_in_all;

static uint64_t on_fire(void *user, uint64_t now)
{
    shot *s = user;
    (void)now;
    s->at = aard__clock_monotonic();
    s->place = atomic_fetch_add(&fired_in_all, 1);
    atomic_fetch_add(&s->fired, 1);
    return AARD__NEVER;
}

static void arm(shot *s, uint64_t deadline)
{
    s->watch.fire = on_fire;
    s->watch.user = s;
    assert_null(aard__watch_arm(&s->watch, deadline));
}

static void test_a_watch_fires_once_and_in_time(void **state)
{
    (void)state;
    shot s = {.fired = 0};
    uint64_t deadline = aard__clock_monotonic() + 20 * MS;
    arm(&s, deadline);
    reaches(&s.fired, 1);
    sleep_ms(20);
    assert_int_equal(atomic_load(&s.fired), 1);
    assert_true(aard__watch_disarm(&s.watch));
    assert_false(aard__watch_disarm(&s.watch));
    assert_true(s.at >= deadline);
    assert_true(s.at < deadline + 10000 * MS);
}

static void test_a_deadline_that_is_over_fires_at_once(void **state)
{
    (void)state;
    shot s = {.fired = 0};
    arm(&s, 0);
    reaches(&s.fired, 1);
    assert_true(aard__watch_disarm(&s.watch));
    arm(&s, aard__clock_monotonic());
    reaches(&s.fired, 2);
    assert_true(aard__watch_disarm(&s.watch));
}

static void test_a_disarmed_watch_never_fires(void **state)
{
    (void)state;
    shot s = {.fired = 0};
    assert_false(aard__watch_disarm(&s.watch)); /* never armed */
    arm(&s, aard__clock_monotonic() + 500 * MS);
    assert_false(aard__watch_disarm(&s.watch));
    arm(&s, UINT64_MAX);
    sleep_ms(550);
    assert_false(aard__watch_disarm(&s.watch));
    assert_int_equal(atomic_load(&s.fired), 0);
}

static uint64_t on_fire_again(void *user, uint64_t now)
{
    shot *s = user;
    return atomic_fetch_add(&s->fired, 1) == 4 ? AARD__NEVER : now + 5 * MS;
}

static void test_a_watch_may_ask_to_be_called_again(void **state)
{
    (void)state;
    shot s = {.watch = {.fire = on_fire_again}};
    s.watch.user = &s;
    uint64_t began = aard__clock_monotonic();
    assert_null(aard__watch_arm(&s.watch, began));
    reaches(&s.fired, 5);
    assert_true(aard__clock_monotonic() - began >= 20 * MS);
    sleep_ms(20);
    assert_int_equal(atomic_load(&s.fired), 5);
    assert_true(aard__watch_disarm(&s.watch));
}

static void test_a_watch_can_be_hastened(void **state)
{
    (void)state;
    shot s = {.fired = 0};
    aard__watch_hasten(&s.watch); /* not armed: nothing */
    arm(&s, AARD__NEVER);
    sleep_ms(5);
    assert_int_equal(atomic_load(&s.fired), 0);
    aard__watch_hasten(&s.watch);
    reaches(&s.fired, 1);
    assert_true(aard__watch_disarm(&s.watch));
}

static void test_an_earlier_deadline_does_not_wait_for_a_later_one(void **state)
{
    (void)state;
    shot late = {.fired = 0}, early = {.fired = 0};
    arm(&late, aard__clock_monotonic() + 60000 * MS);
    sleep_ms(5); /* the thread sleeps for a minute by now */
    uint64_t began = aard__clock_monotonic();
    arm(&early, began + 10 * MS);
    reaches(&early.fired, 1);
    assert_true(early.at - began < 30000 * MS);
    assert_true(aard__watch_disarm(&early.watch));
    assert_false(aard__watch_disarm(&late.watch));
    assert_int_equal(atomic_load(&late.fired), 0);
}

static void test_many_watches_fire_by_their_deadlines(void **state)
{
    (void)state;
    enum { MANY = 500, STEP_MS = 1 };
    shot *shots = calloc(MANY, sizeof *shots);
    atomic_store(&fired_in_all, 0);
    uint64_t began = aard__clock_monotonic() + 1000 * MS;
    for (unsigned i = 0; i < MANY; i++) { /* in no order */
        unsigned turn = i * 271 % MANY;
        arm(&shots[turn], began + turn * STEP_MS * MS);
    }
    for (unsigned i = 0; i < MANY; i += 5) assert_false(aard__watch_disarm(&shots[MANY - 1 - i].watch));
    reaches(&fired_in_all, MANY - MANY / 5);
    for (unsigned i = 0; i < MANY; i++) {
        bool disarmed = (MANY - 1 - i) % 5 == 0;
        assert_int_equal(atomic_load(&shots[i].fired), !disarmed);
        assert_int_equal(aard__watch_disarm(&shots[i].watch), !disarmed);
        if (!disarmed) assert_true(shots[i].at >= began + i * STEP_MS * MS);
    }
    free(shots);
}

/* ---- near the deadline ----------------------------------------------------------------------------------------- */

enum { RACERS = 4, ROUNDS = 20000 };

typedef struct racer {
    shot s;
    atomic_bool over; /* a disarm has returned */
    atomic_uint late, hits, misses, lies;
    unsigned seed;
} racer;

static uint64_t on_race(void *user, uint64_t now)
{
    racer *r = user;
    (void)now;
    if (atomic_load(&r->over)) atomic_fetch_add(&r->late, 1);
    atomic_fetch_add(&r->s.fired, 1);
    return AARD__NEVER;
}

static void *race(void *user)
{
    racer *r = user;
    r->s.watch.fire = on_race;
    r->s.watch.user = r;
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_store(&r->s.fired, 0);
        atomic_store(&r->over, false);
        r->seed = r->seed * 1103515245 + 12345;
        uint64_t deadline = aard__clock_monotonic() + (r->seed >> 16) % 20000; /* up to 20 µs ahead */
        if (aard__watch_arm(&r->s.watch, deadline)) abort();
        while (aard__clock_monotonic() < deadline - (r->seed >> 8) % 2000 + 1000) continue;
        bool fired = aard__watch_disarm(&r->s.watch);
        atomic_store(&r->over, true);
        unsigned times = atomic_load(&r->s.fired);
        if (times != fired) atomic_fetch_add(&r->lies, 1);
        atomic_fetch_add(fired ? &r->hits : &r->misses, 1);
    }
    return NULL;
}

static void test_nothing_fires_once_a_disarm_has_returned(void **state)
{
    (void)state;
    static racer racers[RACERS];
    pthread_t threads[RACERS];
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i].seed = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    unsigned hits = 0, misses = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&racers[i].late), 0);
        assert_int_equal(atomic_load(&racers[i].lies), 0);
        hits += atomic_load(&racers[i].hits);
        misses += atomic_load(&racers[i].misses);
    }
    assert_true(hits > 0 && misses > 0); /* or it was no race */
}

static void count_soft(void *user, aard__stop how)
{
    if (how == AARD__STOP_SOFT) atomic_fetch_add((atomic_uint *)user, 1);
}

/* A call that is just ending would be spoiled by another: whoever cancels it, and as often. */
static void test_a_call_that_was_asked_to_end_is_not_asked_again_at_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t wall_ms;
        aard__cause cause;
    } rows[] = {{0, AARD__CAUSE_CANCELLED}, {1, AARD__CAUSE_WALL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        atomic_uint asked = 0;
        aard__budget budget = {.stop = count_soft, .user = &asked};
        const aard__limits limits = {.wall_ms = rows[i].wall_ms, .grace_ms = 600000};
        aard_cancel_handle *handle;
        assert_null(aard_cancel_handle_new(&handle));
        assert_null(aard__budget_arm(&budget, &limits, aard__clock_monotonic(), 0, handle));
        if (!rows[i].wall_ms) aard_cancel(handle);
        reaches(&asked, 1);
        for (unsigned again = 0; again < 20; again++) {
            aard_cancel(handle);
            sleep_ms(2);
        }
        assert_int_equal(atomic_load(&asked), 1);
        assert_int_equal(aard__budget_disarm(&budget), rows[i].cause);
        aard_cancel_handle_free(handle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_watch_fires_once_and_in_time),
        cmocka_unit_test(test_a_deadline_that_is_over_fires_at_once),
        cmocka_unit_test(test_a_disarmed_watch_never_fires),
        cmocka_unit_test(test_a_watch_may_ask_to_be_called_again),
        cmocka_unit_test(test_a_watch_can_be_hastened),
        cmocka_unit_test(test_an_earlier_deadline_does_not_wait_for_a_later_one),
        cmocka_unit_test(test_many_watches_fire_by_their_deadlines),
        cmocka_unit_test(test_nothing_fires_once_a_disarm_has_returned),
        cmocka_unit_test(test_a_call_that_was_asked_to_end_is_not_asked_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
