/* The catalog: its quota and its order, and many processes that use it at once. */
#include "dist_support.h"

#include <signal.h>
#include <time.h>

#include "base/alloc.h"
#include "base/new_file.h"
#include "warm/catalog.h"
#include "warm/overlay.h"

#define KIB ((size_t)1024)

/* An overlay of about that size, whose key is `number`. */
typedef struct made {
    char key[64];
    size_t size;
} made;

static aard_error *write_overlay(void *user, int fd)
{
    const made *m = user;
    uint8_t *data = malloc(m->size + 1);
    memset(data, m->key[9] | 1, m->size);
    aard__overlay_item item = {"file", 4, data, m->size, 0};
    aard_error *error = aard__overlay_write(fd, m->key, &item, 1);
    free(data);
    return error;
}

static made made_of(int number, size_t size)
{
    made m = {.size = size};
    snprintf(m.key, sizeof m.key, "package=p%d 1 00\n", number);
    return m;
}

static char *path_of(const aard_catalog *catalog, const made *m)
{
    char *path = NULL;
    assert_ok(aard__catalog_path(catalog, AARD__CATALOG_OVERLAY, m->key, &path));
    return path;
}

static void add(aard_catalog *catalog, int number, size_t size)
{
    made m = made_of(number, size);
    char *path = path_of(catalog, &m);
    assert_ok(aard__catalog_add(catalog, path, write_overlay, &m));
    aard__free(path);
}

/* Whether it is there; looking counts as use. */
static bool use(aard_catalog *catalog, int number)
{
    made m = made_of(number, 0);
    char *path = path_of(catalog, &m);
    int fd = aard__catalog_open_entry(catalog, path);
    if (fd >= 0) close(fd);
    aard__free(path);
    return fd >= 0;
}

static bool is_there(aard_catalog *catalog, int number)
{
    made m = made_of(number, 0);
    char *path = path_of(catalog, &m);
    bool there = exists(path);
    aard__free(path);
    return there;
}

static aard_catalog *opened(const char *dir, uint64_t quota)
{
    aard_catalog *catalog = NULL;
    assert_ok(aard_catalog_open(dir, quota, &catalog));
    return catalog;
}

/* Times of files need not be finer than a clock tick. */
static void tick(void) { usleep(20000); }

static void test_the_least_recently_used_goes_first(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard_catalog *catalog = opened(at(dir, "catalog"), 400 * KIB);
    for (int i = 0; i < 3; i++) {
        add(catalog, i, 100 * KIB);
        tick();
    }
    assert_true(use(catalog, 0));
    tick();
    add(catalog, 3, 100 * KIB); /* four don't fit with what they take on disk */
    assert_true(is_there(catalog, 0));
    assert_false(is_there(catalog, 1));
    assert_true(is_there(catalog, 2));
    assert_true(is_there(catalog, 3));
    tick();
    add(catalog, 4, 250 * KIB);
    assert_true(is_there(catalog, 4));
    assert_false(is_there(catalog, 0));
    assert_false(is_there(catalog, 2));
    uint64_t entries, bytes;
    assert_ok(aard_catalog_usage(catalog, &entries, &bytes));
    assert_true(bytes <= 400 * KIB);
    assert_int_equal(aard_catalog_max_bytes(catalog), 400 * KIB);
    add(catalog, 5, 500 * KIB); /* larger than all: not kept, and nothing goes for it */
    assert_false(is_there(catalog, 5));
    assert_true(is_there(catalog, 4));
    aard_catalog_free(catalog);
    remove_temp(dir);
}

static void test_what_is_open_stays_with_its_user(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard_catalog *catalog = opened(at(dir, "catalog"), 300 * KIB);
    made m = made_of(1, 200 * KIB);
    char *path = path_of(catalog, &m);
    aard__overlay *overlay = NULL;
    add(catalog, 1, m.size);
    int fd = aard__catalog_open_entry(catalog, path);
    assert_ok(aard__overlay_open(fd, path, m.key, &overlay));
    close(fd);
    tick();
    add(catalog, 2, 200 * KIB);
    assert_false(is_there(catalog, 1));
    assert_int_equal(aard__overlay_file(overlay, 0).data[m.size - 1], '1' | 1);
    aard__overlay_free(overlay);
    aard__free(path);
    aard_catalog_free(catalog);
    remove_temp(dir);
}

static void test_damaged_entries_are_pruned(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard_catalog *catalog = opened(at(dir, "catalog"), 0);
    size_t removed = 99;
    for (int i = 0; i < 5; i++) add(catalog, i, KIB);
    made m = made_of(1, 0), n = made_of(3, 0);
    char *first = path_of(catalog, &m), *second = path_of(catalog, &n);
    flip_byte(first, 300);
    assert_int_equal(truncate(second, 50), 0);
    write_file(at(aard_catalog_dir(catalog), "notes"), "somebody's", 10);
    write_file(at(aard_catalog_dir(catalog), "x.aardvark-tmp-012345"), "half", 4);
    assert_ok(aard_catalog_prune(catalog, &removed));
    assert_int_equal(removed, 2);
    for (int i = 0; i < 5; i++) assert_int_equal(is_there(catalog, i), i != 1 && i != 3);
    assert_true(exists(at(aard_catalog_dir(catalog), "notes")));
    assert_false(exists(at(aard_catalog_dir(catalog), "x.aardvark-tmp-012345")));
    assert_ok(aard_catalog_prune(catalog, &removed));
    assert_int_equal(removed, 0);
    aard__free(first);
    aard__free(second);
    aard_catalog_free(catalog);
    remove_temp(dir);
}

/* One who finds damage removes what it has read, and not what somebody has put there since. */
static void test_a_repaired_entry_is_not_discarded(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard_catalog *catalog = opened(at(dir, "catalog"), 0);
    made m = made_of(1, KIB);
    char *path = path_of(catalog, &m);
    add(catalog, 1, KIB);
    int fd = aard__catalog_open_entry(catalog, path);
    add(catalog, 1, 2 * KIB);
    aard__catalog_discard(catalog, path, fd);
    assert_true(is_there(catalog, 1));
    close(fd);
    fd = aard__catalog_open_entry(catalog, path);
    aard__catalog_discard(catalog, path, fd);
    assert_false(is_there(catalog, 1));
    close(fd);
    aard__free(path);
    aard_catalog_free(catalog);
    remove_temp(dir);
}

static void test_a_directory_that_can_not_be_is_an_error(void **state)
{
    (void)state;
    char *dir = make_temp();
    aard_catalog *catalog = NULL;
    write_file(at(dir, "file"), "x", 1);
    assert_refused(aard_catalog_open(at(dir, "file"), 0, &catalog), AARD_ERR_IO, NULL);
    assert_refused(aard_catalog_open(at(dir, "file/below"), 0, &catalog), AARD_ERR_IO, NULL);
    remove_temp(dir);
}

/* ---- several processes ------------------------------------------------------------------------------------------ */

enum { NUMBERS = 12, QUOTA_KIB = 300 };

/* Adds, uses and checks in no order until it is killed or done; 1 where it saw something that must not be. */
static int work(const char *dir, unsigned seed, int rounds)
{
    aard_catalog *catalog = NULL;
    if (aard_catalog_open(dir, QUOTA_KIB * KIB, &catalog)) return 1;
    for (int i = 0; i < rounds; i++) {
        made m = made_of(rand_r(&seed) % NUMBERS, 20 * KIB + (size_t)rand_r(&seed) % (60 * KIB));
        char *path = path_of(catalog, &m);
        int fd = aard__catalog_open_entry(catalog, path);
        if (fd < 0) {
            if (aard__catalog_add(catalog, path, write_overlay, &m)) return 2;
        } else {
            aard__overlay *overlay = NULL;
            aard_error *error = aard__overlay_open(fd, path, m.key, &overlay);
            if (error) return 3; /* an entry appears whole or not at all */
            aard__overlay_free(overlay);
            close(fd);
        }
        aard__free(path);
        if (i % 17 == 0 && aard_catalog_prune(catalog, NULL)) return 4;
    }
    aard_catalog_free(catalog);
    return 0;
}

static pid_t worker(const char *dir, unsigned seed, int rounds)
{
    pid_t child = fork(); /* nothing of the engine runs in this test */
    assert_true(child >= 0);
    if (!child) _exit(work(dir, seed, rounds));
    return child;
}

static void test_many_processes_share_it(void **state)
{
    (void)state;
    char *dir = make_temp();
    char *place = strdup(at(dir, "catalog"));
    pid_t children[6];
    for (unsigned i = 0; i < 6; i++) children[i] = worker(place, i + 1, 150);
    for (unsigned i = 0; i < 6; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (status) fail_msg("a process ended with %x", (unsigned)status);
    }
    aard_catalog *catalog = opened(place, QUOTA_KIB * KIB);
    uint64_t entries, bytes;
    assert_ok(aard_catalog_usage(catalog, &entries, &bytes));
    assert_true(entries > 0);
    if (bytes > QUOTA_KIB * KIB) fail_msg("%llu bytes are there", (unsigned long long)bytes);
    aard_catalog_free(catalog);
    free(place);
    remove_temp(dir);
}

/* Killed at any moment: what is there is whole, and what was begun goes away with the next work. */
static void test_it_survives_being_killed(void **state)
{
    (void)state;
    char *dir = make_temp();
    char *place = strdup(at(dir, "catalog"));
    unsigned seed = 7;
    size_t removed = 99;
    for (int i = 0; i < 200; i++) {
        pid_t child = worker(place, (unsigned)i, 1 << 20);
        usleep((useconds_t)(rand_r(&seed) % 8000));
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status)) fail_msg("a process ended by itself with %x", (unsigned)status);
    }
    aard_catalog *catalog = opened(place, QUOTA_KIB * KIB);
    assert_ok(aard_catalog_prune(catalog, &removed));
    assert_int_equal(removed, 0);
    add(catalog, 1, KIB);
    DIR *list = opendir(place);
    for (struct dirent *entry; (entry = readdir(list));)
        if (strstr(entry->d_name, "-tmp-")) fail_msg("%s was left", entry->d_name);
    closedir(list);
    aard_catalog_free(catalog);
    free(place);
    remove_temp(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_least_recently_used_goes_first),
        cmocka_unit_test(test_what_is_open_stays_with_its_user),
        cmocka_unit_test(test_damaged_entries_are_pruned),
        cmocka_unit_test(test_a_repaired_entry_is_not_discarded),
        cmocka_unit_test(test_a_directory_that_can_not_be_is_an_error),
        cmocka_unit_test(test_many_processes_share_it),
        cmocka_unit_test(test_it_survives_being_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
