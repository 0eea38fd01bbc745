#include "process/template.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "base/resident.h"
#include "base/sealed.h"
#include "bundle/copy.h"
#include "process/harden/lifeline.h"
#include "process/helper.h"
#include "process/message.h"
#include "process/warm_copy.h"
#include "warm/state.h"

enum {
    KEEP_IDLE = 4,      /* templates that nobody has a use for at the moment */
    BOOT_MS = 60000,    /* for a template's start where the host has set no limit, */
    SLACK_MS = 2000,    /* beyond that limit, and for any other answer: then it hangs */
    PATIENCE_MS = 1000, /* for a child, before it is asked whether the template is there */
    LOOK_EACH = 32,     /* forks: how much memory the template has is looked at */
    GROWTH_KIB = 65536  /* that a template has more than it began with, and twice that: it is replaced */
};

struct aard__template {
    aard__template *next; /* of all of them, the latest used first; under the registry's lock, as the next two */
    size_t owners;
    char key[AARD__HASH_HEX];

    pthread_mutex_t lock;  /* of what follows; taken after the registry's */
    aard__buf setup;       /* the frame that says what the guest is */
    aard_warm_state *warm; /* retained; may be NULL */
    aard_bundle *bundle;   /* the same */
    uint64_t boot_ms;      /* what its start may take */
    aard__channel *channel;
    pid_t pid;             /* 0 = none is running */
    bool late;             /* the last one to be started did not answer */
    uint64_t resident_kib; /* once its guest was there */
    unsigned forks;        /* since then */
    char **entrypoints;
    uint32_t count;
    uint64_t id; /* of the last frame */
};

static struct {
    pthread_mutex_t lock;
    aard__template *all;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what is sent ----------------------------------------------------------------------------------------------- */

/* One owner's share; the process of the guest has no environment that would name the default one.  NULL where there is none. */
static aard_catalog *catalog_of(const aard_isolate_config *config)
{
    aard_catalog *catalog = aard_catalog_retain(config->catalog);
    if (!catalog)
        aard__log_error(AARD_LOG_WARNING, aard_catalog_open(NULL, 0, &catalog),
                        "packages are unpacked without a catalog");
    return catalog;
}

static void pack_setup(const aard_isolate_config *config, const aard_bundle *bundle, aard__buf *out)
{
    bool python = config->settings.language == AARD_LANGUAGE_PYTHON;
    aard_catalog *catalog = NULL;
    aard_isolate_config plain = *config; /* borrows everything */
    plain.settings.cleanup = AARD_CLEANUP_NONE;
    plain.settings.required_hardening = 0; /* the host looks */
    aard__setup setup = {.config = &plain,
                         .has_bundle = bundle != NULL,
                         .has_warm = config->warm != NULL,
                         .has_lifeline = aard__lifeline_end() >= 0};
    if (python) {
        setup.distribution = (char *)(uintptr_t)aard_distribution_dir(config->distribution);
        setup.fingerprint = (char *)(uintptr_t)aard_distribution_fingerprint(config->distribution);
        catalog = catalog_of(config);
        setup.catalog = (char *)(uintptr_t)aard_catalog_dir(catalog);
        setup.catalog_max_bytes = aard_catalog_max_bytes(catalog);
    }
    aard__setup_pack(&setup, out);
    aard_catalog_free(catalog);
}

/* By what is sent, and what comes along. */
static aard_error *make_key(const aard__template *template, char key[AARD__HASH_HEX])
{
    aard__buf rest = AARD__BUF_INIT;
    uint8_t hash[AARD__HASH_BYTES];
    aard__hasher hasher;
    aard__pack_text(&rest, template->bundle ? aard_bundle_digest(template->bundle) : NULL);
    aard__pack_u64(&rest, (uint64_t)(uintptr_t) template->warm);
    if (rest.failed) return aard__error_no_memory();
    aard__hash_start(&hasher);
    aard__hash_add_sized(&hasher, template->setup.data, template->setup.len);
    aard__hash_add_sized(&hasher, rest.data, rest.len);
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, key);
    aard__buf_free(&rest);
    return NULL;
}

static aard_error *share_bundle(const aard_bundle *bundle, int *fd)
{
    aard__buf body = AARD__BUF_INIT;
    aard__bundle_pack(bundle, &body);
    aard_error *error = NULL;
    if (body.failed)
        error = aard__error_no_memory();
    else if ((*fd = aard__sealed_new(body.data, body.len)) < 0)
        error = aard__error_errno(AARD_ERR_IO, errno, "a bundle can't be handed to another process");
    aard__buf_free(&body);
    return error;
}

static aard_error *send_setup(aard__template *template)
{
    int descriptors[3] = {-1, -1, -1}, lifeline = aard__lifeline_end();
    aard_error *error = NULL;
    unsigned count = 0, own;
    if (template->bundle) error = share_bundle(template->bundle, &descriptors[count++]);
    if (!error && template->warm) error = aard__warm_seal(template->warm, &descriptors[count++]);
    own = count;
    if (lifeline >= 0) descriptors[count++] = lifeline;
    if (!error) {
        aard__frame_to_send frame = {.type = AARD__SETUP,
                                     .id = ++template->id,
                                     .body = template->setup.data,
                                     .len = template->setup.len,
                                     .descriptors = descriptors,
                                     .descriptor_count = count};
        aard__frame_result result = aard__channel_send(template->channel, &frame, NULL);
        if (result != AARD__FRAME_OK) error = aard__channel_error(template->channel, result, "the template");
    }
    for (unsigned i = 0; i < own; i++)
        if (descriptors[i] >= 0) close(descriptors[i]);
    return error;
}

/* ---- its life; with its lock held ------------------------------------------------------------------------------- */

/* Its children go on.  A host that ignores SIGCHLD leaves nothing to be waited for. */
static void stop_template(aard__template *template)
{
    if (template->pid) {
        kill(template->pid, SIGKILL);
        while (waitpid(template->pid, NULL, 0) < 0 && errno == EINTR) continue;
        template->pid = 0;
    }
    aard__channel_free(template->channel);
    template->channel = NULL;
}

/* Waits for the answer to the last frame; an ERROR is given as that. */
static aard_error *await_answer(aard__template *template, uint16_t type, uint64_t ms, aard__frame *out)
{
    aard__wait wait = aard__wait_ms(ms);
    aard__frame_result result = aard__channel_receive(template->channel, &wait, out);
    template->late = result == AARD__FRAME_LATE;
    if (result != AARD__FRAME_OK) return aard__channel_error(template->channel, result, "the template of the guest");
    aard_error *error = NULL;
    if (out->id != template->id)
        error = aard__error(AARD_ERR_ENGINE, "the guest's template responded to another request");
    else if (out->type == AARD__ERROR)
        error = aard__error_unpack(out, NULL);
    else if (out->type != type)
        error = aard__error(AARD_ERR_ENGINE, "the guest's template sent a response of another type");
    if (error) aard__frame_end(out);
    return error;
}

static uint64_t boot_ms(const aard_isolate_config *config)
{
    uint64_t limit = config->settings.startup_limit_ms;
    return !limit ? BOOT_MS : limit > UINT32_MAX ? UINT32_MAX : limit + SLACK_MS;
}

/* Has a handler resolved in the template; its number must be the next. */
static aard_error *send_resolve(aard__template *template, const char *entrypoint, uint32_t *number)
{
    aard__buf body = AARD__BUF_INIT;
    aard__frame frame;
    aard__pack_text(&body, entrypoint);
    if (body.failed) return aard__error_no_memory();
    aard__frame_to_send request = {.type = AARD__RESOLVE_ALL, .id = ++template->id, .body = body.data, .len = body.len};
    aard__frame_result result = aard__channel_send(template->channel, &request, NULL);
    aard__buf_free(&body);
    if (result != AARD__FRAME_OK) return aard__channel_error(template->channel, result, "the template of the guest");
    AARD__TRY(await_answer(template, AARD__RESOLVED, template->boot_ms, &frame));
    aard__unpacker in = aard__unpacker_of(frame.body, frame.len);
    *number = aard__unpack_u32(&in);
    aard_error *error = aard__unpacker_done(&in) ? NULL : aard__unpacker_error(&in, "a handler's number");
    aard__frame_end(&frame);
    return error;
}

/* What its guest and its modules have is no growth. */
static void note_size(aard__template *template)
{
    __atomic_store_n(&template->resident_kib, aard__resident_kib_of(template->pid), __ATOMIC_RELAXED);
    template->forks = 0;
}

static bool has_grown(aard__template *template)
{
    if (++template->forks % LOOK_EACH || !template->resident_kib) return false;
    return aard__resident_kib_of(template->pid) > 2 * template->resident_kib + GROWTH_KIB;
}

static aard_error *boot_template(aard__template *template)
{
    aard__frame ready;
    AARD__TRY(send_setup(template));
    AARD__TRY(await_answer(template, AARD__READY, template->boot_ms, &ready));
    aard__frame_end(&ready);
    for (uint32_t i = 0; i < template->count; i++) {
        uint32_t number;
        AARD__TRY(send_resolve(template, template->entrypoints[i], &number));
    }
    note_size(template);
    return NULL;
}

static aard_error *try_to_start(aard__template *template)
{
    int sockets[2];
    AARD__TRY(aard__channel_sockets(sockets));
    aard_error *error = aard__channel_new(sockets[0], aard__host_rules, &template->channel);
    if (!error) error = aard__helper_start(sockets[1], &template->pid);
    close(sockets[1]);
    if (!error) error = boot_template(template);
    if (error) stop_template(template);
    return error;
}

/* Whether it has failed because the process has: another is worth a try. */
static bool process_failed(const aard_error *error) { return error && aard_error_get_code(error) == AARD_ERR_ENGINE; }

/* One that hangs would hang again: that is said, and when the host's limit was over. */
static aard_error *too_late(const aard__template *template, aard_error *error)
{
    aard_error *told = aard__error(
        AARD_ERR_GUEST_BOOT,
        "the guest did not start: %s within %llu ms, and was ended; raise the start-up limit if it needs longer",
        aard_error_message(error), (unsigned long long)template->boot_ms);
    aard_error_free(error);
    return told;
}

static aard_error *start_template(aard__template *template)
{
    template->late = false;
    aard_error *error = try_to_start(template);
    if (template->late) return too_late(template, error);
    if (!process_failed(error)) return error;
    aard_error_free(error);
    return try_to_start(template);
}

/* ---- which there are; with the registry's lock held ------------------------------------------------------------- */

static void free_template(aard__template *template)
{
    stop_template(template);
    for (uint32_t i = 0; i < template->count; i++) aard__free(template->entrypoints[i]);
    aard__free(template->entrypoints);
    aard_bundle_free(template->bundle);
    aard_warm_state_free(template->warm);
    aard__buf_free(&template->setup);
    pthread_mutex_destroy(&template->lock);
    aard__free(template);
}

static aard__template *find_template(const char *key)
{
    for (aard__template **at = &registry.all; *at; at = &(*at)->next) {
        aard__template *found = *at;
        if (strcmp(found->key, key) != 0) continue;
        *at = found->next;
        found->next = registry.all;
        registry.all = found;
        return found;
    }
    return NULL;
}

/* Takes those out of the list that nobody has a use for, but for the latest of them. */
static aard__template *take_idle(void)
{
    aard__template *idle = NULL;
    size_t kept = 0;
    for (aard__template **at = &registry.all; *at;) {
        aard__template *one = *at;
        if (one->owners || ++kept <= KEEP_IDLE) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = idle;
        idle = one;
    }
    return idle;
}

static aard_error *new_template(const aard_isolate_config *config, aard_bundle *bundle, aard__template **out)
{
    aard__template *template = aard__calloc(1, sizeof *template);
    if (!template) return aard__error_no_memory();
    pthread_mutex_init(&template->lock, NULL);
    template->bundle = bundle ? aard_bundle_retain(bundle) : NULL;
    template->warm = config->warm ? aard_warm_state_retain(config->warm) : NULL;
    template->boot_ms = boot_ms(config);
    pack_setup(config, bundle, &template->setup);
    aard_error *error = template->setup.failed ? aard__error_no_memory() : make_key(template, template->key);
    if (error)
        free_template(template);
    else
        *out = template;
    return error;
}

aard_error *aard__template_get(const aard_isolate_config *config, aard_bundle *bundle, aard__template **out)
{
    aard__template *made = NULL;
    AARD__TRY(new_template(config, bundle, &made));
    pthread_mutex_lock(&registry.lock);
    aard__template *found = find_template(made->key), *template = found ? found : made;
    template->owners++;
    if (!found) {
        made->next = registry.all;
        registry.all = made;
    }
    pthread_mutex_unlock(&registry.lock);
    if (found) free_template(made);
    pthread_mutex_lock(&template->lock); /* whoever comes meanwhile waits for the one that is started */
    aard_error *error = template->pid ? NULL : start_template(template);
    pthread_mutex_unlock(&template->lock);
    if (error)
        aard__template_release(template);
    else
        *out = template;
    return error;
}

/* Those that have ended unasked, and that nobody has noticed since, are no longer zombies; with the registry's lock held. */
static void reap_ended(void)
{
    for (aard__template *one = registry.all; one; one = one->next) {
        if (pthread_mutex_trylock(&one->lock)) continue; /* whoever has it notices */
        siginfo_t info = {.si_pid = 0};
        if (one->pid && !waitid(P_PID, (id_t)one->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
            stop_template(one);
        pthread_mutex_unlock(&one->lock);
    }
}

void aard__template_release(aard__template *template)
{
    if (!template) return;
    pthread_mutex_lock(&registry.lock);
    template->owners--;
    reap_ended();
    aard__template *idle = take_idle();
    pthread_mutex_unlock(&registry.lock);
    while (idle) {
        aard__template *next = idle->next;
        free_template(idle);
        idle = next;
    }
}

/* ---- what it is for --------------------------------------------------------------------------------------------- */

const char *aard__template_entrypoint(aard__template *template, uint32_t number)
{
    pthread_mutex_lock(&template->lock); /* the list moves, what is in it does not */
    const char *entrypoint = template->entrypoints[number];
    pthread_mutex_unlock(&template->lock);
    return entrypoint;
}

static aard_error *add_entrypoint(aard__template *template, const char *entrypoint, uint32_t *number)
{
    char **list = aard__realloc(template->entrypoints, (template->count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    template->entrypoints = list;
    list[template->count] = aard__strdup(entrypoint);
    if (!list[template->count]) return aard__error_no_memory();
    aard_error *error = send_resolve(template, entrypoint, number);
    if (!error && *number != template->count)
        error = aard__error(AARD_ERR_ENGINE, "the template of the guest numbers its handlers differently");
    if (error)
        aard__free(list[template->count]);
    else
        template->count++;
    note_size(template);
    return error;
}

static aard_error *resolve_new(aard__template *template, const char *entrypoint, uint32_t *number)
{
    if (!template->pid) AARD__TRY(start_template(template));
    return entrypoint ? add_entrypoint(template, entrypoint, number)
                      : send_resolve(template, entrypoint, number); /* which says what is missing */
}

aard_error *aard__template_resolve(aard__template *template, const char *entrypoint, uint32_t *number)
{
    const aard_manifest *manifest = template->bundle ? aard_bundle_manifest(template->bundle) : NULL;
    if (!entrypoint && manifest) entrypoint = aard_manifest_entrypoint(manifest);
    aard_error *error = NULL;
    pthread_mutex_lock(&template->lock);
    uint32_t at = 0;
    while (entrypoint && at < template->count && strcmp(template->entrypoints[at], entrypoint) != 0) at++;
    if (entrypoint && at < template->count) {
        *number = at;
    } else {
        error = resolve_new(template, entrypoint, number);
        if (process_failed(error)) { /* the one that was there: it is started anew */
            aard_error_free(error);
            stop_template(template);
            error = resolve_new(template, entrypoint, number);
        }
    }
    pthread_mutex_unlock(&template->lock);
    return error;
}

static aard__frame_result send_fork(aard__template *template, int socket, bool ahead)
{
    const unsigned char body = ahead; /* as a bool is packed */
    aard__wait wait = aard__wait_ms(SLACK_MS);
    aard__frame_to_send frame = {.type = AARD__FORK,
                                 .id = ++template->id,
                                 .body = &body,
                                 .len = sizeof body,
                                 .descriptors = &socket,
                                 .descriptor_count = 1};
    return aard__channel_send(template->channel, &frame, &wait);
}

/* A template that has ended, has grown, or does not take the frame, is started anew, once. */
static aard_error *fork_child(aard__template *template, int socket, bool ahead)
{
    if (template->pid && !has_grown(template) && send_fork(template, socket, ahead) == AARD__FRAME_OK) return NULL;
    stop_template(template);
    AARD__TRY(start_template(template));
    aard__frame_result result = send_fork(template, socket, ahead);
    return result == AARD__FRAME_OK ? NULL
                                    : aard__channel_error(template->channel, result, "the template of the guest");
}

aard_error *aard__template_fork(aard__template *template, bool ahead, aard__channel **out, uint32_t *known)
{
    int sockets[2];
    aard__channel *channel = NULL;
    AARD__TRY(aard__channel_sockets(sockets));
    aard_error *error = aard__channel_new(sockets[0], aard__host_rules, &channel);
    if (!error) error = aard__channel_tell_sender(channel, true);
    if (!error) {
        pthread_mutex_lock(&template->lock);
        error = fork_child(template, sockets[1], ahead);
        *known = template->count;
        pthread_mutex_unlock(&template->lock);
    }
    close(sockets[1]);
    if (error)
        aard__channel_free(channel);
    else
        *out = channel;
    return error;
}

aard_warm_source aard__template_warm_source(const aard__template *template)
{
    const aard_warm_state *warm = template->warm;
    return !warm ? AARD_WARM_NONE : aard__image_is_file(warm->image) ? AARD_WARM_DISK : AARD_WARM_MEMORY;
}

uint64_t aard__template_resident_kib(aard__template *template)
{
    return __atomic_load_n(&template->resident_kib, __ATOMIC_RELAXED); /* no call waits for a module's import */
}

uint64_t aard__template_patience_ms(const aard__template *template)
{
    return template->boot_ms < PATIENCE_MS ? template->boot_ms : PATIENCE_MS;
}

int aard__template_status(aard__template *template, pid_t pid)
{
    int status = -1;
    aard__buf body = AARD__BUF_INIT;
    aard__frame frame;
    aard__pack_u32(&body, (uint32_t)pid);
    pthread_mutex_lock(&template->lock);
    aard__frame_to_send question = {.type = AARD__STATUS, .id = ++template->id, .body = body.data, .len = body.len};
    aard_error *error = NULL;
    if (!body.failed && template->pid && aard__channel_send(template->channel, &question, NULL) == AARD__FRAME_OK) {
        error = await_answer(template, AARD__STATUS_IS, SLACK_MS, &frame);
        if (error) {
            stop_template(template); /* it has crashed, or hangs */
        } else {
            aard__unpacker in = aard__unpacker_of(frame.body, frame.len);
            status = (int)aard__unpack_i64(&in);
            aard__frame_end(&frame);
        }
    }
    pthread_mutex_unlock(&template->lock);
    aard_error_free(error);
    aard__buf_free(&body);
    return status;
}

AARD__PROCESS_KEEPS(templates, "templates of this process: a template or a child has none", "registry");
