#define CURL_DISABLE_TYPECHECK
#include "net/net.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/transfer.h"

#undef curl_easy_getinfo
#undef curl_multi_setopt

/* Requests, answered or not, that the guest has not let go of. */
enum { MOST_LIVE = 1000, MOST_SLEEP_MS = 200 };

static void free_transfer(aard__transfer *transfer)
{
    aard__trace_end(&transfer->span, "aborted");
    aard__curl_transfer_end(transfer);
    aard__lookup_drop(transfer->lookup);
    aard__transfer_forget(transfer);
    aard__url_free(&transfer->url);
    aard__free(transfer->method);
    aard__buf_free(&transfer->got_headers);
    aard__buf_free(&transfer->location);
    aard__buf_free(&transfer->status_text);
    aard__buf_free(&transfer->reply.head);
    aard__buf_free(&transfer->reply.body);
    aard__free(transfer);
}

/* ---- one hop ------------------------------------------------------------------------------------------------------ */

static bool load(aard__transfers *net)
{
    const char *why;
    if (net->multi) return true;
    net->curl = aard__curl_load(&why);
    if (net->curl) net->multi = net->curl->multi_init();
    if (!net->multi) return false;
    uint64_t most = net->policy->limits.connections + 1; /* one for a request that is waited for */
    net->curl->multi_setopt(net->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most && most < INT_MAX ? (long)most : 0L);
    return true;
}

static void start_curl_transfer(aard__transfer *transfer, const aard__socket_address *addresses, size_t count)
{
    const char *failure = load(transfer->net) ? aard__curl_transfer_start(transfer, addresses, count) : "no_transport";
    if (failure)
        aard__transfer_refuse(transfer, failure, true);
    else
        transfer->phase = AARD__MOVING;
}

/* Looks up where it goes. */
static void begin_hop(aard__transfer *transfer)
{
    transfer->phase = AARD__LOOKING;
    if (transfer->url.kind != AARD__HOST_NAME) {
        start_curl_transfer(transfer, NULL, 0);
        return;
    }
    aard__transfers *net = transfer->net;
    aard_error *error = aard__lookup_start(net->lookups, transfer->url.host, aard__poller_fd(net->poller),
                                           &transfer->lookup);
    if (error)
        aard__transfer_refuse(transfer, "no_transport", true);
    else if (!transfer->lookup)
        transfer->phase = AARD__WAITING;
    aard_error_free(error);
}

/* What the policy says about the hop, before anything leaves the process. */
static const char *hop_refusal(aard__transfer *transfer)
{
    aard__transfers *net = transfer->net;
    const char *refusal = aard__network_refusal(net->policy, &transfer->url);
    if (!refusal && ++net->requests > net->policy->limits.requests) refusal = "too_many_requests";
    return refusal;
}

/* One address that is refused refuses the name: whoever mixes them wants to see which is taken. */
static void take_addresses(aard__transfer *transfer)
{
    const aard__socket_address *addresses;
    size_t count;
    if (!aard__lookup_done(transfer->lookup, &addresses, &count)) return;
    const char *refusal = count ? NULL : "name_not_found";
    for (size_t i = 0; i < count && !refusal; i++) {
        aard__address address;
        refusal = aard__address_of(&addresses[i].any, &address)
                      ? aard__network_address_refusal(transfer->net->policy, &address)
                      : "private_address";
    }
    if (refusal)
        aard__transfer_refuse(transfer, refusal, !aard__reason_is_violation(refusal));
    else
        start_curl_transfer(transfer, addresses, count);
    if (transfer->phase != AARD__MOVING) return;
    aard__lookup_drop(transfer->lookup);
    transfer->lookup = NULL;
}

/* Where a redirect leads is refused under a word of its own, except that addresses keep theirs. */
static const char *as_redirect(const char *refusal)
{
    static const char *const of_url[] = {"host_not_allowed", "port_not_allowed", "scheme_not_allowed", "malformed_url",
                                         "credentials_in_url"};
    for (size_t i = 0; i < sizeof of_url / sizeof *of_url; i++)
        if (!strcmp(of_url[i], refusal)) return "redirect_not_allowed";
    return refusal;
}

static void follow(aard__transfer *transfer)
{
    aard__transfer_record_url(transfer, NULL, true);
    aard__curl_transfer_end(transfer);
    const char *refusal = aard__transfer_follow(transfer);
    transfer->status = 0;
    if (refusal && *refusal && transfer->location.data) { /* the URL is still the one before */
        aard__buf shown = AARD__BUF_INIT;
        aard__url_put_redacted(transfer->location.data, transfer->location.len, &shown);
        aard__buf_putc(&shown, '\0');
        aard__transfer_record(transfer, shown.failed ? "" : shown.data, as_redirect(refusal), false);
        aard__buf_free(&shown);
        aard__transfer_fail(transfer, as_redirect(refusal));
        return;
    }
    if (!refusal) refusal = hop_refusal(transfer);
    if (refusal)
        aard__transfer_refuse(transfer, *refusal ? as_redirect(refusal) : "out_of_memory", false);
    else
        begin_hop(transfer);
}

static void take_result(aard__transfers *net, const CURLMsg *message)
{
    void *private = NULL;
    net->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    aard__transfer *transfer = private;
    const char *failure = aard__curl_transfer_failure(transfer, message->data.result);
    if (failure) {
        aard__transfer_refuse(transfer, failure, strcmp(failure, "private_address") != 0);
    } else if (aard__transfer_is_redirect(transfer)) {
        follow(transfer);
    } else {
        aard__transfer_record_url(transfer, NULL, true);
        aard__transfer_answer(transfer);
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/* libcurl's TLS may write to a connection that is gone; the signal for that would be the host's. */
typedef struct quiet {
    sigset_t before;
    bool was_pending;
} quiet;

static sigset_t only_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

static quiet hold_sigpipe(void)
{
    quiet state;
    sigset_t pipe = only_sigpipe(), pending;
    sigpending(&pending);
    state.was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &state.before);
    return state;
}

static void release_sigpipe(const quiet *state)
{
    sigset_t pipe = only_sigpipe(), pending;
    const struct timespec none = {0, 0};
    sigpending(&pending);
    if (!state->was_pending && sigismember(&pending, SIGPIPE) == 1) sigtimedwait(&pipe, NULL, &none);
    pthread_sigmask(SIG_SETMASK, &state->before, NULL);
}

static void perform(aard__transfers *net)
{
    int running, left;
    CURLMsg *message;
    if (!net->multi) return;
    quiet state = hold_sigpipe();
    net->curl->multi_perform(net->multi, &running);
    while ((message = net->curl->multi_info_read(net->multi, &left)))
        if (message->msg == CURLMSG_DONE) take_result(net, message);
    release_sigpipe(&state);
}

/* An answer that nobody has taken keeps its place, so that there are no more of them than connections; a body that is to be
 * taken as it comes does not once it has ended, as a guest may leave it. */
static bool has_place(const aard__transfer *transfer)
{
    return transfer->phase == AARD__LOOKING || transfer->phase == AARD__MOVING ||
           (transfer->reply.body.len && !transfer->head_told);
}

/* Does what can be done now; gives when the first deadline is.  Number `urgent` does not wait for a place: who waits for it
 * does not take answers meanwhile. */
static uint64_t turn(aard__transfers *net, unsigned urgent)
{
    uint64_t first = UINT64_MAX, places = 0;
    perform(net);
    for (aard__transfer *transfer = net->transfers; transfer; transfer = transfer->next) places += has_place(transfer);
    for (aard__transfer *transfer = net->transfers; transfer; transfer = transfer->next) {
        if (transfer->phase == AARD__WAITING && (places < net->policy->limits.connections || transfer->id == urgent)) {
            begin_hop(transfer);
            places++;
        }
        if (transfer->phase == AARD__LOOKING) take_addresses(transfer);
        if (transfer->phase == AARD__ANSWERED) continue;
        if (transfer->deadline <= aard__clock_monotonic())
            aard__transfer_refuse(transfer, "timed_out", true);
        else if (transfer->deadline < first)
            first = transfer->deadline;
    }
    perform(net); /* what has just been started */
    return first;
}

static aard__transfer *find(const aard__transfers *net, unsigned id)
{
    for (aard__transfer *transfer = net->transfers; transfer; transfer = transfer->next)
        if (transfer->id == id) return transfer;
    return NULL;
}

/* There is something to tell: an answer, or of one that streams its head, and later some of its body. */
static bool has_news(const aard__transfer *transfer)
{
    if (transfer->phase == AARD__ANSWERED) return true;
    return transfer->streams && transfer->reply.head.len && (!transfer->head_told || transfer->reply.body.len);
}

static aard__transfer *unannounced(const aard__transfers *net)
{
    for (aard__transfer *transfer = net->transfers; transfer; transfer = transfer->next)
        if (!transfer->announced && has_news(transfer)) return transfer;
    return NULL;
}

/* What waits for its taker, and was not asked for, gives no news by being waited for. */
static bool under_way(const aard__transfers *net)
{
    for (aard__transfer *transfer = net->transfers; transfer; transfer = transfer->next)
        if (transfer->phase != AARD__ANSWERED && !transfer->announced) return true;
    return false;
}

static bool has_come(const aard__transfers *net, unsigned id)
{
    const aard__transfer *transfer = id ? find(net, id) : unannounced(net);
    return transfer && has_news(transfer);
}

/* curl alone knows its descriptors. */
static void poll_transfers(void *user, int fd, int ms)
{
    const aard__transfers *net = user;
    struct curl_waitfd event = {.fd = fd, .events = CURL_WAIT_POLLIN};
    net->curl->multi_poll(net->multi, &event, fd >= 0, ms, NULL);
}

/* Not for longer than MOST_SLEEP_MS: whoever would wake this thread may fail to, and it is not to miss that it was stopped. */
static bool sleep_until(aard__transfers *net, uint64_t until)
{
    const aard__poll_more more = {poll_transfers, net};
    uint64_t most = aard__clock_later(aard__clock_monotonic(), MOST_SLEEP_MS);
    return aard__poller_wait(net->poller, net->multi ? &more : NULL, until < most ? until : most);
}

static bool wait_for(aard__net *base, unsigned id, uint64_t ns)
{
    aard__transfers *net = (aard__transfers *)base;
    uint64_t now = aard__clock_monotonic(), until = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
    for (bool woken = false;;) {
        uint64_t deadline = turn(net, id);
        if (has_come(net, id)) return true;
        if (atomic_load(&net->stopped) || (woken && !id) || aard__clock_monotonic() >= until) return false;
        if ((id ? find(net, id) == NULL : !under_way(net)) && until == UINT64_MAX) return false;
        woken = sleep_until(net, deadline < until ? deadline : until);
    }
}

static bool is_busy(const aard__net *base)
{
    const aard__transfers *net = (const aard__transfers *)base;
    return under_way(net) || unannounced(net);
}

static unsigned next(aard__net *base)
{
    aard__transfers *net = (aard__transfers *)base;
    aard__transfer *transfer = unannounced(net);
    if (!transfer) return 0;
    transfer->announced = transfer->head_told = true;
    return transfer->id;
}

static bool has(const aard__net *base, unsigned id) { return find((const aard__transfers *)base, id) != NULL; }

static aard__net_reply *reply_of(aard__net *base, unsigned id)
{
    aard__transfers *net = (aard__transfers *)base;
    aard__transfer *transfer = find(net, id);
    bool known = transfer && (transfer->phase == AARD__ANSWERED || (transfer->streams && transfer->reply.head.len));
    return known ? &transfer->reply : NULL;
}

static aard__net_piece take(aard__net *base, unsigned id, aard__buf *out)
{
    aard__transfers *net = (aard__transfers *)base;
    aard__transfer *transfer = find(net, id);
    if (!transfer || !transfer->streams) return AARD__PIECE_FAILED;
    if (transfer->phase == AARD__ANSWERED && transfer->failed) return AARD__PIECE_FAILED;
    if (!transfer->reply.body.len) {
        if (transfer->phase == AARD__ANSWERED) return AARD__PIECE_END;
        transfer->announced = false;
        return AARD__PIECE_NONE;
    }
    net->held -= transfer->reply.body.len;
    aard__buf_free(out);
    *out = transfer->reply.body;
    transfer->reply.body = AARD__BUF_INIT;
    if (transfer->paused && transfer->easy) {
        quiet state = hold_sigpipe();
        transfer->paused = false;
        net->curl->easy_pause(transfer->easy, CURLPAUSE_CONT); /* may bring more at once */
        release_sigpipe(&state);
    }
    return AARD__PIECE_BYTES;
}

/* ---- beginning and end -------------------------------------------------------------------------------------------- */

static void append(aard__transfers *net, aard__transfer *transfer)
{
    aard__transfer **at = &net->transfers;
    while (*at) at = &(*at)->next;
    *at = transfer;
}

/* A request that could not be read well enough to have a URL is shown as it was written. */
static void refuse_as_written(aard__transfer *transfer, const aard__net_request *request, const char *reason)
{
    aard__buf url = AARD__BUF_INIT;
    aard__url_put_redacted(request->url, request->url_len, &url);
    aard__buf_putc(&url, '\0');
    size_t shown = request->method_len < AARD__LEDGER_TEXT ? request->method_len : AARD__LEDGER_TEXT;
    if (!transfer->method) transfer->method = aard__memdup0(request->method, shown);
    aard__transfer_record(transfer, url.failed ? "" : url.data, reason, false);
    aard__buf_free(&url);
    aard__transfer_fail(transfer, reason);
}

static aard__span trace_begin(const aard__net_request *request)
{
    aard__buf detail = AARD__BUF_INIT;
    if (!aard__trace_callback) return (aard__span){.id = 0};
    aard__buf_append(&detail, request->method, request->method_len);
    aard__buf_putc(&detail, ' ');
    aard__url_put_redacted(request->url, request->url_len, &detail);
    aard__buf_putc(&detail, '\0');
    aard__span span = aard__trace_begin_apart("network_request", detail.failed ? "" : detail.data);
    aard__buf_free(&detail);
    return span;
}

static void drop(aard__net *base, unsigned id)
{
    aard__transfers *net = (aard__transfers *)base;
    aard__transfer **at = &net->transfers;
    while (*at && (*at)->id != id) at = &(*at)->next;
    aard__transfer *transfer = *at;
    if (!transfer) return;
    if (transfer->phase != AARD__ANSWERED) {
        aard__transfer_record_url(transfer, "aborted", true);
        aard__transfer_settle(transfer);
    }
    net->held -= transfer->reply.body.len;
    net->live--;
    *at = transfer->next;
    free_transfer(transfer);
}

static unsigned start(aard__net *base, const aard__net_request *request)
{
    aard__transfers *net = (aard__transfers *)base;
    aard__transfer *transfer = aard__calloc(1, sizeof *transfer);
    if (!transfer) return 0;
    uint64_t limit = net->policy->limits.timeout_ms;
    if (request->timeout_ms && request->timeout_ms < limit) limit = request->timeout_ms;
    transfer->net = net;
    transfer->streams = transfer->reply.streams = request->streams;
    if (!++*net->last_id) *net->last_id = 1;
    transfer->id = *net->last_id;
    transfer->deadline = limit > UINT64_MAX / 2000000 ? UINT64_MAX : aard__clock_monotonic() + limit * 1000000;
    transfer->span = trace_begin(request);
    append(net, transfer);
    if (++net->live > MOST_LIVE) {
        refuse_as_written(transfer, request, "too_many_requests");
        drop(base, transfer->id);
        return 0;
    }
    const char *refusal = aard__transfer_ask(transfer, request);
    if (!refusal || transfer->url.target) {
        const char *first = hop_refusal(transfer); /* where it goes matters more than what it is like */
        refusal = first ? first : refusal;
    }
    if (refusal && !*refusal) refusal = "out_of_memory";
    if (refusal && !transfer->url.target)
        refuse_as_written(transfer, request, refusal);
    else if (refusal)
        aard__transfer_refuse(transfer, refusal, false);
    else
        turn(net, 0);
    return transfer->id;
}

static void stop(aard__net *base)
{
    aard__transfers *net = (aard__transfers *)base;
    atomic_store(&net->stopped, true);
    aard__poller_wake(net->poller);
}

static void end(aard__net *base)
{
    aard__transfers *net = (aard__transfers *)base;
    quiet state = hold_sigpipe();
    while (net->transfers) {
        aard__transfer *transfer = net->transfers;
        if (transfer->phase != AARD__ANSWERED) aard__transfer_record_url(transfer, "call_ended", true);
        net->transfers = transfer->next;
        free_transfer(transfer);
    }
    if (net->multi) net->curl->multi_cleanup(net->multi);
    release_sigpipe(&state);
    aard__free(net);
}

static const aard__net_ops ops = {.start = start,
                                  .wait = wait_for,
                                  .is_busy = is_busy,
                                  .next = next,
                                  .has = has,
                                  .reply_of = reply_of,
                                  .take = take,
                                  .drop = drop,
                                  .stop = stop,
                                  .end = end};

aard_error *aard__net_new(const aard__network_policy *policy, aard__ledger *ledger, unsigned *last_id,
                          aard__lookup_share *lookups, aard__poller *poller, aard__net **out)
{
    aard__transfers *net = aard__calloc(1, sizeof *net);
    if (!net) return aard__error_no_memory();
    net->base.ops = &ops;
    net->policy = policy;
    net->ledger = ledger;
    net->last_id = last_id;
    net->lookups = lookups;
    net->poller = poller;
    if (aard__poller_fd(poller) < 0) {
        aard__free(net);
        return aard__error(AARD_ERR_BUSY, "the process has no file descriptors left for the guest's requests");
    }
    *out = &net->base;
    return NULL;
}
