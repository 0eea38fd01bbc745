/* The callbacks of the host that the call under way invokes. */
#include "guest/guest.h"
#include "settings/config.h"

static void wake(void *user)
{
    aard__guest *guest = user;
    aard__poller_wake(&guest->wake.poller);
}

aard_error *aard__guest_invocations(aard__guest *guest, aard__invocations **out)
{
    if (!guest->call.invocations) {
        const aard__invocations_options options = {.callbacks = &guest->config->hooks.callbacks,
                                                   .limits = &guest->config->settings.callback_limits,
                                                   .context = &guest->call.context,
                                                   .ledger = &guest->call.ledger,
                                                   .wake = wake,
                                                   .user = guest};
        AARD__TRY(aard__invocations_new(&options, &guest->call.invocations));
    }
    *out = guest->call.invocations;
    return NULL;
}

void aard__guest_end_callbacks(aard__guest *guest)
{
    aard__invocations *invocations = guest->call.invocations;
    guest->call.invocations = NULL;
    if (!invocations) return;
    aard__invocations_measure(invocations, &guest->call.callback_count, &guest->call.callback_ns);
    aard__invocations_end(invocations);
}

bool aard__guest_awaits_callbacks(const aard__guest *guest)
{
    return guest->call.invocations && aard__invocations_busy(guest->call.invocations);
}
