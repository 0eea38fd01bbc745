#include "process/client.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "outcome/outcome.h"
#include "process/client_impl.h"
#include "process/warm_copy.h"
#include "worker/worker.h"

enum {
    TRIES = 3,     /* to find a child that has not ended */
    ASK_MS = 60000 /* for a state; what a guest runs meanwhile is ours */
};

/* ---- children --------------------------------------------------------------------------------------------------- */

/* The host may not want one that lacks some of the hardening; another lacks the same. */
static aard_error *take_child(aard__client *client)
{
    client->hardening = client->child.hardening;
    aard_error *error = aard__hardening_check(&client->hardening, client->config->settings.required_hardening);
    if (error) aard__client_end_child(client);
    return error;
}

/* The child that requests go to: the one that is there, the one that was forked ahead, or a new one.  A template that dies
 * takes those with it that it has not forked yet: they are asked for once more. */
static aard_error *ensure_child(aard__client *client)
{
    aard_error *error = NULL;
    for (int tries = 0; tries < TRIES; tries++) {
        aard_error_free(error);
        if (!client->child.channel) {
            client->child = client->standby;
            client->standby = (aard__remote){.pidfd = -1};
            client->generation++;
        }
        if (!client->child.channel) AARD__TRY(aard__remote_fork(client->template, false, &client->child));
        error = aard__remote_await_hello(&client->child, client->template);
        if (!error) return take_child(client);
        aard__client_end_child(client);
    }
    return error;
}

static void drop_children(aard__client *client)
{
    aard__client_end_child(client);
    aard__remote_end(&client->standby);
}

/* One that can't be had now is asked for again when it is needed, and its error is told then. */
static void fork_ahead(aard__client *client)
{
    if (client->standby.channel) return;
    aard_error_free(aard__remote_fork(client->template, true, &client->standby));
}

/* Between two requests. */
static bool fork_next(void *user)
{
    aard__client *client = user;
    if (pthread_mutex_trylock(&client->lock)) return false;
    if (client->child.channel) fork_ahead(client);
    pthread_mutex_unlock(&client->lock);
    return true;
}

static void note_reset(aard__client *client, uint64_t start)
{
    client->reset_mode = AARD_RESET_NEW_PROCESS;
    client->reset_ms = (double)(aard__clock_monotonic() - start) / 1e6;
}

/* A full reset: the next child. */
static aard_error *reset(aard__client *client)
{
    uint64_t start = aard__clock_monotonic();
    aard__client_end_child(client);
    AARD__TRY(ensure_child(client));
    client->used = false;
    note_reset(client, start);
    return NULL;
}

/* The host resets, and so will do it again: the child after that is forked once nobody waits for anything. */
static aard_error *reset_for_host(aard__client *client)
{
    AARD__TRY(reset(client));
    if (!client->standby.channel) aard__ahead_queue(&client->next);
    return NULL;
}

/* ---- handlers ----------------------------------------------------------------------------------------------------- */

static aard_error *add_handler(aard__client *client, const char *entrypoint, uint32_t number, uint32_t *out)
{
    aard__client_handler *list = aard__realloc(client->handlers, (client->handler_count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    client->handlers = list;
    list[client->handler_count] = (aard__client_handler){aard__strdup(entrypoint), number, 0};
    if (!list[client->handler_count].entrypoint) return aard__error_no_memory();
    *out = client->handler_count++;
    return NULL;
}

static aard_error *resolve(aard__client *client, const char *entrypoint, uint32_t *out)
{
    uint32_t number, at = 0;
    AARD__TRY(aard__template_resolve(client->template, entrypoint, &number));
    while (at < client->handler_count && client->handlers[at].number != number) at++;
    if (at == client->handler_count)
        AARD__TRY(add_handler(client, aard__template_entrypoint(client->template, number), number, &at));
    client->handlers[at].uses++;
    *out = at;
    return NULL;
}

/* In another template they have other numbers. */
static aard_error *renumber(const aard__client *client, aard__template *template, uint32_t *numbers)
{
    for (uint32_t i = 0; i < client->handler_count; i++)
        AARD__TRY(aard__template_resolve(template, client->handlers[i].entrypoint, &numbers[i]));
    return NULL;
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static aard_error *exchange_template(aard__client *client, aard_bundle *bundle, aard_warm_state *warm)
{
    aard__template *template;
    aard_isolate_config with = *client->config; /* borrows everything */
    if (warm) with.warm = warm;
    uint32_t *numbers = aard__calloc(client->handler_count + 1, sizeof *numbers);
    if (!numbers) return aard__error_no_memory();
    aard_error *error = aard__template_get(&with, bundle, &template);
    if (!error && (error = renumber(client, template, numbers))) aard__template_release(template);
    for (uint32_t i = 0; !error && i < client->handler_count; i++) client->handlers[i].number = numbers[i];
    aard__free(numbers);
    if (error) return error;
    drop_children(client);
    aard__template_release(client->template);
    client->template = template;
    client->used = false;
    return NULL;
}

/* Nothing of the guest before stays, which is a reset where there was something. */
static aard_error *load_bundle(aard__client *client, aard_bundle *bundle)
{
    uint64_t start = aard__clock_monotonic();
    bool anew = client->used || client->bundle;
    AARD__TRY(exchange_template(client, bundle, NULL));
    if (anew) note_reset(client, start);
    aard_bundle_free(client->bundle);
    client->bundle = aard_bundle_retain(bundle);
    return NULL;
}

/* What a cleanup that the host wants at once does. */
static void clean_up(aard__client *client, aard_outcome *outcome)
{
    uint64_t start = aard__clock_monotonic();
    if (client->config->settings.cleanup != AARD_CLEANUP_FULL) return;
    aard_error_free(reset_for_host(client)); /* the next call tries again */
    aard_diagnostics *d = &outcome->diagnostics;
    double ms = (double)(aard__clock_monotonic() - start) / 1e6;
    d->cleanup_ms += ms;
    d->wall_ms += ms;
}

static aard_error *call_child(aard__client *client, const aard__request *request, aard_outcome **out)
{
    for (int tries = 0; tries < TRIES; tries++) {
        AARD__TRY(ensure_child(client));
        AARD__TRY(aard__client_call(client, request, out));
        if (*out) return NULL;
    }
    return aard__error(AARD_ERR_ENGINE, "the processes for the guest end before they take a call");
}

static aard_error *call(aard__client *client, const aard__request *request, aard_outcome **out)
{
    bool broken = !client->child.channel && client->used;
    aard__request by_child = *request; /* which has the template's number of the handler */
    if (request->verb == AARD__INVOKE) {
        if (request->handler >= client->handler_count)
            return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown handler %u", request->handler);
        by_child.handler = client->handlers[request->handler].number;
    }
    if (broken) AARD__TRY(reset(client));
    AARD__TRY(call_child(client, &by_child, out));
    aard_diagnostics *d = &(*out)->diagnostics;
    if (broken) { /* what the call began with */
        d->prepare_ms += d->reset_ms;
        d->wall_ms += d->reset_ms;
    }
    clean_up(client, *out);
    return NULL;
}

/* Has the child do it.  What it answers is in `*out`, which has to be ended. */
static aard_error *ask_child(aard__client *client, const aard__request *request, aard__frame *out)
{
    aard__frame frame;
    AARD__TRY(ensure_child(client));
    aard__wait wait = aard__wait_ms(ASK_MS);
    aard__frame_result result = aard__remote_send(&client->child, request, false);
    do {
        if (result == AARD__FRAME_OK) result = aard__channel_receive(client->child.channel, &wait, &frame);
        if (result != AARD__FRAME_OK) {
            aard_error *error = aard__channel_error(client->child.channel, result, "the guest's process");
            aard__client_end_child(client);
            return error;
        }
        if (frame.type == AARD__OUTPUT) aard__frame_end(&frame); /* of no call */
    } while (frame.type == AARD__OUTPUT);
    if (frame.type == AARD__RESPONSE && frame.id == client->child.id) {
        *out = frame;
        return NULL;
    }
    bool told = frame.type == AARD__ERROR && frame.id == client->child.id, whole = false;
    aard_error *error = told ? aard__error_unpack(&frame, &whole)
                             : aard__error(AARD_ERR_ENGINE, "the guest's process sent no response");
    aard__frame_end(&frame);
    if (!whole) { /* it has no guest that could go on, or goes on with what nobody waits for */
        aard__client_end_child(client);
        client->used = true; /* the next call begins with a reset, and says so */
    }
    return error;
}

/* What is alike has the same number, and goes with the last of them: what the child's guest holds of it.  A child that was
 * forked ahead has only what its template has. */
static void release(aard__client *client, uint32_t at)
{
    aard__client_handler *handler = &client->handlers[at];
    aard__frame frame;
    if (--handler->uses || !client->child.channel || client->child.known <= handler->number) return;
    const aard__request gone = {.verb = AARD__RELEASE, .handler = handler->number, .entrypoint = handler->entrypoint};
    aard_error *error = ask_child(client, &gone, &frame);
    if (!error) aard__frame_end(&frame);
    aard_error_free(error); /* one that does not answer has ended, and all with it */
}

static aard_error *release_all(aard__client *client, const aard__request *request)
{
    for (size_t i = 0; i < request->handler_count; i++)
        if (request->handlers[i] < client->handler_count) release(client, request->handlers[i]);
    return NULL;
}

static aard_error *capture(aard__client *client, aard_warm_state **out)
{
    aard__frame frame;
    if (client->config->settings.language != AARD_LANGUAGE_PYTHON)
        return aard__error(AARD_ERR_UNSUPPORTED, "only a Python isolate has a state that can be captured");
    AARD__TRY(ask_child(client, &(aard__request){.verb = AARD__CAPTURE}, &frame));
    aard_error *error = frame.descriptor_count ? aard__warm_unseal(frame.descriptors[0], client->config, out)
                                               : aard__error(AARD_ERR_ENGINE, "the guest's process sent no warm state");
    aard__frame_end(&frame);
    return error;
}

/* No more of a file is taken than the host has asked for, and of a list than a guest may have. */
static aard_error *files(aard__client *client, const aard__request *request, aard__buf *out)
{
    aard__frame frame;
    size_t len;
    if (!client->child.channel && client->used) AARD__TRY(reset(client)); /* which the next call tells of */
    AARD__TRY(ask_child(client, request, &frame));
    client->used = true;
    aard__unpacker in = aard__unpacker_of(frame.body, frame.len);
    const char *data = aard__unpack_span(&in, 0, &len);
    aard__unpacker_want(&in, request->file->verb != AARD__FILE_VERB_READ || len <= request->file->most);
    aard_error *error = aard__unpacker_done(&in) ? NULL : aard__unpacker_error(&in, "an answer about files");
    if (!error) aard__buf_append(out, data, len);
    if (!error && out->failed) error = aard__error_no_memory();
    aard__frame_end(&frame);
    return error;
}

/* The children that follow start from the state that this one has now. */
static aard_error *checkpoint(aard__client *client)
{
    aard_warm_state *warm;
    AARD__TRY(aard__worker_has_checkpoints(client->config));
    AARD__TRY(capture(client, &warm));
    aard_error *error = exchange_template(client, client->bundle, warm);
    aard_warm_state_free(warm); /* the template has a share of it */
    return error;
}

/* A guest that wants something of its host before there is a call is not one to be warmed up: its child has ended, and one that
 * has not been warmed up is as good.  Who needs that one is told what is wrong with it. */
static aard_error *prepare_reset(aard__client *client)
{
    AARD__TRY(!client->child.channel && client->used ? reset(client) : ensure_child(client));
    fork_ahead(client);
    if (!client->standby.channel) return NULL;
    aard_error *error = aard__remote_await_hello(&client->standby, client->template);
    if (!error) return NULL;
    aard_error_free(error);
    aard__remote_end(&client->standby);
    return aard__remote_fork(client->template, false, &client->standby);
}

static aard_error *answer(aard__client *client, const aard__request *request, aard__response *response)
{
    switch (request->verb) {
    case AARD__LOAD_BUNDLE: return load_bundle(client, request->bundle);
    case AARD__RESOLVE: return resolve(client, request->entrypoint, &response->handler);
    case AARD__RELEASE: return release_all(client, request);
    case AARD__INVOKE:
    case AARD__EXECUTE:
    case AARD__CLEAR: return call(client, request, &response->outcome);
    case AARD__RESET: return reset_for_host(client);
    case AARD__CHECKPOINT: return checkpoint(client);
    case AARD__PREPARE_RESET: return prepare_reset(client);
    case AARD__CAPTURE: return capture(client, &response->warm);
    case AARD__FILES: return files(client, request, &response->bytes);
    }
    return aard__error(AARD_ERR_INVALID_ARGUMENT, "unknown request %d", (int)request->verb);
}

aard_error *aard__client_request(aard__client *client, const aard__request *request, aard__response *response)
{
    pthread_mutex_lock(&client->lock);
    aard_error *error = answer(client, request, response);
    pthread_mutex_unlock(&client->lock);
    return error;
}

const aard__hardening_report *aard__client_hardening(const aard__client *client) { return &client->hardening; }

/* ---- life ------------------------------------------------------------------------------------------------------- */

aard_error *aard__client_new(aard_isolate_config *config, uint64_t id, aard__client **out)
{
    aard__forks_watch();
    aard__client *client = aard__calloc(1, sizeof *client);
    if (!client) return aard__error_no_memory();
    client->config = config;
    client->id = id;
    pthread_mutex_init(&client->lock, NULL);
    client->next = (aard__ahead){.work = fork_next, .user = client};
    client->wake = client->child.pidfd = client->standby.pidfd = -1;
    aard_error *error = aard__template_get(config, NULL, &client->template);
    if (!error) error = ensure_child(client);
    if (error) {
        aard__client_free(client);
        return error;
    }
    if (config->settings.cleanup == AARD_CLEANUP_FULL || config->settings.resets_expected) fork_ahead(client);
    *out = client;
    return NULL;
}

void aard__client_free(aard__client *client)
{
    if (!client) return;
    aard__ahead_drop(&client->next);
    drop_children(client);
    aard__template_release(client->template);
    aard_bundle_free(client->bundle);
    for (uint32_t i = 0; i < client->handler_count; i++) aard__free(client->handlers[i].entrypoint);
    aard__free(client->handlers);
    aard__net_server_end(&client->net);
    if (client->wake >= 0) close(client->wake);
    pthread_mutex_destroy(&client->lock);
    aard__free(client);
}
