/* The input is what a hostile process sends: packets of {how, length of the packet (2 bytes), bytes}.  `how` has the number of
 * descriptors in its lowest bits, and what the first one is.  Whatever comes of it, no descriptor is left. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FEW_DESCRIPTORS = 3, SEALED = 4, LONGER = 8, LARGE = 200000 };

static const aard__frame_rule types[] = {{false, 0, 0}, {true, 1 << 20, 0}, {true, 16, 0}, {true, UINT32_MAX, 2}};

/* As long as the header says, or not. */
static int make_memfd(const uint8_t *packet, size_t len, unsigned how)
{
    uint32_t size = 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) abort();
    if (len >= 4) memcpy(&size, packet, 4);
    if (size > LARGE) size = LARGE;
    if (ftruncate(fd, (off_t)size + (how & LONGER ? 1 : 0))) abort();
    if (how & SEALED) fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return fd;
}

/* False where the socket takes no more. */
static bool send_packet(int socket, const uint8_t *packet, size_t len, unsigned how)
{
    size_t count = how & FEW_DESCRIPTORS;
    int list[FEW_DESCRIPTORS];
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof list)] = {0};
    struct iovec part = {(void *)(uintptr_t)packet, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    for (size_t i = 0; i < count; i++) list[i] = make_memfd(packet, len, how);
    if (count) {
        message.msg_control = room;
        message.msg_controllen = CMSG_SPACE(count * sizeof *list);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof *list);
        memcpy(CMSG_DATA(head), list, count * sizeof *list);
    }
    bool sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    for (size_t i = 0; i < count; i++) close(list[i]);
    return sent;
}

static void use(const aard__frame *frame)
{
    volatile char sum = 0;
    for (size_t i = 0; i < frame->len; i += 512) sum = (char)(sum + frame->body[i]);
    if (frame->len) sum = (char)(sum + frame->body[frame->len - 1]);
    if (!types[frame->type].known || frame->len > types[frame->type].most ||
        frame->descriptor_count > types[frame->type].descriptors)
        abort();
    for (unsigned i = 0; i < frame->descriptor_count; i++)
        if (fcntl(frame->descriptors[i], F_GETFD) != FD_CLOEXEC) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int sockets[2], first_free = dup(0);
    const aard__frame_rules rules = {types, sizeof types / sizeof *types};
    aard__channel *channel;
    aard__frame frame;
    if (aard__channel_sockets(sockets) || aard__channel_new(sockets[0], rules, &channel)) abort();
    for (size_t at = 0; at + 3 <= len;) {
        size_t size = data[at + 1] | (size_t)data[at + 2] << 8, there = len - at - 3;
        if (size > there) size = there;
        if (!send_packet(sockets[1], data + at + 3, size, data[at])) break;
        aard__wait now = {0, -1};
        if (aard__channel_receive(channel, &now, &frame) == AARD__FRAME_OK) {
            use(&frame);
            aard__frame_end(&frame);
        }
        at += 3 + size;
    }
    close(sockets[1]);
    if (aard__channel_receive(channel, NULL, &frame) == AARD__FRAME_OK) abort();
    aard__channel_free(channel);
    close(first_free);
    if (dup(0) != first_free) abort(); /* a descriptor is left */
    close(first_free);
    return 0;
}
