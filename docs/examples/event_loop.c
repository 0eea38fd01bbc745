/* Calls from an event loop, which never waits for one:  event_loop [CODE…]
 * Each CODE is JavaScript, run in an isolate of its own; values are printed as they come.
 * Build it with:  cc event_loop.c $(pkg-config --cflags --libs aardvark) -o event_loop */
#include <aardvark.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* What a loop does when the descriptor is readable (libuv: uv_poll_start; asyncio: loop.add_reader). */
static int on_readable(aard_completion_queue *queue)
{
    aard_completion completion;
    int count = 0;
    for (; aard_completion_queue_next(queue, &completion); count++) {
        const char *value = completion.outcome ? aard_outcome_value_json(completion.outcome, NULL) : NULL;
        printf("%s: %s\n", (char *)completion.user,
               value                ? value
               : completion.outcome ? aard_outcome_failure_message(completion.outcome)
                                    : aard_error_message(completion.error));
        aard_outcome_free(completion.outcome);
        aard_error_free(completion.error);
    }
    return count;
}

int main(int argc, char **argv)
{
    aard_isolate_config *isolate = NULL;
    aard_pool_config *config = NULL;
    aard_pool *pool = NULL;
    aard_completion_queue *queue = NULL;
    aard_error *error;
    int left = 0;

    if ((error = aard_isolate_config_new(&isolate))) goto out;
    aard_isolate_config_set_language(isolate, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_cleanup(isolate, AARD_CLEANUP_FULL);
    if ((error = aard_pool_config_new(&config))) goto out;
    if ((error = aard_pool_config_set_isolate(config, isolate))) goto out;
    if ((error = aard_pool_new(config, &pool))) goto out;
    if ((error = aard_completion_queue_new(&queue))) goto out;
    for (int i = 1; i < argc; i++, left++) {
        const aard_completion_target target = {.queue = queue, .user = argv[i]};
        if ((error = aard_pool_submit_exec(pool, NULL, argv[i], strlen(argv[i]), NULL, NULL, &target))) goto out;
    }
    while (left > 0) {
        struct pollfd descriptor = {.fd = aard_completion_queue_fd(queue), .events = POLLIN};
        if (poll(&descriptor, 1, -1) > 0) left -= on_readable(queue);
    }
out:
    if (error) fprintf(stderr, "event_loop: %s\n", aard_error_message(error));
    aard_pool_free(pool), aard_completion_queue_free(queue);
    aard_pool_config_free(config), aard_isolate_config_free(isolate);
    int status = error != NULL;
    aard_error_free(error);
    return status;
}
