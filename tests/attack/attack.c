/* make attack: hostile guests by the thousand, each made by its seed, until ATTACK_SECONDS are over.
 *
 *   ATTACK_SEED=S        the run; S-N: guest N of it alone, again and again, and S-N..M: those guests
 *   ATTACK_KINDS="A0 A3" only these templates of guest.js and guest.py
 *   ATTACK_THREADS (3), ATTACK_REPEATS (20, of guests alone), ATTACK_DIR (where what was found is written) */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"

enum {
    SLICE_MS = 12000,
    SHORT_MS = 2500,
    STUCK_MS = 20000,
    LOOK_US = 10000,
    SLACK_KIB = 256 * 1024,
    MOST_FINDINGS = 20,
    CONFIRM = 3
};

static shared *all;
static const char *dir;
static unsigned findings;
static uint64_t began_ms;
static uint64_t guests, ends[KINDS_OF_END], abandoned, unfreeable;
static float *latencies;
static size_t latency_count;

static const char *setting(const char *name, const char *usual)
{
    const char *text = getenv(name);
    return text && *text ? text : usual;
}

/* ---- looking after a process -------------------------------------------------------------------------------------- */

/* What is wrong with a process that lives: NULL for nothing. */
static const char *trouble(pid_t pid)
{
    static char text[256];
    uint64_t now = attack_now_ms(), since = atomic_load(&all->neighbour_since_ms);
    long most = atomic_load(&all->idle_kib) + SLACK_KIB + atomic_load(&all->unfreeable_kib);
    if (since && now > since + STUCK_MS) {
        snprintf(text, sizeof text, "the neighbour is stuck: %s", atomic_load(&all->neighbour_stage));
        return text;
    }
    for (unsigned i = 0; i < all->threads; i++) {
        slot *s = &all->slots[i];
        uint64_t guest = atomic_load(&s->guest);
        most += atomic_load(&s->kib);
        since = atomic_load(&s->since_ms);
        if (!guest || now < since + STUCK_MS) continue;
        snprintf(text, sizeof text, "guest %" PRIu64 " does not end: %s", guest - 1, atomic_load(&s->stage));
        return text;
    }
    long have = attack_resident_kib(pid);
    if (!atomic_load(&all->idle_kib) || have <= most) return NULL;
    snprintf(text, sizeof text, "%ld MiB are used, and %ld would be the most", have / 1024, most / 1024);
    return text;
}

static void prepare(uint64_t first, uint64_t last)
{
    memset(all->slots, 0, sizeof all->slots);
    memset(all->message, 0, sizeof all->message);
    memset((void *)all->ends, 0, sizeof all->ends);
    all->next = first;
    all->last = last;
    all->stop = false;
    all->neighbour_since_ms = all->neighbour_calls = all->abandoned = all->unfreeable = 0;
    all->idle_kib = all->unfreeable_kib = 0;
}

/* Runs a process for `ms`, or until its guests are over; what was wrong with it goes to `what`, "" for nothing. */
static void run_process(uint64_t first, uint64_t last, uint64_t ms, char *what, size_t size, const char *log)
{
    int status = 0;
    prepare(first, last);
    fflush(NULL);
    uint64_t start = attack_now_ms(), stopped = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0) dup2(fd, 1), dup2(fd, 2);
        attack_process(all);
    }
    *what = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        usleep(LOOK_US);
        uint64_t now = attack_now_ms();
        if (now > start + ms && !stopped) {
            all->stop = true;
            stopped = now;
        }
        const char *found = trouble(pid);
        if (!found && stopped && now > stopped + 3 * STUCK_MS) found = "the process does not end";
        if (!found) continue;
        snprintf(what, size, "%s", found);
        kill(pid, getenv("ATTACK_CORE") ? SIGABRT : SIGKILL);
        waitpid(pid, &status, 0);
        return;
    }
    if (WIFSIGNALED(status))
        snprintf(what, size, "the process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == FOUND)
        snprintf(what, size, "%s", all->message);
    else if (WEXITSTATUS(status))
        snprintf(what, size, "the process ended with status %d", WEXITSTATUS(status));
}

/* ---- what was found ---------------------------------------------------------------------------------------------- */

static void write_guest(uint64_t number, const char *what, bool alone)
{
    char path[4096], text[256];
    plan p = plan_of(all->run, number, all->kinds);
    const char *comment = p.language == AARD_LANGUAGE_PYTHON ? "#" : "//";
    snprintf(path, sizeof path, "%s/%" PRIu64 "-%" PRIu64 "%s", dir, all->run, number,
             p.language == AARD_LANGUAGE_PYTHON ? ".py" : ".js");
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return;
    }
    plan_describe(&p, text, sizeof text);
    char *source = plan_source(&p, all->kinds);
    fprintf(file, "%s %s\n%s %s%s\n%s", comment, text, comment, what, alone ? "" : " (not when it is run alone)",
            source);
    free(source);
    fclose(file);
    printf("  %s%s\n    %s\n    ATTACK_SEED=%" PRIu64 "-%" PRIu64 "%s%s%s make attack\n", text,
           alone ? ", alone too" : "", path, all->run, number, *all->kinds ? " ATTACK_KINDS='" : "", all->kinds,
           *all->kinds ? "'" : "");
}

static void show_log(const char *log)
{
    FILE *file = fopen(log, "r");
    char line[512];
    for (int i = 0; file && i < 12 && fgets(line, sizeof line, file); i++)
        printf("  | %.200s%s", line, strchr(line, '\n') ? "" : "\n");
    if (file) fclose(file);
}

/* Those that were under way come first, then those before them: each is run alone, where that may show which it was. */
static void tell(const char *what, const char *log)
{
    uint64_t suspects[2 * MOST_THREADS];
    unsigned count = 0, threads = all->threads;
    char again[512], shown[2048];
    for (unsigned i = 0; i < threads; i++)
        if (atomic_load(&all->slots[i].guest)) suspects[count++] = all->slots[i].guest - 1;
    for (unsigned i = 0; i < threads; i++) {
        uint64_t before = atomic_load(&all->slots[i].before);
        bool is_new = before;
        for (unsigned k = 0; k < count; k++) is_new = is_new && suspects[k] != before - 1;
        if (is_new) suspects[count++] = before - 1;
    }
    snprintf(shown, sizeof shown, "%s", what);
    printf("FOUND after %.1f s: %s\n", (double)(attack_now_ms() - began_ms) / 1000, shown);
    show_log(log);
    all->threads = 1;
    for (unsigned i = 0; i < count; i++) {
        *again = 0;
        for (int k = 0; k < CONFIRM && !*again && findings < 3; k++)
            run_process(suspects[i], suspects[i] + 1, STUCK_MS, again, sizeof again, log);
        write_guest(suspects[i], shown, *again);
    }
    all->threads = threads;
    fflush(stdout);
}

static void add_up(void)
{
    for (int i = 0; i < KINDS_OF_END; i++) {
        ends[i] += all->ends[i];
        guests += all->ends[i];
    }
    abandoned += all->abandoned;
    unfreeable += all->unfreeable;
    size_t calls = all->neighbour_calls < LATENCIES ? all->neighbour_calls : LATENCIES;
    latencies = realloc(latencies, (latency_count + calls + 1) * sizeof *latencies);
    for (size_t i = 0; i < calls; i++) latencies[latency_count++] = all->latency_ms[i];
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void summary(void)
{
    printf("%" PRIu64 " guests in %.0f s:", guests, (double)(attack_now_ms() - began_ms) / 1000);
    for (int i = 0; i < KINDS_OF_END; i++)
        if (ends[i]) printf(" %s %" PRIu64, i ? aard_failure_kind_name((aard_failure_kind)i) : "success", ends[i]);
    printf("; %" PRIu64 " abandoned, %" PRIu64 " unfreeable\n", abandoned, unfreeable);
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    if (latency_count)
        printf("neighbour: %zu calls, p50 %.0f ms, p99 %.0f ms, at most %.0f ms\n", latency_count,
               latencies[latency_count / 2], latencies[latency_count * 99 / 100], latencies[latency_count - 1]);
    printf("%u found\n", findings);
}

int main(void)
{
    char what[2048], log[4096], kinds[64];
    const char *seed = setting("ATTACK_SEED", NULL);
    char *rest = NULL;
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return 2;
    dir = setting("ATTACK_DIR", "build/attack");
    snprintf(kinds, sizeof kinds, "%s", setting("ATTACK_KINDS", ""));
    memcpy(all->kinds, kinds, sizeof kinds);
    all->threads = (unsigned)strtoul(setting("ATTACK_THREADS", "3"), NULL, 10);
    if (all->threads < 1 || all->threads > MOST_THREADS || strchr(kinds, '\'')) return 2;
    if (mkdir(dir, 0700) && errno != EEXIST) {
        perror(dir);
        return 2;
    }
    snprintf(log, sizeof log, "%s/log", dir);
    all->run = seed ? strtoull(seed, &rest, 10) : (uint64_t)time(NULL);
    uint64_t first = 0, last = UINT64_MAX, ms = strtoull(setting("ATTACK_SECONDS", "600"), NULL, 10) * 1000;
    uint64_t repeats = strtoull(setting("ATTACK_REPEATS", "20"), NULL, 10);
    if (rest && *rest == '-') {
        first = strtoull(rest + 1, &rest, 10);
        last = (!strncmp(rest, "..", 2) ? strtoull(rest + 2, &rest, 10) : first) + 1;
        if (last == first + 1) all->threads = 1;
    }
    printf("ATTACK_SEED=%" PRIu64 "\n", all->run);
    began_ms = attack_now_ms();
    uint64_t next = first;
    for (uint64_t i = 0; attack_now_ms() < began_ms + ms && findings < MOST_FINDINGS; i++) {
        if (last != UINT64_MAX && i >= repeats) break;
        uint64_t rest_ms = began_ms + ms - attack_now_ms();
        uint64_t slice_ms = i % 3 ? SHORT_MS : SLICE_MS; /* what happens once in a process happens in each */
        run_process(next, last, rest_ms < slice_ms ? rest_ms : slice_ms, what, sizeof what, log);
        uint64_t reached = all->next;
        add_up();
        if (*what) {
            findings++;
            tell(what, log);
        }
        if (last == UINT64_MAX) next = reached;
        if (*setting("ATTACK_FIRST", "") && findings) break;
    }
    summary();
    unlink(log);
    return findings ? 1 : 0;
}
