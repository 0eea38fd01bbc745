/* Ctrl-C: the first cancels the call, whose outcome is then shown, or ends the command where it is still getting ready, which
 * nothing cancels; the second ends it in any case. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

#define EXIT_INTERRUPTED 130 /* as a shell has it for SIGINT */

static atomic_bool calling;

void cli_call_begins(void) { atomic_store(&calling, true); }

static _Noreturn void leave(void)
{
    static const char text[] = "aardvark: cancelled: interrupted before the call began\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(EXIT_INTERRUPTED);
    _exit(EXIT_INTERRUPTED);
}

static void *wait_for_interrupts(void *user)
{
    aard_cancel_handle *handle = user;
    sigset_t interrupts;
    int number;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    while (sigwait(&interrupts, &number) == 0) {
        if (aard_cancel_handle_is_cancelled(handle)) _exit(EXIT_INTERRUPTED);
        if (!atomic_load(&calling)) leave();
        aard_cancel(handle);
    }
    return NULL;
}

/* Before the engine starts its threads, which must not take the signal either.  A command that was started with the signal
 * ignored leaves it so, and without a thread it ends the command at once, as always. */
int cli_cancel_on_interrupt(cli_guest *guest)
{
    struct sigaction now;
    pthread_t thread;
    if (sigaction(SIGINT, NULL, &now) || now.sa_handler == SIG_IGN) return CLI_OK;
    int status = cli_fail(aard_cancel_handle_new(&guest->cancel));
    if (status) return status;
    aard_call_set_cancel_handle(guest->call, guest->cancel);
    sigset_t all, interrupts, before;
    sigfillset(&all);
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, wait_for_interrupts, guest->cancel) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) return CLI_OK;
    pthread_detach(thread);
    pthread_sigmask(SIG_BLOCK, &interrupts, NULL);
    return CLI_OK;
}
