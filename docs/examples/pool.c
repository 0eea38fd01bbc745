/* Serves lines of standard input, each a JSON value for the handler of a bundle, on four threads:  pool BUNDLE.zip
 * Build it with:  cc pool.c $(pkg-config --cflags --libs aardvark) -lpthread -o pool */
#include <aardvark.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static aard_pool *pool;

/* Each call has an isolate that is clean; the pool resets it afterwards, which nobody waits for. */
static void *serve(void *unused)
{
    char line[65536];
    aard_call *call = NULL;
    aard_error *error = aard_call_new(&call);
    while (!error && fgets(line, sizeof line, stdin)) {
        aard_outcome *outcome = NULL;
        aard_call_set_input_json(call, line, strcspn(line, "\n"));
        if ((error = aard_pool_invoke(pool, NULL, call, &outcome))) break;
        const char *value = aard_outcome_value_json(outcome, NULL);
        printf("%s\n", value ? value : aard_outcome_failure_message(outcome));
        aard_outcome_free(outcome);
    }
    if (error) fprintf(stderr, "pool: %s\n", aard_error_message(error));
    aard_error_free(error);
    aard_call_free(call);
    return unused;
}

int main(int argc, char **argv)
{
    aard_bundle *bundle = NULL;
    aard_isolate_config *isolate = NULL;
    aard_pool_config *config = NULL;
    aard_error *error;
    pthread_t threads[4];
    int started = 0;

    if ((error = aard_bundle_open(argc > 1 ? argv[1] : "build/bundles/hello.zip", NULL, &bundle))) goto out;
    if ((error = aard_isolate_config_new(&isolate))) goto out;
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    aard_isolate_config_set_language(isolate, manifest ? aard_manifest_language(manifest) : AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(isolate, 10000);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    if ((error = aard_pool_config_new(&config))) goto out;
    if ((error = aard_pool_config_set_isolate(config, isolate))) goto out;
    aard_pool_config_set_bundle(config, bundle);
    aard_pool_config_set_size(config, 2, 0, 4); /* two to begin with, four where calls wait */
    if ((error = aard_pool_new(config, &pool))) goto out;
    while (started < 4 && !pthread_create(&threads[started], NULL, serve, NULL)) started++;
    while (started) pthread_join(threads[--started], NULL);
out:
    if (error) fprintf(stderr, "pool: %s\n", aard_error_message(error));
    aard_pool_free(pool), aard_pool_config_free(config), aard_isolate_config_free(isolate), aard_bundle_free(bundle);
    int status = error != NULL;
    aard_error_free(error);
    return status;
}
