/* A host with two callbacks: one answers at once, the other later, from a thread of its own.
 * Build it with:  cc callback.c $(pkg-config --cflags --libs aardvark) -lpthread -o callback */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <aardvark.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char schema[] =
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"description\":\"Its name\"}},"
    "\"required\":[\"city\"],\"additionalProperties\":false}";

/* Answers at once: with the arguments. */
static void look_up(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    size_t len;
    const char *arguments = aard_invocation_arguments(invocation, &len);
    (void)context, (void)user;
    aard_invocation_reply(invocation, arguments, len);
    aard_invocation_free(invocation);
}

/* Answers when it is done; where the call has ended by then, nobody gets the answer. */
static void *measure(void *user)
{
    aard_invocation *invocation = user;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    if (strstr(aard_invocation_arguments(invocation, NULL), "Atlantis"))
        aard_invocation_fail(invocation, "NotFound", "there is no such city");
    else
        aard_invocation_reply(invocation, "{\"celsius\":21}", 14);
    aard_invocation_free(invocation);
    return NULL;
}

static void weather(const aard_call_context *context, void *user, aard_invocation *invocation)
{
    pthread_t thread;
    (void)context, (void)user;
    if (pthread_create(&thread, NULL, measure, invocation))
        aard_invocation_free(invocation); /* no answer: the guest gets an exception */
    else
        pthread_detach(thread);
}

static const char code[] = "import asyncio\n"
                           "place = await look_up(city='Lima')\n"
                           "here, there = await asyncio.gather(weather(city='Lima'), weather(city='Oslo'))\n"
                           "try:\n"
                           "    await weather(city='Atlantis')\n"
                           "except CallbackError as error:\n"
                           "    problem = f'{error.type}: {error}'\n"
                           "[place, here['celsius'] - there['celsius'], problem]";

int main(void)
{
    aard_isolate_config *config = NULL;
    aard_isolate *isolate = NULL;
    aard_outcome *outcome = NULL;
    char *stubs = NULL;
    aard_error *error;

    if ((error = aard_isolate_config_new(&config))) goto out;
    if ((error = aard_isolate_config_add_callback(config, "look_up", "Finds a city.", schema, look_up, NULL, NULL)))
        goto out;
    if ((error = aard_isolate_config_add_callback(config, "weather", "How warm it is there.", schema, weather, NULL,
                                                  NULL)))
        goto out;
    if ((error = aard_isolate_config_callback_stubs(config, AARD_LANGUAGE_PYTHON, &stubs, NULL))) goto out;
    fputs(stubs, stdout); /* for the model that writes the code */
    if ((error = aard_isolate_new(config, &isolate))) goto out;
    if ((error = aard_isolate_exec(isolate, code, strlen(code), "step-1", NULL, &outcome))) goto out;
    if (aard_outcome_is_success(outcome))
        puts(aard_outcome_value_json(outcome, NULL));
    else
        fprintf(stderr, "the guest failed: %s\n", aard_outcome_failure_message(outcome));
out:
    if (error) fprintf(stderr, "callback: %s\n", aard_error_message(error));
    int status = error || !aard_outcome_is_success(outcome);
    aard_string_free(stubs), aard_outcome_free(outcome), aard_isolate_free(isolate);
    aard_isolate_config_free(config), aard_error_free(error);
    return status;
}
