/* Runs steps of one session, each rolled back if it fails:  session CODE…
 * Build it with:  cc session.c $(pkg-config --cflags --libs aardvark) -o session */
#include <aardvark.h>
#include <stdio.h>
#include <string.h>

static aard_error *run_step(aard_isolate *isolate, const aard_call *call, const char *code)
{
    aard_outcome *outcome;
    aard_error *error = aard_isolate_exec(isolate, code, strlen(code), NULL, call, &outcome);
    if (error) return error;
    const char *repr = aard_outcome_value_repr(outcome, NULL);
    printf("%llu: %s\n", (unsigned long long)aard_isolate_step_count(isolate),
           !aard_outcome_is_success(outcome) ? aard_outcome_failure_message(outcome)
           : repr                            ? repr
                                             : aard_outcome_value_json(outcome, NULL));
    aard_outcome_free(outcome);
    return NULL;
}

int main(int argc, char **argv)
{
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    aard_call *call = NULL;
    aard_error *error;

    if ((error = aard_isolate_config_new(&config))) goto out;
    aard_isolate_config_set_wall_limit_ms(config, 10000);
    if ((error = aard_isolate_new(config, &isolate))) goto out;
    if ((error = aard_call_new(&call))) goto out;
    aard_call_set_rollback(call, true);
    for (int i = 1; i < argc; i++)
        if ((error = run_step(isolate, call, argv[i]))) goto out;
out:
    if (error) fprintf(stderr, "session: %s\n", aard_error_message(error));
    int status = error != NULL;
    aard_call_free(call), aard_isolate_free(isolate), aard_isolate_config_free(config), aard_error_free(error);
    return status;
}
