/* Calls the handler of a bundle:  embed [BUNDLE.zip [INPUT]]
 * Build it with:  cc embed.c $(pkg-config --cflags --libs aardvark) -o embed */
#include <aardvark.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *input = argc > 2 ? argv[2] : "\"C\"";
    aard_bundle *bundle = NULL;
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    aard_handler *handler = NULL;
    aard_call *call = NULL;
    aard_outcome *outcome = NULL;
    aard_error *error;

    if ((error = aard_bundle_open(argc > 1 ? argv[1] : "build/bundles/hello.zip", NULL, &bundle))) goto out;
    if ((error = aard_isolate_config_new(&config))) goto out;
    const aard_manifest *manifest = aard_bundle_manifest(bundle);
    aard_isolate_config_set_language(config, manifest ? aard_manifest_language(manifest) : AARD_LANGUAGE_PYTHON);
    aard_isolate_config_set_wall_limit_ms(config, 10000);
    if ((error = aard_isolate_new(config, &isolate))) goto out;
    if ((error = aard_isolate_load_bundle(isolate, bundle))) goto out;
    if ((error = aard_handler_new(isolate, NULL, &handler))) goto out;
    if ((error = aard_call_new(&call))) goto out;
    aard_call_set_input_json(call, input, strlen(input));
    if ((error = aard_handler_invoke(handler, call, &outcome))) goto out; /* again and again, as often as you like */
    if (aard_outcome_is_success(outcome))
        puts(aard_outcome_value_json(outcome, NULL));
    else
        fprintf(stderr, "the guest failed: %s\n", aard_outcome_failure_message(outcome));
out:
    if (error) fprintf(stderr, "embed: %s\n", aard_error_message(error));
    int status = error || !aard_outcome_is_success(outcome);
    aard_outcome_free(outcome), aard_call_free(call), aard_handler_free(handler), aard_isolate_free(isolate);
    aard_isolate_config_free(config), aard_bundle_free(bundle), aard_error_free(error);
    return status;
}
