#include "process/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/sealed.h"
#include "bundle/copy.h"
#include "distribution/distribution.h"
#include "engine/engine.h"
#include "process/child.h"
#include "process/harden/harden.h"
#include "process/harden/lifeline.h"
#include "process/message.h"
#include "process/usage.h"
#include "process/warm_copy.h"

enum { STATUSES = 1024 }; /* of children that have ended, the latest */

typedef struct server {
    aard__channel *channel;
    aard__child child;
    aard__worker *worker;
    aard_isolate_config *config;
    aard__hardening *hardening; /* NULL before the guest is there */
    int ended;                  /* readable once a child has ended */
    struct {
        pid_t pid;
        int status;
    } statuses[STATUSES];
    size_t next_status;
} server;

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static bool send_answer(server *s, aard__message type, uint64_t id, aard__buf *body)
{
    aard__frame_to_send frame = {.type = type, .id = id, .body = body ? body->data : NULL, .len = body ? body->len : 0};
    bool sent = (!body || !body->failed) && aard__channel_send(s->channel, &frame, NULL) == AARD__FRAME_OK;
    if (body) aard__buf_free(body);
    return sent;
}

static bool send_error(server *s, uint64_t id, aard_error *error)
{
    aard__buf body = AARD__BUF_INIT;
    aard__error_pack(error, true, &body);
    aard_error_free(error);
    return send_answer(s, AARD__ERROR, id, &body);
}

/* ---- the guest -------------------------------------------------------------------------------------------------- */

static aard_error *open_distribution(const aard__setup *setup, aard_isolate_config *config)
{
    aard_distribution *distribution;
    if (!setup->distribution) return NULL;
    AARD__TRY(aard_distribution_open(setup->distribution, &distribution));
    aard_isolate_config_set_distribution(config, distribution);
    bool same = setup->fingerprint && !strcmp(aard_distribution_fingerprint(distribution), setup->fingerprint);
    aard_distribution_free(distribution);
    if (same) return NULL;
    return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "the distribution in '%s' has changed since it was opened",
                       setup->distribution);
}

/* Without it packages are unpacked in memory. */
static void open_catalog(const aard__setup *setup, aard_isolate_config *config)
{
    aard_catalog *catalog = NULL;
    if (!setup->catalog) return;
    aard_error_free(aard_catalog_open(setup->catalog, setup->catalog_max_bytes, &catalog));
    aard_isolate_config_set_catalog(config, catalog);
    aard_catalog_free(catalog);
}

static aard_error *open_warm(int fd, aard_isolate_config *config)
{
    aard_warm_state *warm;
    AARD__TRY(aard__warm_unseal(fd, config, &warm));
    aard_isolate_config_set_warm_state(config, warm);
    aard_warm_state_free(warm);
    return NULL;
}

static aard_error *make_config(server *s, aard__setup *setup, const aard__frame *frame)
{
    AARD__TRY(aard_isolate_config_new(&s->config));
    aard__settings_free(&s->config->settings);
    s->config->settings = setup->settings;
    setup->settings = (aard__settings){.isolation = AARD_ISOLATION_PROCESS};
    AARD__TRY(aard__child_serve_hooks(&s->child, &setup->served, s->config));
    AARD__TRY(open_distribution(setup, s->config));
    open_catalog(setup, s->config);
    return setup->has_warm ? open_warm(frame->descriptors[setup->has_bundle], s->config) : NULL;
}

static aard_error *load_bundle(server *s, int fd)
{
    void *map;
    struct stat st;
    aard__response response;
    aard_bundle *bundle = NULL;
    if (fstat(fd, &st) || st.st_size <= 0 || !aard__sealed_map(fd, (size_t)st.st_size, &map))
        return aard__error_errno(AARD_ERR_ENGINE, errno, "the bundle for a guest can't be read");
    aard__unpacker in = aard__unpacker_of(map, (size_t)st.st_size);
    aard_error *error = aard__bundle_unpack(&in, &bundle);
    munmap(map, (size_t)st.st_size);
    if (!error)
        error = aard__worker_request(s->worker, &(aard__request){.verb = AARD__LOAD_BUNDLE, .bundle = bundle},
                                     &response);
    aard_bundle_free(bundle);
    return error;
}

static void take_lifeline(const aard__setup *setup, aard__frame *frame)
{
    int *fd = &frame->descriptors[setup->has_bundle + setup->has_warm];
    if (!setup->has_lifeline) return;
    aard__lifeline_hold(*fd);
    *fd = -1;
}

/* What guests may ask for of the distribution that no boot has read: children open no files. */
static void read_ahead(const server *s)
{
    const void *text;
    size_t len;
    if (s->config->distribution && aard__config_grants(s->config, "js"))
        aard_error_free(aard__distribution_file(s->config->distribution, AARD__FILE_LOCK, &text, &len));
}

/* From here on code of the bundle may run in the template. */
static aard_error *harden(server *s, const aard__setup *setup)
{
    const char *readable[] = {setup->distribution, setup->catalog, NULL};
    uint64_t most = aard__memory_most_kib(&s->config->settings);
    AARD__TRY(aard__hardening_take(AARD_HARDEN_ALL, 0, &s->hardening));
    if (most) aard__hardening_limit_data(s->hardening, most);
    return aard__harden_template(s->hardening, setup->distribution ? readable : readable + 2);
}

static aard_error *set_up(server *s, aard__frame *frame)
{
    aard__setup setup;
    if (s->worker) return aard__error(AARD_ERR_ENGINE, "the template has a guest already");
    AARD__TRY(aard__setup_unpack(frame, &setup));
    take_lifeline(&setup, frame);
    aard_error *error = make_config(s, &setup, frame);
    if (!error) error = aard__worker_new(s->config, 0, &s->worker);
    if (!error && setup.has_bundle) error = load_bundle(s, frame->descriptors[0]);
    if (!error) error = aard__worker_warm_up(s->worker);
    if (!error) read_ahead(s);
    if (!error) error = harden(s, &setup);
    aard__setup_free(&setup);
    return error;
}

/* ---- what it is asked ------------------------------------------------------------------------------------------- */

static bool answer_setup(server *s, aard__frame *frame)
{
    aard_error *error = set_up(s, frame);
    return error ? send_error(s, frame->id, error) : send_answer(s, AARD__READY, frame->id, NULL);
}

/* Whether the guest wanted nothing of its host, who is not there while a template starts. */
static bool missed_nothing(void *user) { return !((const server *)user)->child.missed; }

static aard_error *resolve(server *s, const char *entrypoint, uint32_t *number)
{
    aard__response response;
    aard__request request = {.verb = AARD__RESOLVE, .entrypoint = entrypoint};
    if (!s->worker) return aard__error(AARD_ERR_ENGINE, "the template has no guest yet");
    AARD__TRY(aard__worker_request(s->worker, &request, &response));
    *number = response.handler;
    s->child.missed = false;
    return aard__worker_prepare_handler(s->worker, *number, missed_nothing, s);
}

static bool answer_resolve(server *s, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__buf body = AARD__BUF_INIT;
    uint32_t number = 0;
    char *entrypoint = aard__unpack_name(&in);
    aard_error *error = aard__unpacker_done(&in) ? resolve(s, entrypoint, &number)
                                                 : aard__unpacker_error(&in, "an entrypoint");
    aard__free(entrypoint);
    if (error) return send_error(s, frame->id, error);
    aard__pack_u32(&body, number);
    return send_answer(s, AARD__RESOLVED, frame->id, &body);
}

/* What a child would have said that could not be forked. */
static void send_for_child(int socket, aard_error *error)
{
    server child;
    if (aard__channel_new(socket, aard__child_rules, &child.channel)) return;
    send_error(&child, 0, error);
    aard__channel_free(child.channel);
}

/* Before the host can be asked anything: a guest that wants to (by a timer of a module's) is not one to be warmed up, and the
 * host forks another when it needs one. */
static bool warm_up(server *s)
{
    s->child.missed = false;
    aard_error *error = aard__worker_warm_up(s->worker);
    bool warm = !error && missed_nothing(s);
    aard_error_free(error);
    return warm;
}

static void become_child(server *s, int socket, bool ahead)
{
    sigset_t cancel;
    aard__channel_free(s->channel);
    close(s->ended);
    sigemptyset(&cancel);
    sigaddset(&cancel, SIGUSR1);
    sigprocmask(SIG_SETMASK, &cancel, NULL);
    aard_error *error = aard__harden_child(s->hardening, socket);
    if (error) {
        send_for_child(socket, error);
        _exit(1);
    }
    s->child.hardening = aard__hardening_of(s->hardening);
    if (ahead && !warm_up(s)) _exit(1);
    error = aard__channel_new(socket, aard__child_rules, &s->child.host.channel);
    if (error) _exit(1);
    aard__child_run(&s->child, s->worker);
}

static bool answer_fork(server *s, aard__frame *frame)
{
    pid_t pid;
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    bool ahead = aard__unpack_bool(&in);
    if (!aard__unpacker_done(&in) || frame->descriptor_count != 1 || !s->hardening) return false;
    int socket = frame->descriptors[0];
    frame->descriptors[0] = -1;
    aard_error *error = aard__process_fork(&pid);
    if (error)
        send_for_child(socket, error);
    else if (pid)
        close(socket);
    else
        become_child(s, socket, ahead);
    return true;
}

static void reap(server *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        s->statuses[s->next_status].pid = pid;
        s->statuses[s->next_status].status = status;
        s->next_status = (s->next_status + 1) % STATUSES;
    }
}

/* Its host says that it has ended. */
static int status_of(server *s, pid_t pid)
{
    reap(s);
    for (size_t i = 0; i < STATUSES; i++)
        if (s->statuses[i].pid == pid) return s->statuses[i].status;
    return -1;
}

static bool answer_status(server *s, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__buf body = AARD__BUF_INIT;
    pid_t pid = (pid_t)aard__unpack_u32(&in);
    if (!aard__unpacker_done(&in)) return false;
    aard__pack_i64(&body, status_of(s, pid));
    return send_answer(s, AARD__STATUS_IS, frame->id, &body);
}

static bool answer(server *s, aard__frame *frame)
{
    switch (frame->type) {
    case AARD__SETUP: return answer_setup(s, frame);
    case AARD__RESOLVE_ALL: return answer_resolve(s, frame);
    case AARD__FORK: return answer_fork(s, frame);
    case AARD__STATUS: return answer_status(s, frame);
    default: return false;
    }
}

/* ---- its life --------------------------------------------------------------------------------------------------- */

static aard_error *start(server *s, int socket)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    s->ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->ended < 0) return aard__error_errno(AARD_ERR_IO, errno, "a template can't learn of its children's ends");
    AARD__TRY(aard__hash_start_library());
    AARD__TRY(aard__engine_start_template());
    return aard__channel_new(socket, aard__template_rules, &s->channel);
}

static void serve(server *s)
{
    aard__wait wait = {UINT64_MAX, s->ended};
    struct signalfd_siginfo info;
    aard__frame frame;
    for (;;) {
        aard__frame_result result = aard__channel_receive(s->channel, &wait, &frame);
        if (result == AARD__FRAME_INTERRUPTED) {
            while (read(s->ended, &info, sizeof info) > 0) continue;
            reap(s);
            continue;
        }
        if (result != AARD__FRAME_OK) return;
        bool go_on = answer(s, &frame);
        aard__frame_end(&frame);
        if (!go_on) return;
    }
}

int aard__server_run(int socket)
{
    server *s = aard__calloc(1, sizeof *s);
    aard_error *error = s ? start(s, socket) : aard__error_no_memory();
    if (!error) serve(s);
    int status = error != NULL;
    aard_error_free(error);
    return status; /* the guest goes with the process */
}
