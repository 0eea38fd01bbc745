/* What a guest may do on the network, and its requests. */
#include "guest/guest.h"
#include "settings/config.h"

/* Outside of calls, and where nobody has said anything: nothing is allowed. */
static const aard__network_policy offline = {.closed = true};

void aard__guest_go_online(aard__guest *guest, const aard__network_policy *policy)
{
    aard__guest_go_offline(guest); /* what was asked for between calls was refused */
    guest->network = policy;
}

void aard__guest_go_offline(aard__guest *guest)
{
    aard__net *net = guest->net;
    guest->network = NULL;
    if (!net) return;
    pthread_mutex_lock(&guest->wake_lock);
    guest->net = NULL;
    pthread_mutex_unlock(&guest->wake_lock);
    aard__net_free(net);
}

/* Within calls the configuration says where; outside of them nothing leaves this process. */
static aard_error *open_net(aard__guest *guest, aard__net **out)
{
    const aard__net_source *elsewhere = guest->config && guest->network ? guest->config->hooks.net : NULL;
    if (elsewhere) return elsewhere->open(elsewhere->user, out);
    if (!guest->lookups && !(guest->lookups = aard__lookup_share_new())) return aard__error_no_memory();
    return aard__net_new(guest->network ? guest->network : &offline, &guest->ledger, &guest->last_request,
                         guest->lookups, out);
}

aard_error *aard__guest_net(aard__guest *guest, aard__net **out)
{
    if (!guest->net) {
        aard__net *net;
        AARD__TRY(open_net(guest, &net));
        pthread_mutex_lock(&guest->wake_lock);
        guest->net = net;
        if (guest->stopped) aard__net_stop(net);
        pthread_mutex_unlock(&guest->wake_lock);
    }
    *out = guest->net;
    return NULL;
}
