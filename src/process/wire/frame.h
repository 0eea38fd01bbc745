/* Frames: how two processes talk, over a socket pair that has an end in each.
 *
 * A frame is one packet: a header {length, type, flags, id} and the body.  A body of more than AARD__FRAME_INLINE bytes is in a
 * memfd that is sealed, which comes along as a descriptor.  The sockets are SOCK_SEQPACKET: the kernel keeps the frames
 * apart, so that none is ever read or written in part, descriptors come with the frame that they belong to, and several
 * threads may send over one end without a lock.  (A stream is no faster, and needs all of that here.)
 *
 * Whoever is at the other end is not trusted.  What is not a frame as the rules have it is refused: too long, of an unknown
 * type, with descriptors that nobody waits for, with a body that can still be changed.  Then the channel is shut, and
 * everything more that is received is refused, too. */
#ifndef AARD_PROCESS_FRAME_H
#define AARD_PROCESS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum {
    AARD__FRAME_INLINE = 64 * 1024, /* bytes of a body that go through the socket */
    AARD__FRAME_DESCRIPTORS = 8     /* that can go along, besides the body's */
};

typedef enum aard__frame_result {
    AARD__FRAME_OK,
    AARD__FRAME_ENDED,       /* the other end is closed: its process has ended, or has been killed */
    AARD__FRAME_INTERRUPTED, /* by the descriptor of the wait */
    AARD__FRAME_LATE,        /* the deadline of the wait has come */
    AARD__FRAME_REFUSED,     /* what came is not a frame; the channel is shut */
    AARD__FRAME_FAILED       /* the system has no memory or descriptors for it; errno says */
} aard__frame_result;

/* What is taken of the type that is its index. */
typedef struct aard__frame_rule {
    bool known;
    uint32_t most;        /* bytes of the body */
    unsigned descriptors; /* at most; AARD__FRAME_DESCRIPTORS at most */
} aard__frame_rule;

typedef struct aard__frame_rules {
    const aard__frame_rule *types; /* lives as long as the channel */
    size_t count;
} aard__frame_rules;

/* How long to wait; NULL in its place is for ever, and cheaper: one system call less. */
typedef struct aard__wait {
    uint64_t deadline; /* by aard__clock_monotonic; UINT64_MAX = none */
    int interrupt;     /* a descriptor that ends the wait when it can be read from, such as an eventfd; -1 = none */
} aard__wait;

/* For so long from now on, whatever else happens. */
aard__wait aard__wait_ms(uint64_t ms);

typedef struct aard__channel aard__channel;

/* Two sockets that are connected, for aard__channel_new; closed by exec.  Errors: busy (no file descriptor is left), io. */
aard_error *aard__channel_sockets(int out[2]);

/* Takes the socket.  Errors: no_memory; the socket is closed then. */
aard_error *aard__channel_new(int socket, aard__frame_rules rules, aard__channel **out);
void aard__channel_free(aard__channel *channel); /* NULL is fine */

int aard__channel_descriptor(const aard__channel *channel);

/* Frames that are received say from now on (true), and no longer (false), which process sent them.  Those that were sent before
 * say 0.  Errors: io. */
aard_error *aard__channel_tell_sender(aard__channel *channel, bool tell);

/* Any thread: whoever waits for the channel, here or at the other end, waits no longer: it has ended. */
void aard__channel_shut(aard__channel *channel);

/* A frame that is sent; everything is borrowed. */
typedef struct aard__frame_to_send {
    uint16_t type;
    uint64_t id;
    const void *body;
    size_t len;
    const int *descriptors;
    unsigned descriptor_count;
} aard__frame_to_send;

/* Any thread.  A frame goes whole or not at all.  Gives FAILED (EMSGSIZE) for one that can't be sent. */
aard__frame_result aard__channel_send(aard__channel *channel, const aard__frame_to_send *frame, const aard__wait *wait);

/* A frame that was received. */
typedef struct aard__frame {
    uint16_t type;
    uint64_t id;
    const char *body; /* until the next frame is received, or this one ended */
    size_t len;
    int descriptors[AARD__FRAME_DESCRIPTORS]; /* whoever takes one puts -1 in its place */
    unsigned descriptor_count;
    void *mapping; /* of a body in a memfd; NULL = none */
    pid_t sender;  /* as the kernel says, by the pids of the receiver; 0 = not told */
} aard__frame;

/* One thread at a time, that of no other frame of the channel which has not been ended.  `*out` is set where it is OK. */
aard__frame_result aard__channel_receive(aard__channel *channel, const aard__wait *wait, aard__frame *out);
void aard__frame_end(aard__frame *frame); /* closes the descriptors that nobody took; a second time is fine */

/* The frame that was received is of a type that must not come now, or its body is malformed: the channel is shut. */
aard__frame_result aard__channel_refuse(aard__channel *channel, const char *why);

/* The error for a result that is not OK: what `who` ("the guest's process") did.  Errors: engine, busy, no_memory. */
aard_error *aard__channel_error(const aard__channel *channel, aard__frame_result result, const char *who);

#endif
