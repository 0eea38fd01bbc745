/* One child of a template, as its host sees it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process/client_impl.h"

enum {
    HELLO_MS = 10000, /* for an answer that takes no time */
    END_MS = 1000     /* for the end of a child that has closed its channel */
};

aard_error *aard__remote_fork(aard__template *template, bool ahead, aard__remote *out)
{
    aard__remote remote = {.pidfd = -1};
    AARD__TRY(aard__template_fork(template, ahead, &remote.channel, &remote.known));
    *out = remote;
    return NULL;
}

void aard__remote_kill(aard__remote *remote)
{
    if (remote->pidfd >= 0) syscall(SYS_pidfd_send_signal, remote->pidfd, SIGKILL, NULL, 0);
}

void aard__remote_end(aard__remote *remote)
{
    if (!remote->channel) return;
    aard__remote_kill(remote);
    if (remote->pidfd >= 0) close(remote->pidfd);
    aard__channel_free(remote->channel);
    *remote = (aard__remote){.pidfd = -1};
}

/* Who it is that said hello: the kernel has told its pid, and while its end of the socket is open that is nobody else's.  It
 * has run nothing of a guest's call yet, so that its word about itself is believed. */
static aard_error *identify(aard__remote *remote, const aard__frame *frame)
{
    aard__unpacker in = aard__unpacker_of(frame->body, frame->len);
    aard__hardening_unpack(&in, &remote->hardening);
    if (!aard__unpacker_done(&in)) return aard__unpacker_error(&in, "a hello of the guest's process");
    remote->pid = frame->sender;
    remote->pidfd = frame->sender > 0 ? (int)syscall(SYS_pidfd_open, frame->sender, 0) : -1;
    if (remote->pidfd < 0) return aard__error_errno(AARD_ERR_ENGINE, errno, "the process of a guest can't be watched");
    struct pollfd end = {aard__channel_descriptor(remote->channel), 0, 0};
    if (poll(&end, 1, 0) > 0) { /* its number may be another's by now */
        close(remote->pidfd);
        remote->pidfd = -1;
        return aard__error(AARD_ERR_ENGINE, "the guest's process has ended");
    }
    return aard__channel_tell_sender(remote->channel, false);
}

/* A child that is late may be one that a template has not forked, which hangs: that one is ended, and the wait with it. */
static aard__frame_result receive_hello(aard__remote *remote, aard__template *template, aard__frame *out)
{
    aard__wait wait = aard__wait_ms(aard__template_patience_ms(template));
    aard__frame_result result = aard__channel_receive(remote->channel, &wait, out);
    if (result != AARD__FRAME_LATE) return result;
    aard__template_status(template, 0);
    wait = aard__wait_ms(HELLO_MS);
    return aard__channel_receive(remote->channel, &wait, out);
}

aard_error *aard__remote_await_hello(aard__remote *remote, aard__template *template)
{
    aard__frame frame;
    if (remote->pidfd >= 0) return NULL;
    aard__frame_result result = receive_hello(remote, template, &frame);
    if (result != AARD__FRAME_OK) {
        aard__template_status(template, 0); /* one that hangs is ended by that */
        return aard__channel_error(remote->channel, result, "the guest's process");
    }
    aard_error *error = frame.type == AARD__HELLO ? identify(remote, &frame)
                        : frame.type == AARD__ERROR
                            ? aard__error_unpack(&frame, NULL)
                            : aard__error(AARD_ERR_ENGINE, "the guest's process did not say hello");
    aard__frame_end(&frame);
    return error;
}

aard__frame_result aard__remote_send(aard__remote *remote, const aard__request *request, bool cancellable)
{
    const aard__wait wait = aard__wait_ms(HELLO_MS);
    aard__buf body = AARD__BUF_INIT;
    aard__request_pack(request, cancellable, &body);
    aard__frame_to_send frame = {.type = AARD__REQUEST, .id = ++remote->id, .body = body.data, .len = body.len};
    aard__frame_result result = AARD__FRAME_FAILED;
    if (body.failed)
        errno = ENOMEM;
    else
        result = aard__channel_send(remote->channel, &frame, &wait);
    aard__buf_free(&body);
    return result;
}

static aard_error *await_resolved(aard__remote *remote, uint32_t number)
{
    aard__wait wait = aard__wait_ms(HELLO_MS);
    aard__frame frame;
    aard__frame_result result = aard__channel_receive(remote->channel, &wait, &frame);
    if (result != AARD__FRAME_OK) return aard__channel_error(remote->channel, result, "the guest's process");
    aard__unpacker in = aard__unpacker_of(frame.body, frame.len);
    bool right = frame.type == AARD__RESPONSE && frame.id == remote->id && aard__unpack_u32(&in) == number &&
                 aard__unpacker_done(&in);
    aard__frame_end(&frame);
    return right ? NULL : aard__error(AARD_ERR_ENGINE, "the guest's process numbers its handlers differently");
}

aard_error *aard__remote_teach(aard__remote *remote, aard__template *template, uint32_t number)
{
    while (remote->known <= number) {
        aard__request request = {.verb = AARD__RESOLVE,
                                 .entrypoint = aard__template_entrypoint(template, remote->known)};
        aard__frame_result result = aard__remote_send(remote, &request, false);
        if (result != AARD__FRAME_OK) return aard__channel_error(remote->channel, result, "the guest's process");
        AARD__TRY(await_resolved(remote, remote->known));
        remote->known++;
    }
    return NULL;
}

void aard__remote_cancel(const aard__remote *remote)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = (int)(uint32_t)remote->id;
    if (remote->pidfd >= 0) syscall(SYS_pidfd_send_signal, remote->pidfd, SIGUSR1, &info, 0);
}

/* The template is asked about children that have ended: it is not to wait for one that only says so. */
static bool await_end(aard__remote *remote)
{
    struct pollfd end = {remote->pidfd, POLLIN, 0};
    return remote->pidfd >= 0 && poll(&end, 1, END_MS) > 0;
}

void aard__remote_how(aard__remote *remote, aard__template *template, aard__buf *out)
{
    if (!await_end(remote)) {
        aard__remote_kill(remote);
        aard__buf_puts(out, "its process closed the socket to its host");
        return;
    }
    int status = remote->pid ? aard__template_status(template, remote->pid) : -1;
    if (status >= 0 && WIFSIGNALED(status))
        aard__buf_printf(out, "its process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (status >= 0 && WIFEXITED(status))
        aard__buf_printf(out, "its process ended with status %d", WEXITSTATUS(status));
    else
        aard__buf_puts(out, "its process ended");
}
