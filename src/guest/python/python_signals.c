#include "guest/python/python_signals.h"
#include "guest/python/python_guest.h"

#include <string.h>

aard_error *aard__python_find_signals(aard__guest *guest)
{
    aard__ref *both = aard__python_of(guest)->adapter.signals;
    aard__python_of(guest)->adapter.signals = NULL;
    aard__ref_get(guest->realm, both, "listening", &guest->entry);
    double at = guest->entry.value.number;
    bool found = guest->entry.status == AARD__OK && guest->entry.value.kind == AARD__NUMBER && at > 0 &&
                 at < UINT32_MAX;
    aard__python_of(guest)->signals_at = found ? (size_t)at : 0;
    aard_error *error = found ? aard__guest_get(guest, both, "buffer", &aard__python_of(guest)->adapter.signals) : NULL;
    aard__ref_free(both);
    return error;
}

void aard__python_interrupt(void *user)
{
    static const uint32_t yes = 1;
    const uint8_t sigint = 2;
    aard__guest *guest = user;
    uint8_t *signals, *memory;
    size_t len, room;
    if (!aard__python_of(guest)->adapter.signals ||
        !aard__ref_bytes(aard__python_of(guest)->adapter.signals, &signals, &room) || !room ||
        !aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &len) ||
        aard__python_of(guest)->signals_at > len || len - aard__python_of(guest)->signals_at < sizeof yes)
        return;
    signals[0] = sigint;
    memcpy(memory + aard__python_of(guest)->signals_at, &yes, sizeof yes);
}

void aard__python_calm(aard__guest *guest)
{
    uint8_t *signals, *memory;
    size_t len, room;
    if (aard__python_of(guest)->adapter.signals &&
        aard__ref_bytes(aard__python_of(guest)->adapter.signals, &signals, &room) && room)
        signals[0] = 0;
    if (aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &len) &&
        aard__python_of(guest)->signals_at < len && len - aard__python_of(guest)->signals_at >= 4)
        memset(memory + aard__python_of(guest)->signals_at, 0, 4);
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.calm, NULL, 0, false, &guest->entry);
    aard__buf_clear(&guest->call.result);
}
