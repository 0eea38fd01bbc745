#include "process/wire/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/sealed.h"

enum {
    HEADER = 4 + 2 + 2 + 8, /* bytes of length, type, flags and id, little endian */
    APART = 1,              /* the only flag: the body is in the first descriptor */
    MOST_DESCRIPTORS = AARD__FRAME_DESCRIPTORS + 1
};

struct aard__channel {
    int socket;
    aard__frame_rules rules;
    bool tells_sender;
    const char *refusal; /* why what came was refused; NULL while nothing was */
    unsigned char packet[HEADER + AARD__FRAME_INLINE];
};

typedef union control { /* room for who sent it and descriptors, aligned as the kernel wants it */
    char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    struct cmsghdr align;
} control;

static void close_all(const int *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] >= 0) close(list[i]);
}

aard_error *aard__channel_sockets(int out[2])
{
    int pair[2];
    if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        pair[0] = aard__fd_above_standard(pair[0]);
        pair[1] = aard__fd_above_standard(pair[1]);
        if (pair[0] >= 0 && pair[1] >= 0) {
            memcpy(out, pair, sizeof pair);
            return NULL;
        }
        int why = errno;
        close_all(pair, 2);
        errno = why;
    }
    return aard__error_errno(errno == EMFILE || errno == ENFILE ? AARD_ERR_BUSY : AARD_ERR_IO, errno,
                             "cannot make a socket pair for a guest's process");
}

aard_error *aard__channel_new(int socket, aard__frame_rules rules, aard__channel **out)
{
    aard__channel *channel = aard__malloc(sizeof *channel);
    if (!channel) {
        close(socket);
        return aard__error_no_memory();
    }
    channel->socket = socket;
    channel->rules = rules;
    channel->tells_sender = false;
    channel->refusal = NULL;
    *out = channel;
    return NULL;
}

void aard__channel_free(aard__channel *channel)
{
    if (!channel) return;
    close(channel->socket);
    aard__free(channel);
}

int aard__channel_descriptor(const aard__channel *channel) { return channel->socket; }

aard_error *aard__channel_tell_sender(aard__channel *channel, bool tell)
{
    int on = tell;
    if (setsockopt(channel->socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on))
        return aard__error_errno(AARD_ERR_IO, errno, "the kernel does not say who sends over a socket");
    channel->tells_sender = tell;
    return NULL;
}

void aard__channel_shut(aard__channel *channel) { shutdown(channel->socket, SHUT_RDWR); }

aard__frame_result aard__channel_refuse(aard__channel *channel, const char *why)
{
    if (!channel->refusal) channel->refusal = why;
    aard__channel_shut(channel);
    return AARD__FRAME_REFUSED;
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

aard__wait aard__wait_ms(uint64_t ms) { return (aard__wait){aard__clock_later(aard__clock_monotonic(), ms), -1}; }

/* What is left until then; NULL of no deadline. */
static const struct timespec *time_left(uint64_t deadline, struct timespec *left)
{
    if (deadline == UINT64_MAX) return NULL;
    uint64_t now = aard__clock_monotonic(), ns = now < deadline ? deadline - now : 0;
    *left = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return left;
}

/* OK where it is worth a try: whatever there is to be said about the other end is said then. */
static aard__frame_result await(const aard__channel *channel, short events, const aard__wait *wait)
{
    struct timespec left;
    struct pollfd watched[] = {{channel->socket, events, 0}, {wait->interrupt, POLLIN, 0}};
    for (;;) {
        int ready = ppoll(watched, 2, time_left(wait->deadline, &left), NULL);
        if (ready < 0 && errno != EINTR) return AARD__FRAME_FAILED;
        if (ready > 0) return watched[1].revents ? AARD__FRAME_INTERRUPTED : AARD__FRAME_OK;
        if (!ready) return AARD__FRAME_LATE;
    }
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static void put_number(unsigned char *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) at[i] = (unsigned char)(value >> (8 * i));
}

static void put_header(unsigned char header[HEADER], const aard__frame_to_send *frame, bool apart)
{
    put_number(header, frame->len, 4);
    put_number(header + 4, frame->type, 2);
    put_number(header + 6, apart ? APART : 0, 2);
    put_number(header + 8, frame->id, 8);
}

static void put_descriptors(struct msghdr *message, control *room, const int *list, size_t count)
{
    if (!count) return;
    memset(room, 0, sizeof *room);
    message->msg_control = room;
    message->msg_controllen = CMSG_SPACE(count * sizeof *list);
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof *list);
    memcpy(CMSG_DATA(head), list, count * sizeof *list);
}

/* The kernel counts descriptors that are under way by their user, over all processes of it, and refuses more than the sender may
 * have open: whoever receives makes room. */
static aard__frame_result await_room(const aard__wait *wait)
{
    aard__clock_pause(500000);
    return wait && aard__clock_monotonic() >= wait->deadline ? AARD__FRAME_LATE : AARD__FRAME_OK;
}

static aard__frame_result send_message(aard__channel *channel, const struct msghdr *message, const aard__wait *wait)
{
    int flags = MSG_NOSIGNAL | (wait ? MSG_DONTWAIT : 0);
    for (;;) {
        if (sendmsg(channel->socket, message, flags) >= 0) return AARD__FRAME_OK;
        if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) return AARD__FRAME_ENDED;
        if (errno == ETOOMANYREFS || (errno == EAGAIN && wait)) {
            aard__frame_result result = errno == EAGAIN ? await(channel, POLLOUT, wait) : await_room(wait);
            if (result != AARD__FRAME_OK) return result;
        } else if (errno != EINTR) {
            return AARD__FRAME_FAILED;
        }
    }
}

aard__frame_result aard__channel_send(aard__channel *channel, const aard__frame_to_send *frame, const aard__wait *wait)
{
    unsigned char header[HEADER];
    int descriptors[MOST_DESCRIPTORS];
    size_t count = 0;
    bool apart = frame->len > AARD__FRAME_INLINE;
    control room;
    if (frame->len > UINT32_MAX || frame->descriptor_count > AARD__FRAME_DESCRIPTORS) {
        errno = EMSGSIZE;
        return AARD__FRAME_FAILED;
    }
    if (apart && (descriptors[count++] = aard__sealed_new(frame->body, frame->len)) < 0) return AARD__FRAME_FAILED;
    for (unsigned i = 0; i < frame->descriptor_count; i++) descriptors[count++] = frame->descriptors[i];
    put_header(header, frame, apart);
    struct iovec parts[] = {{header, sizeof header}, {(void *)(uintptr_t)frame->body, frame->len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = apart || !frame->len ? 1 : 2};
    put_descriptors(&message, &room, descriptors, count);
    aard__frame_result result = send_message(channel, &message, wait);
    int why = errno;
    if (apart) close(descriptors[0]);
    errno = why;
    return result;
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

static uint64_t get_number(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

typedef struct arrival { /* one packet */
    size_t len;
    bool cut; /* something of it found no room */
    int descriptors[MOST_DESCRIPTORS];
    size_t count;
    pid_t sender;
} arrival;

static void take_control(struct msghdr *message, arrival *packet)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        struct ucred sender;
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&sender, CMSG_DATA(head), sizeof sender);
            packet->sender = sender.pid;
        }
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int); /* no more than there is room for, in one list */
        memcpy(packet->descriptors + packet->count, CMSG_DATA(head), count * sizeof(int));
        packet->count += count;
    }
}

/* That the other end went away with frames unread is told before what it had sent is given (ECONNRESET, once). */
static aard__frame_result receive_packet(aard__channel *channel, const aard__wait *wait, arrival *packet)
{
    control room;
    for (;;) {
        aard__frame_result result = wait ? await(channel, POLLIN, wait) : AARD__FRAME_OK;
        if (result != AARD__FRAME_OK) return result;
        struct iovec part = {channel->packet, sizeof channel->packet};
        struct msghdr message = {
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = &room,
            .msg_controllen = (channel->tells_sender ? CMSG_SPACE(sizeof(struct ucred)) : 0) +
                              CMSG_LEN(MOST_DESCRIPTORS * sizeof(int))}; /* the padding behind it would be used, too */
        ssize_t got = recvmsg(channel->socket, &message, MSG_CMSG_CLOEXEC | (wait ? MSG_DONTWAIT : 0));
        if (got < 0 && (errno == EINTR || errno == ECONNRESET || (errno == EAGAIN && wait))) continue;
        if (got < 0) return AARD__FRAME_FAILED;
        packet->count = 0;
        packet->sender = 0;
        take_control(&message, packet);
        packet->len = (size_t)got;
        packet->cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
        return got || packet->count || packet->cut ? AARD__FRAME_OK : AARD__FRAME_ENDED;
    }
}

/* Why the packet is not a frame; NULL = it is one, as far as can be told without its body's memfd. */
static const char *check(const aard__channel *channel, const arrival *packet, aard__frame *out, bool *apart)
{
    const unsigned char *at = channel->packet;
    if (packet->cut) return "it was longer than any frame, or had too many descriptors";
    if (packet->len < HEADER) return "it was shorter than a header";
    uint64_t flags = get_number(at + 6, 2);
    out->len = (size_t)get_number(at, 4);
    out->type = (uint16_t)get_number(at + 4, 2);
    out->id = get_number(at + 8, 8);
    *apart = flags == APART;
    if (flags & ~(uint64_t)APART) return "it had an unknown flag";
    if (out->type >= channel->rules.count || !channel->rules.types[out->type].known) return "its type is unknown";
    const aard__frame_rule *rule = &channel->rules.types[out->type];
    if (out->len > rule->most) return "it was too long for its type";
    if (*apart != (out->len > AARD__FRAME_INLINE)) return "its body came in the wrong way";
    if (packet->len != HEADER + (*apart ? 0 : out->len)) return "its length is wrong";
    if (packet->count < *apart || packet->count - *apart > rule->descriptors)
        return "its descriptors are not what its type has";
    return NULL;
}

/* Makes the packet a frame; its descriptors are the frame's, or closed. */
static aard__frame_result open_packet(aard__channel *channel, const arrival *packet, aard__frame *out)
{
    aard__frame frame = {.mapping = NULL};
    bool apart = false;
    const char *wrong = check(channel, packet, &frame, &apart);
    if (!wrong && apart && !aard__sealed_map(packet->descriptors[0], frame.len, &frame.mapping)) {
        int why = errno;
        if (why != EPERM) {
            close_all(packet->descriptors, packet->count);
            errno = why;
            return AARD__FRAME_FAILED;
        }
        wrong = "its body is not in a memfd of its length that is sealed";
    }
    if (wrong) {
        close_all(packet->descriptors, packet->count);
        return aard__channel_refuse(channel, wrong);
    }
    if (apart) close(packet->descriptors[0]);
    frame.sender = packet->sender;
    frame.body = apart ? frame.mapping : (const char *)channel->packet + HEADER;
    frame.descriptor_count = (unsigned)(packet->count - apart);
    memcpy(frame.descriptors, packet->descriptors + apart, frame.descriptor_count * sizeof(int));
    *out = frame;
    return AARD__FRAME_OK;
}

aard__frame_result aard__channel_receive(aard__channel *channel, const aard__wait *wait, aard__frame *out)
{
    arrival packet;
    if (channel->refusal) return AARD__FRAME_REFUSED;
    aard__frame_result result = receive_packet(channel, wait, &packet);
    return result == AARD__FRAME_OK ? open_packet(channel, &packet, out) : result;
}

void aard__frame_end(aard__frame *frame)
{
    close_all(frame->descriptors, frame->descriptor_count);
    if (frame->mapping) munmap(frame->mapping, frame->len);
    *frame = (aard__frame){.mapping = NULL};
}

aard_error *aard__channel_error(const aard__channel *channel, aard__frame_result result, const char *who)
{
    switch (result) {
    case AARD__FRAME_ENDED: return aard__error(AARD_ERR_ENGINE, "%s has ended", who);
    case AARD__FRAME_INTERRUPTED: return aard__error(AARD_ERR_ENGINE, "waiting for %s was interrupted", who);
    case AARD__FRAME_LATE: return aard__error(AARD_ERR_ENGINE, "%s did not answer in time", who);
    case AARD__FRAME_REFUSED:
        return aard__error(AARD_ERR_ENGINE, "%s sent an invalid frame: %s", who,
                           channel->refusal ? channel->refusal : "it is not known why");
    default: break;
    }
    if (errno == ENOMEM || errno == ENOBUFS) return aard__error_no_memory();
    return aard__error_errno(errno == EMFILE || errno == ENFILE || errno == ETOOMANYREFS ? AARD_ERR_BUSY
                                                                                         : AARD_ERR_ENGINE,
                             errno, "cannot communicate with %s", who);
}
