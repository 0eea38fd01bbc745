/* SIGKILL while a warm state is captured and written, and while a distribution is staged and prepared: what is there
 * afterwards is whole, and the next run leaves nothing of the ones before.
 * test-timeout: 1200 */
#include "dist_support.h"
#include "isolate_support.h"

#include <signal.h>
#include <spawn.h>
#include <time.h>

static char *home;
static unsigned seed = 11;

static int kills(void) { return (int)soak_count(8, 200); }

static pid_t spawn(const char *job, const char *dir, const char *path)
{
    pid_t child;
    char *args[] = {(char *)"test_warm_kill", (char *)job, (char *)dir, (char *)path, NULL};
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, args, environ), 0);
    return child;
}

/* Runs a job to its end, and gives how long it took. */
static double finish(const char *job, const char *dir, const char *path)
{
    double start = now_ms();
    int status;
    pid_t child = spawn(job, dir, path);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status) fail_msg("the job '%s' ended with %x", job, (unsigned)status);
    return now_ms() - start;
}

static void kill_within(const char *job, const char *dir, const char *path, double ms)
{
    pid_t child = spawn(job, dir, path);
    int status;
    usleep((useconds_t)(ms * 1000 * (rand_r(&seed) % 1000) / 1000));
    kill(child, SIGKILL); /* it may be over already */
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) && status) fail_msg("the job '%s' ended with %x", job, (unsigned)status);
}

/* Below `dir`, however deep. */
static void no_litter(const char *dir)
{
    DIR *list = opendir(dir);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (strstr(entry->d_name, "tmp-")) fail_msg("%s/%s was left", dir, entry->d_name);
        char *below = strdup(at(dir, entry->d_name));
        struct stat st;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode)) no_litter(below);
        free(below);
    }
    closedir(list);
}

static int set_up(void **state)
{
    (void)state;
    home = make_temp();
    pristine(); /* found before there is another home */
    assert_int_equal(setenv("AARDVARK_HOME", home, 1), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_temp(home);
    return 0;
}

static void test_staging_survives_being_killed(void **state)
{
    (void)state;
    char *distributions = strdup(at(home, "distributions"));
    double whole = finish("stage", distributions, pristine());
    for (int i = 0; i < kills(); i++) {
        kill_within("stage", distributions, pristine(), whole);
        aard_distribution *distribution = NULL;
        assert_ok(aard_distribution_open(NULL, &distribution)); /* what was there before is there, or what is new */
        if (i % 16 == 0) assert_ok(aard_distribution_verify(distribution));
        aard_distribution_free(distribution);
    }
    finish("stage", distributions, pristine());
    no_litter(home);
    free(distributions);
}

static void test_capturing_survives_being_killed(void **state)
{
    (void)state;
    aard_distribution *distribution = NULL;
    char *path = strdup(at(home, "it.warm"));
    assert_ok(aard_distribution_open(NULL, &distribution));
    const char *dir = aard_distribution_dir(distribution);
    double whole = finish("capture", dir, path);
    char *digest_before = NULL;
    for (int i = 0; i < kills(); i++) {
        aard_warm_state *warm = NULL;
        kill_within("capture", dir, path, whole * 1.1);
        assert_ok(aard_warm_state_open(path, distribution, &warm)); /* the older one, or the new one */
        if (digest_before) assert_string_equal(aard_warm_state_fingerprint(warm), digest_before);
        free(digest_before);
        digest_before = strdup(aard_warm_state_fingerprint(warm));
        aard_warm_state_free(warm);
    }
    free(digest_before);
    finish("capture", dir, path);
    finish("use", dir, path);
    no_litter(home);
    free(path);
    aard_distribution_free(distribution);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

static int do_job(const char *job, const char *dir, const char *path)
{
    aard_distribution *distribution = NULL;
    if (!strcmp(job, "stage")) {
        const request r = {.home = dir, .archive = path, .force = true};
        assert_ok(run_stage(&r, &distribution, NULL));
        assert_ok(aard_distribution_prepare(distribution, true));
        aard_distribution_free(distribution);
        return 0;
    }
    aard_warm_state *warm = NULL;
    assert_ok(aard_distribution_open(dir, &distribution));
    if (!strcmp(job, "use")) assert_ok(aard_warm_state_open(path, distribution, &warm));
    aard_isolate_config *config = config_of(AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_distribution(config, distribution);
    aard_isolate_config_set_warm_state(config, warm);
    aard_isolate *isolate = boot(config, NULL);
    if (!warm) {
        aard_outcome_free(exec(isolate, "x = 41"));
        aard_catalog *catalog = NULL;
        assert_ok(aard_catalog_open(NULL, 0, &catalog));
        assert_ok(aard_warm_state_capture(isolate, &warm));
        assert_ok(aard_warm_state_write(warm, path));
        assert_ok(aard_catalog_store(catalog, warm));
        aard_catalog_free(catalog);
    } else {
        value_is(exec(isolate, "x + 1"), "42");
    }
    aard_isolate_free(isolate);
    aard_warm_state_free(warm);
    aard_distribution_free(distribution);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4) return do_job(argv[1], argv[2], argv[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_staging_survives_being_killed),
        cmocka_unit_test(test_capturing_survives_being_killed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
