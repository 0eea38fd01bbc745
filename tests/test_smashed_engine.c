/* A guest that has got hold of the engine, and so of its whole process: it writes and jumps wherever it likes, makes any system
 * call and sends what it wants to its host.  It costs its own call, and reaches nothing.
 *
 * The hole is made here: this program is the helper as well, with a trace hook that does what names of host functions say.
 * test-timeout: 240 */
#include "isolate_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/harden/filter.h"
#include "process/helper.h"
#include "process/server.h"

/* ---- in the guest's process ----------------------------------------------------------------------------------------- */

static void write_nowhere(void) { *(volatile char *)(uintptr_t)4096 = 1; }

static void write_code(void) { *(volatile char *)(uintptr_t)write_code = 1; }

static void scribble_over_stack(void)
{
    volatile char here = 0;
    volatile char *volatile at = &here; /* which the compiler knows nothing of */
    for (size_t i = 0; i < 32768; i++) at[i] = (char)(i * 31);
}

static void jump_nowhere(void) { ((void (*)(void))(uintptr_t)0x41414141)(); }

static void jump_into_data(void)
{
    static char data[16] = {(char)0xc3};
    void (*go)(void);
    void *at = data;
    memcpy(&go, &at, sizeof go);
    go();
}

static volatile bool goes_on = true;

static void overflow_stack(void)
{
    volatile char page[4096];
    page[0] = 1;
    if (goes_on) overflow_stack();
    page[1] = page[0];
}

static void free_what_is_none(void)
{
    char *block = malloc(64);
    memset(block - 16, 0x41, 96);
    free(block);
    abort();
}

/* Whatever is a socket gets a frame that is none, or one of a child's that must not come now. */
static void send_to_host(const void *data, size_t len)
{
    struct stat st;
    for (int fd = 3; fd < 64; fd++)
        if (!fstat(fd, &st) && S_ISSOCK(st.st_mode)) {
            struct iovec part = {(void *)(uintptr_t)data, len};
            struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
            sendmsg(fd, &message, MSG_NOSIGNAL);
        }
}

static void send_noise(void)
{
    char noise[600];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)(i * 131 + 7);
    send_to_host(noise, sizeof noise);
}

static void send_nothing(void) { send_to_host("", 0); }

static void send_much(void)
{
    static char much[60000];
    for (int i = 0; i < 100; i++) send_to_host(much, sizeof much);
}

/* Memory that no limit of the engine's knows of, without an end. */
static void grow(void)
{
    for (;;) {
        char *block = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block != MAP_FAILED) memset(block, 1, 8 << 20);
    }
}

/* Memory that is not touched: there comes an end to it as well. */
static void reserve(void)
{
    enum { BLOCKS = 64, SIZE = 64 << 20 };
    char *blocks[BLOCKS];
    int count = 0;
    while (count < BLOCKS) {
        char *block = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (block == MAP_FAILED) break;
        blocks[count++] = block;
    }
    if (count == BLOCKS) abort();
    while (count) munmap(blocks[--count], SIZE);
}

static const struct {
    const char *name;
    void (*act)(void);
    const char *told; /* of the outcome's message; NULL = any */
} acts[] = {
    {"write_nowhere", write_nowhere, "signal 11"},
    {"write_code", write_code, "signal 11"},
    {"scribble", scribble_over_stack, "signal "},
    {"jump_nowhere", jump_nowhere, "signal 11"},
    {"jump_into_data", jump_into_data, "signal 11"},
    {"overflow", overflow_stack, "signal "},
    {"heap", free_what_is_none, "signal 6"},
    {"noise", send_noise, "invalid frame"},
    {"nothing", send_nothing, NULL},
    {"much", send_much, "invalid frame"},
};

static void act(const char *name)
{
    long number;
    if (!strcmp(name, "grow")) grow();
    if (!strcmp(name, "reserve")) reserve();
    for (size_t i = 0; i < COUNT(acts); i++)
        if (!strcmp(name, acts[i].name)) acts[i].act();
    if (sscanf(name, "call_%ld", &number) == 1) syscall(number, 0L, 0L, 0L, 0L, 0L, 0L);
}

static void smash(void *user, const aard_trace_event *event)
{
    (void)user;
    if (event->phase == AARD_TRACE_BEGIN && !strcmp(event->name, "host_function")) act(event->detail);
}

static int be_the_helper(void)
{
    const aard_hooks hooks = {.struct_size = sizeof hooks, .trace = smash};
    if (aard_hooks_set(&hooks)) return 1;
    return aard__server_run(AARD__HELPER_SOCKET);
}

/* ---- the host ------------------------------------------------------------------------------------------------------- */

enum { LAST_CALL = 480 };

static aard_isolate *smashed[2], *neighbour;

static void came_back(const aard_call_context *context, void *user, const char *input, size_t len, aard_reply *reply)
{
    (void)context;
    (void)user;
    (void)input;
    (void)len;
    aard_reply_set_json(reply, "\"came back\"", 11);
}

static void offer(aard_isolate_config *config, const char *name)
{
    assert_ok(aard_isolate_config_add_function(config, name, came_back, NULL, NULL));
    assert_ok(aard_isolate_config_add_capability(config, name));
}

static aard_isolate *boot_smashed(aard_language language)
{
    char name[32];
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_wall_limit_ms(config, 5000);
    for (size_t i = 0; i < COUNT(acts); i++) offer(config, acts[i].name);
    for (int i = 0; i <= LAST_CALL; i++) {
        snprintf(name, sizeof name, "call_%d", i);
        offer(config, name);
    }
    offer(config, "call_1073741825"); /* x32's write */
    offer(config, "harmless");
    return boot(config, NULL);
}

static aard_isolate *boot_limited(aard_language language)
{
    aard_isolate_config *config = config_of(language);
    aard_isolate_config_set_isolation(config, AARD_ISOLATION_PROCESS);
    aard_isolate_config_set_heap_limit(config, 96 << 20);
    offer(config, "grow");
    offer(config, "reserve");
    offer(config, "harmless");
    return boot(config, NULL);
}

static aard_outcome *have_act(bool python, const char *name)
{
    char code[200];
    snprintf(code, sizeof code, python ? "from aardvark import host\nhost.%s(1)" : "aardvark.host.%s(1)", name);
    return exec(smashed[python], code);
}

/* The others know nothing of it, and neither does the next call. */
static void all_is_well(bool python)
{
    value_is(exec(neighbour, "6 * 7"), "42");
    value_is(have_act(python, "harmless"), "\"came back\"");
}

static void breaks(bool python, const char *name, const char *told)
{
    aard_outcome *outcome = have_act(python, name);
    if (aard_outcome_failure_kind(outcome) != AARD_FAILURE_ENGINE_CRASHED)
        fail_msg("%s: %s", name, aard_failure_kind_name(aard_outcome_failure_kind(outcome)));
    if (told && !strstr(aard_outcome_failure_message(outcome), told))
        fail_msg("%s: %s", name, aard_outcome_failure_message(outcome));
    aard_outcome_free(outcome);
}

static void test_a_hole_in_the_engine_costs_one_call(void **state)
{
    (void)state;
    for (int python = 0; python < 2; python++)
        for (size_t i = 0; i < COUNT(acts); i++) {
            breaks(python, acts[i].name, acts[i].told);
            all_is_well(python);
        }
}

/* There is no limit on time: the host sees how much memory the process has. */
static void test_memory_beyond_the_limits_costs_one_call(void **state)
{
    (void)state;
    static const char *const codes[] = {"console.log('before'); aardvark.host.grow(1)",
                                        "print('before')\nfrom aardvark import host\nhost.grow(1)"};
    for (int python = 0; python < 2; python++) {
        aard_isolate *isolate = boot_limited(python ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT);
        for (int i = 0; i < 2; i++) {
            aard_outcome *outcome = exec(isolate, codes[python]);
            size_t len;
            const char *out = aard_outcome_stdout(outcome, &len);
            assert_text(out, len, "before\n");
            failure_is(outcome, AARD_FAILURE_HEAP_LIMIT_EXCEEDED, "had to be killed", NULL);
            outcome = exec(isolate, "1 + 1");
            assert_int_equal(aard_outcome_diagnostics(outcome)->reset_mode, AARD_RESET_NEW_PROCESS);
            value_is(outcome, "2");
        }
        value_is(exec(isolate, python ? "from aardvark import host\nhost.reserve(1)" : "aardvark.host.reserve(1)"),
                 "\"came back\"");
        aard_isolate_free(isolate);
    }
}

static bool is_listed(int number)
{
    aard__system_call call;
    for (size_t i = 0; aard__system_call_at(i, &call); i++)
        if (call.number == number) return true;
    return number == 335 || number == 336; /* a probe's (docs/process-isolation.md) */
}

static void test_every_call_off_the_list_is_stopped(void **state)
{
    (void)state;
    char name[32];
    size_t tried = 0;
    for (int number = 0; number <= LAST_CALL; number++) {
        if (is_listed(number)) continue;
        snprintf(name, sizeof name, "call_%d", number);
        breaks(false, name, "signal 31");
        tried++;
    }
    breaks(false, "call_1073741825", "signal 31");
    breaks(true, "call_59", "signal 31"); /* one is as good as another */
    assert_true(tried > 380);
    all_is_well(false);
}

static int boot_all(void **state)
{
    static char self[1024];
    (void)state;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0 || setenv("AARDVARK_GUEST_HELPER", self, 1)) return -1;
    for (int python = 0; python < 2; python++)
        smashed[python] = boot_smashed(python ? AARD_LANGUAGE_PYTHON : AARD_LANGUAGE_JAVASCRIPT);
    neighbour = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    aard_isolate_free(smashed[0]);
    aard_isolate_free(smashed[1]);
    aard_isolate_free(neighbour);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 1 && !strcmp(argv[0], AARD__HELPER_NAME)) return be_the_helper();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hole_in_the_engine_costs_one_call),
        cmocka_unit_test(test_memory_beyond_the_limits_costs_one_call),
        cmocka_unit_test(test_every_call_off_the_list_is_stopped),
    };
    return cmocka_run_group_tests(tests, boot_all, free_all);
}
