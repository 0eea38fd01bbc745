/* Many isolates: where the kernel gives no more mappings, none is made, and the process and those that live go on; and memory comes
 * back when they are freed. */
#include "isolate_support.h"

#include <sys/mman.h>
#include <unistd.h>

static long most_mappings(void)
{
    long most = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &most), 1);
    fclose(file);
    return most;
}

typedef struct filling {
    char *at;
    size_t len;
} filling;

/* Takes all but a few: pages that are mapped by turns as one can write them and not are a mapping each. */
static filling fill(long leave)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = (size_t)(most_mappings() - leave);
    filling f = {.len = count * page};
    f.at = mmap(NULL, f.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(f.at != MAP_FAILED);
    for (size_t i = 0; i < count; i += 2)
        if (mprotect(f.at + i * page, page, PROT_READ)) break; /* the rest of the process has some */
    return f;
}

static void check(aard_language language)
{
    aard_isolate *isolate = boot(config_of(language), NULL), *more = NULL;
    filling f = fill(2500);
    for (int i = 0; i < 70 && !more;
         i++) { /* one that is made all the same would be of the estimate between two counts */
        aard_isolate_config *config = config_of(language);
        aard_error *error = aard_isolate_new(config, &more);
        aard_isolate_config_free(config);
        if (!error) {
            aard_isolate_free(more);
            more = NULL;
            continue;
        }
        assert_refused(error, AARD_ERR_ENGINE, "vm.max_map_count", "memory mappings", "raise", NULL);
        value_is(exec(isolate, "1+1"), "2");
        munmap(f.at, f.len);
        more = boot(config_of(language), NULL);
        value_is(exec(more, "1+1"), "2");
        aard_isolate_free(more);
        aard_isolate_free(isolate);
        return;
    }
    fail_msg("isolates were made without end");
}

static void test_python(void **state)
{
    (void)state;
    check(AARD_LANGUAGE_PYTHON);
}

static void test_javascript(void **state)
{
    (void)state;
    check(AARD_LANGUAGE_JAVASCRIPT);
}

static long settled_resident_kib(void)
{
    usleep(2000); /* it is read a thousand times a second at most */
    return resident_kib();
}

static void test_memory_comes_back(void **state)
{
    (void)state;
    aard_isolate *all[100];
    aard_isolate_free(boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL));
    long before = settled_resident_kib();
    for (size_t i = 0; i < COUNT(all); i++) {
        all[i] = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
        value_is(exec(all[i], "1+1"), "2");
    }
    long most = settled_resident_kib();
    for (size_t i = 0; i < COUNT(all); i++) aard_isolate_free(all[i]);
    long after = settled_resident_kib();
    if (after > before + (most - before) / 4) fail_msg("%ld KiB before, %ld at most, %ld after", before, most, after);
}

/* Ten more: the least of what they took, which other load does not change. */
static double least_start(aard_isolate **all)
{
    double least = 1e9;
    for (size_t i = 0; i < 10; i++) {
        double start = now_ms();
        all[i] = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
        double took = now_ms() - start;
        if (took < least) least = took;
    }
    return least;
}

/* V8 would read the list of them for each isolate, for some tens of milliseconds. */
static void test_a_start_does_not_grow_with_the_mappings(void **state)
{
    (void)state;
    aard_isolate *all[80];
    for (size_t i = 0; i < 60; i++) all[i] = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    double few = least_start(all + 60);
    filling f = fill(most_mappings() / 3);
    double many = least_start(all + 70);
    munmap(f.at, f.len);
    print_message("%.2f ms, %.2f ms with many mappings\n", few, many);
    assert_true(many < 3 * few);
    for (size_t i = 0; i < COUNT(all); i++) aard_isolate_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_python), cmocka_unit_test(test_javascript),
                                       cmocka_unit_test(test_memory_comes_back),
                                       cmocka_unit_test(test_a_start_does_not_grow_with_the_mappings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
