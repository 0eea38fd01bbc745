/* Frames: what is sent arrives, as long as the other end keeps to the rules, and of one that does not nothing is believed, kept
 * open or waited for.  test-quick */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sealed.h"
#include "process/wire/frame.h"

enum { PLAIN = 1, SMALL = 2, WITH_DESCRIPTORS = 4, TYPES, MIB = 1 << 20 };

static const aard__frame_rule types[TYPES] = {
    [PLAIN] = {true, 8 * MIB, 0}, [SMALL] = {true, 16, 0}, [WITH_DESCRIPTORS] = {true, MIB, 2}};
static const aard__frame_rules rules = {types, TYPES};

typedef struct pair {
    aard__channel *here;
    aard__channel *there; /* NULL where `raw` is used */
    int raw;
} pair;

/* A channel, and its other end as a bare socket. */
static pair connect_raw(void)
{
    int sockets[2];
    pair p = {NULL, NULL, -1};
    assert_null(aard__channel_sockets(sockets));
    assert_null(aard__channel_new(sockets[0], rules, &p.here));
    p.raw = sockets[1];
    return p;
}

static pair connect_both(void)
{
    pair p = connect_raw();
    assert_null(aard__channel_new(p.raw, rules, &p.there));
    p.raw = -1;
    return p;
}

static void hang_up(pair *p)
{
    aard__channel_free(p->here);
    aard__channel_free(p->there);
    if (p->raw >= 0) close(p->raw);
}

static aard__frame_result send_bytes(aard__channel *channel, uint16_t type, uint64_t id, const void *body, size_t len)
{
    return aard__channel_send(channel, &(aard__frame_to_send){.type = type, .id = id, .body = body, .len = len}, NULL);
}

static aard__wait wait_ms(uint64_t ms) { return (aard__wait){aard__clock_monotonic() + ms * 1000000, -1}; }

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* ---- what is sent arrives --------------------------------------------------------------------------------------- */

static void test_bodies_of_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        0, 1, 16, 4096, AARD__FRAME_INLINE - 1, AARD__FRAME_INLINE, AARD__FRAME_INLINE + 1, MIB, 8 * MIB};
    size_t before = open_descriptors();
    pair p = connect_both();
    char *body = malloc(8 * MIB);
    assert_non_null(body);
    for (size_t i = 0; i < 8 * MIB; i++) body[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        aard__frame frame;
        assert_int_equal(send_bytes(p.there, PLAIN, UINT64_MAX - i, body, sizes[i]), AARD__FRAME_OK);
        assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
        assert_int_equal(frame.type, PLAIN);
        assert_true(frame.id == UINT64_MAX - i);
        assert_int_equal(frame.len, sizes[i]);
        assert_memory_equal(frame.body, body, sizes[i]);
        assert_int_equal(frame.mapping != NULL, sizes[i] > AARD__FRAME_INLINE);
        assert_int_equal(frame.descriptor_count, 0);
        aard__frame_end(&frame);
        aard__frame_end(&frame);
    }
    free(body);
    hang_up(&p);
    assert_int_equal(open_descriptors(), before);
}

static void test_frames_stay_apart_and_in_order(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    for (uint64_t i = 0; i < 5; i++) assert_int_equal(send_bytes(p.there, SMALL, i, "abcdefgh", i), AARD__FRAME_OK);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
        assert_true(frame.id == i && frame.len == i && !memcmp(frame.body, "abcdefgh", i));
    }
    hang_up(&p);
}

/* Whether both are the same open file. */
static bool same_file(int a, int b)
{
    assert_int_equal(lseek(a, 1234, SEEK_SET), 1234);
    return lseek(b, 0, SEEK_CUR) == 1234;
}

static void test_descriptors_go_along(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    pair p = connect_both();
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), list[] = {file, file};
    char *large = calloc(1, MIB);
    assert_true(file >= 0 && large);
    for (size_t len = 3; len <= MIB; len += MIB - 3) {
        aard__frame frame;
        aard__frame_to_send out = {WITH_DESCRIPTORS, 1, large, len, list, 2};
        assert_int_equal(aard__channel_send(p.there, &out, NULL), AARD__FRAME_OK);
        assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
        assert_int_equal(frame.descriptor_count, 2);
        assert_true(same_file(file, frame.descriptors[0]));
        assert_int_equal(fcntl(frame.descriptors[1], F_GETFD), FD_CLOEXEC);
        int taken = frame.descriptors[1];
        frame.descriptors[1] = -1;
        aard__frame_end(&frame);
        assert_true(same_file(file, taken));
        close(taken);
    }
    free(large);
    close(file);
    hang_up(&p);
    assert_int_equal(open_descriptors(), before);
}

static void test_what_can_not_be_sent(void **state)
{
    (void)state;
    pair p = connect_both();
    int list[AARD__FRAME_DESCRIPTORS + 1] = {0};
    aard__frame_to_send out = {PLAIN, 1, "", 0, list, AARD__FRAME_DESCRIPTORS + 1};
    assert_int_equal(aard__channel_send(p.here, &out, NULL), AARD__FRAME_FAILED);
    assert_int_equal(errno, EMSGSIZE);
    out = (aard__frame_to_send){PLAIN, 1, "", (size_t)UINT32_MAX + 1, NULL, 0};
    assert_int_equal(aard__channel_send(p.here, &out, NULL), AARD__FRAME_FAILED);
    hang_up(&p);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void test_a_deadline_ends_the_wait(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    aard__wait wait = wait_ms(20);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_LATE);
    assert_true(aard__clock_monotonic() >= wait.deadline);
    wait.deadline = 1; /* long ago: what is there already is given all the same */
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_LATE);
    assert_int_equal(send_bytes(p.there, SMALL, 1, "a", 1), AARD__FRAME_OK);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_OK);
    hang_up(&p);
}

static void test_somebody_who_never_reads_is_not_waited_for(void **state)
{
    (void)state;
    static const char body[AARD__FRAME_INLINE];
    pair p = connect_both();
    aard__frame_result result = AARD__FRAME_OK;
    int sent = 0;
    for (aard__wait wait = wait_ms(30); result == AARD__FRAME_OK && sent < 100000; sent++)
        result = aard__channel_send(p.here, &(aard__frame_to_send){PLAIN, 1, body, sizeof body, NULL, 0}, &wait);
    assert_int_equal(result, AARD__FRAME_LATE);
    aard__frame frame;
    for (int i = 1; i < sent; i++) assert_int_equal(aard__channel_receive(p.there, NULL, &frame), AARD__FRAME_OK);
    aard__wait none = wait_ms(0); /* the one that was late has not come in part */
    assert_int_equal(aard__channel_receive(p.there, &none, &frame), AARD__FRAME_LATE);
    hang_up(&p);
}

static void *after_a_while(void *user)
{
    const uint64_t one = 1;
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    int *event = user;
    assert_int_equal(write(*event, &one, sizeof one), sizeof one);
    return NULL;
}

static void test_an_event_interrupts_the_wait(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    pthread_t thread;
    int event = eventfd(0, EFD_CLOEXEC);
    aard__wait wait = {UINT64_MAX, event};
    assert_int_equal(pthread_create(&thread, NULL, after_a_while, &event), 0);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_int_equal(send_bytes(p.there, SMALL, 1, "a", 1), AARD__FRAME_OK);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_INTERRUPTED); /* it goes first */
    uint64_t count;
    assert_int_equal(read(event, &count, sizeof count), sizeof count);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_OK);
    close(event);
    hang_up(&p);
}

static void *shut_after_a_while(void *channel)
{
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    aard__channel_shut(channel);
    return NULL;
}

static void test_a_thread_shuts_what_another_waits_for(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, shut_after_a_while, p.here), 0);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_ENDED);
    pthread_join(thread, NULL);
    assert_int_equal(aard__channel_receive(p.there, NULL, &frame), AARD__FRAME_ENDED);
    assert_int_equal(send_bytes(p.here, SMALL, 1, "a", 1), AARD__FRAME_ENDED);
    hang_up(&p);
}

enum { SENDERS = 4, EACH = 500 };

static void *send_many(void *channel)
{
    for (uint64_t i = 0; i < EACH; i++)
        if (send_bytes(channel, SMALL, i, "0123456789abcdef", 16) != AARD__FRAME_OK) return channel;
    return NULL;
}

static void test_several_threads_send_without_a_lock(void **state)
{
    (void)state;
    pair p = connect_both();
    pthread_t threads[SENDERS];
    for (size_t i = 0; i < SENDERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, send_many, p.there), 0);
    for (size_t i = 0; i < SENDERS * EACH; i++) {
        aard__frame frame;
        assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
        assert_true(frame.len == 16 && !memcmp(frame.body, "0123456789abcdef", 16));
    }
    for (size_t i = 0; i < SENDERS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    hang_up(&p);
}

/* ---- the end of the other process ------------------------------------------------------------------------------- */

static void test_the_end_of_the_other_end_is_seen(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    aard__wait wait = wait_ms(10000);
    assert_int_equal(send_bytes(p.there, SMALL, 7, "last", 4), AARD__FRAME_OK);
    assert_int_equal(send_bytes(p.here, SMALL, 1, "never read", 10), AARD__FRAME_OK); /* a reset, for Linux */
    aard__channel_free(p.there);
    p.there = NULL;
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_OK); /* what it had sent is not lost */
    assert_true(frame.id == 7);
    assert_int_equal(aard__channel_receive(p.here, &wait, &frame), AARD__FRAME_ENDED);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_ENDED);
    assert_int_equal(send_bytes(p.here, SMALL, 1, "a", 1), AARD__FRAME_ENDED); /* and no SIGPIPE */
    hang_up(&p);
}

static void test_a_process_that_is_killed_has_ended(void **state)
{
    (void)state;
    pair p = connect_both();
    pid_t child = fork();
    if (!child) {
        aard__channel_free(p.here);
        for (;;) pause();
    }
    aard__channel_free(p.there);
    p.there = NULL;
    kill(child, SIGKILL);
    aard__frame frame;
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_ENDED);
    assert_int_equal(waitpid(child, NULL, 0), child);
    hang_up(&p);
}

/* ---- a hostile end ---------------------------------------------------------------------------------------------- */

typedef struct packet { /* what goes over a bare socket */
    uint32_t len;
    uint16_t type, flags;
    size_t sent; /* bytes of the packet; above the header, zeros */
    const int *descriptors;
    size_t count;
} packet;

static void send_raw(int socket, const packet *what)
{
    static char bytes[256 * 1024];
    memset(bytes, 0, 16);
    memcpy(bytes, &what->len, 4); /* the machines are little endian */
    memcpy(bytes + 4, &what->type, 2);
    memcpy(bytes + 6, &what->flags, 2);
    struct iovec part = {bytes, what->sent};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(64 * sizeof(int))] = {0};
    if (what->count) {
        message.msg_control = room;
        message.msg_controllen = CMSG_SPACE(what->count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(what->count * sizeof(int));
        memcpy(CMSG_DATA(head), what->descriptors, what->count * sizeof(int));
    }
    int size = 1 << 20;
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    assert_int_equal(sendmsg(socket, &message, MSG_NOSIGNAL), what->sent);
}

static void is_refused(test_place here, const packet *what, const char *why)
{
    size_t before = open_descriptors();
    pair p = connect_raw();
    aard__frame frame;
    send_raw(p.raw, what);
    send_raw(p.raw, &(packet){1, SMALL, 0, 17, NULL, 0}); /* a good one, too late */
    if (aard__channel_receive(p.here, NULL, &frame) != AARD__FRAME_REFUSED) fail_at(here, "it is taken, where %s", why);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_REFUSED);
    aard_error *error = aard__channel_error(p.here, AARD__FRAME_REFUSED, "the child");
    if (!strstr(aard_error_message(error), why)) fail_at(here, "%s: not '%s'", aard_error_message(error), why);
    aard_error_free(error);
    assert_int_equal(send(p.raw, "x", 1, MSG_NOSIGNAL), -1); /* it is told */
    hang_up(&p);
    if (open_descriptors() != before) fail_at(here, "a descriptor is left, where %s", why);
}

static void test_what_is_not_a_frame_is_refused(void **state)
{
    (void)state;
    static const struct {
        packet what;
        const char *why;
    } rows[] = {
        {{0, PLAIN, 0, 15, NULL, 0}, "shorter than a header"},
        {{0, PLAIN, 0, 1, NULL, 0}, "shorter than a header"},
        {{1, PLAIN, 0, 16, NULL, 0}, "length is wrong"},
        {{0, PLAIN, 0, 17, NULL, 0}, "length is wrong"},
        {{0, 0, 0, 16, NULL, 0}, "type is unknown"},
        {{0, 3, 0, 16, NULL, 0}, "type is unknown"},
        {{0, TYPES, 0, 16, NULL, 0}, "type is unknown"},
        {{0, UINT16_MAX, 0, 16, NULL, 0}, "type is unknown"},
        {{0, PLAIN, 2, 16, NULL, 0}, "unknown flag"},
        {{0, PLAIN, 0x8001, 16, NULL, 0}, "unknown flag"},
        {{17, SMALL, 0, 33, NULL, 0}, "too long for its type"},
        {{UINT32_MAX, PLAIN, 0, 16, NULL, 0}, "too long for its type"},
        {{UINT32_MAX, PLAIN, 1, 16, NULL, 0}, "too long for its type"},
        {{8, PLAIN, 1, 16, NULL, 0}, "in the wrong way"},
        {{MIB, PLAIN, 0, 16, NULL, 0}, "in the wrong way"},
        {{MIB, PLAIN, 1, 16, NULL, 0}, "descriptors are not"},
        {{AARD__FRAME_INLINE + 1, PLAIN, 0, 16 + AARD__FRAME_INLINE + 1, NULL, 0}, "longer than any frame"},
        {{MIB, PLAIN, 0, 200 * 1024, NULL, 0}, "longer than any frame"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) is_refused(HERE, &rows[i].what, rows[i].why);
}

static void test_descriptors_that_nobody_waits_for_are_closed(void **state)
{
    (void)state;
    int list[64];
    for (size_t i = 0; i < COUNT(list); i++) list[i] = 1;
    is_refused(HERE, &(packet){0, PLAIN, 0, 16, list, 1}, "descriptors are not");
    is_refused(HERE, &(packet){0, WITH_DESCRIPTORS, 0, 16, list, 3}, "descriptors are not");
    is_refused(HERE, &(packet){0, WITH_DESCRIPTORS, 0, 16, list, AARD__FRAME_DESCRIPTORS + 1}, "descriptors are not");
    is_refused(HERE, &(packet){0, WITH_DESCRIPTORS, 0, 16, list, 64}, "too many descriptors");
    is_refused(HERE, &(packet){0, PLAIN, 2, 16, list, 2}, "unknown flag");
    is_refused(HERE, &(packet){0, PLAIN, 0, 3, list, 2}, "shorter than a header");
}

static int memfd_of(size_t len, unsigned seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void test_a_body_that_could_change_is_refused(void **state)
{
    (void)state;
    const unsigned all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int pipes[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    int fds[] = {memfd_of(MIB, 0),
                 memfd_of(MIB, all & ~(unsigned)F_SEAL_WRITE),
                 memfd_of(MIB, all & ~(unsigned)F_SEAL_SHRINK),
                 memfd_of(MIB, all & ~(unsigned)F_SEAL_GROW),
                 memfd_of(MIB - 1, all),
                 memfd_of(MIB + 1, all),
                 memfd_of(0, all),
                 file,
                 pipes[0],
                 pipes[1]};
    for (size_t i = 0; i < COUNT(fds); i++) {
        is_refused(HERE, &(packet){MIB, PLAIN, 1, 16, &fds[i], 1}, "sealed");
        close(fds[i]);
    }
    int good = memfd_of(MIB, all), two[] = {good, good};
    is_refused(HERE, &(packet){MIB, PLAIN, 1, 16, two, 2}, "descriptors are not");
    is_refused(HERE, &(packet){MIB, PLAIN, 1, 17, &good, 1}, "length is wrong");
    pair p = connect_raw();
    aard__frame frame;
    send_raw(p.raw, &(packet){MIB, PLAIN, 1, 16, &good, 1});
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
    aard__frame_end(&frame);
    close(good);
    hang_up(&p);
}

static void test_an_empty_packet_is_an_end(void **state)
{
    (void)state;
    pair p = connect_raw();
    aard__frame frame;
    assert_int_equal(send(p.raw, "", 0, MSG_NOSIGNAL), 0);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_ENDED);
    hang_up(&p);
}

static void test_the_protocol_refuses_too(void **state)
{
    (void)state;
    pair p = connect_both();
    aard__frame frame;
    assert_int_equal(send_bytes(p.there, SMALL, 1, "a", 1), AARD__FRAME_OK);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_OK);
    assert_int_equal(aard__channel_refuse(p.here, "no answer was asked for"), AARD__FRAME_REFUSED);
    assert_int_equal(aard__channel_receive(p.here, NULL, &frame), AARD__FRAME_REFUSED);
    aard_error *error = aard__channel_error(p.here, AARD__FRAME_REFUSED, "the child");
    assert_non_null(strstr(aard_error_message(error), "no answer was asked for"));
    aard_error_free(error);
    assert_int_equal(aard__channel_receive(p.there, NULL, &frame), AARD__FRAME_ENDED);
    hang_up(&p);
}

/* ---- what the system has not ------------------------------------------------------------------------------------ */

static void test_without_a_descriptor_left(void **state)
{
    (void)state;
    pair p = connect_both();
    struct rlimit before, none;
    char *large = calloc(1, MIB);
    aard__frame frame;
    int sockets[2];
    assert_non_null(large);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(send_bytes(p.there, PLAIN, 1, large, MIB), AARD__FRAME_OK);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    aard__frame_result sent = send_bytes(p.there, PLAIN, 1, large, MIB);
    aard_error *send_error = aard__channel_error(p.there, sent, "the child");
    aard_error *pair_error = aard__channel_sockets(sockets);
    aard__frame_result got = aard__channel_receive(p.here, NULL,
                                                   &frame); /* the memfd of the first one finds no place */
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(sent, AARD__FRAME_FAILED);
    assert_int_equal(aard_error_get_code(send_error), AARD_ERR_BUSY);
    assert_int_equal(aard_error_get_code(pair_error), AARD_ERR_BUSY);
    assert_int_equal(got, AARD__FRAME_REFUSED); /* what came is not whole, and does not come again */
    aard_error_free(send_error);
    aard_error_free(pair_error);
    free(large);
    hang_up(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_of_every_size),
        cmocka_unit_test(test_frames_stay_apart_and_in_order),
        cmocka_unit_test(test_descriptors_go_along),
        cmocka_unit_test(test_what_can_not_be_sent),
        cmocka_unit_test(test_a_deadline_ends_the_wait),
        cmocka_unit_test(test_somebody_who_never_reads_is_not_waited_for),
        cmocka_unit_test(test_an_event_interrupts_the_wait),
        cmocka_unit_test(test_a_thread_shuts_what_another_waits_for),
        cmocka_unit_test(test_several_threads_send_without_a_lock),
        cmocka_unit_test(test_the_end_of_the_other_end_is_seen),
        cmocka_unit_test(test_a_process_that_is_killed_has_ended),
        cmocka_unit_test(test_what_is_not_a_frame_is_refused),
        cmocka_unit_test(test_descriptors_that_nobody_waits_for_are_closed),
        cmocka_unit_test(test_a_body_that_could_change_is_refused),
        cmocka_unit_test(test_an_empty_packet_is_an_end),
        cmocka_unit_test(test_the_protocol_refuses_too),
        cmocka_unit_test(test_without_a_descriptor_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
