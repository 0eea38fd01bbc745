/* What a guest may do on the network, and its requests. */
#include "guest/guest.h"
#include "settings/config.h"

/* Outside of calls, and where nobody has said anything: nothing is allowed. */
static const aard__network_policy offline = {.closed = true};

void aard__guest_go_offline(aard__guest *guest)
{
    aard__net *net = guest->wake.net;
    guest->call.network = NULL;
    if (!net) return;
    pthread_mutex_lock(&guest->wake.lock);
    guest->wake.net = NULL;
    pthread_mutex_unlock(&guest->wake.lock);
    aard__net_free(net);
    aard__guest_rest(guest);
}

/* Within calls the configuration says where; outside of them nothing leaves this process. */
static aard_error *open_net(aard__guest *guest, aard__net **out)
{
    const aard__net_source *elsewhere = guest->config && guest->call.network ? guest->config->hooks.net : NULL;
    if (elsewhere) return elsewhere->open(elsewhere->user, out);
    if (!guest->io.lookups && !(guest->io.lookups = aard__lookup_share_new())) return aard__error_no_memory();
    return aard__net_new(guest->call.network ? guest->call.network : &offline, &guest->call.ledger,
                         &guest->io.last_request, guest->io.lookups, &guest->wake.poller, out);
}

aard_error *aard__guest_net(aard__guest *guest, aard__net **out)
{
    if (!guest->wake.net) {
        aard__net *net;
        AARD__TRY(open_net(guest, &net));
        pthread_mutex_lock(&guest->wake.lock);
        guest->wake.net = net;
        if (guest->wake.stopped) aard__net_stop(net);
        pthread_mutex_unlock(&guest->wake.lock);
    }
    *out = guest->wake.net;
    return NULL;
}
