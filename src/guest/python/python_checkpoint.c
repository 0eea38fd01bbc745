/* A Python guest's checkpoint, how a reset goes back to it, and what children of a process may not have in common. */
#include "guest/python/python_checkpoint.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"
#include "distribution/distribution.h"
#include "guest/python/python_guest.h"

/* Nothing that was drawn before a reset may be drawn again.  The kernel is asked once, for a key, and not ten times. */
static void renew_random(const aard__guest *guest, uint8_t *memory, size_t len)
{
    const aard__line *line = aard__distribution_line(guest->start.distribution);
    uint32_t used_up = (uint32_t)line->random.words;
    size_t at = aard__python_of(guest)->random_at, state_len = line->random.words * sizeof used_up;
    if (!at || at > len || len - at < line->random.state + state_len) return;
    uint8_t key[randombytes_SEEDBYTES];
    randombytes_buf(key, sizeof key);
    memcpy(memory + at + line->random.index, &used_up, sizeof used_up);
    randombytes_buf_deterministic(memory + at + line->random.state, state_len, key);
    sodium_memzero(key, sizeof key);
}

/* As in a guest that starts from an image. */
aard_error *aard__python_renew(aard__guest *guest)
{
    if (!aard__python_of(guest)->adapter.renew) return NULL; /* is not finished */
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.renew, NULL, 0, false, &guest->entry);
    aard__buf_clear(&guest->call.result);
    if (guest->entry.status == AARD__OK && guest->entry.value.number == AARD__DONE) return NULL;
    return aard__error(AARD_ERR_ENGINE, "the guest can't be made this process's own: Python does not answer");
}

aard_error *aard__python_checkpoint(aard__guest *guest)
{
    uint8_t *memory;
    size_t len;
    guest->can_reset = false;
    if (guest->grants.engine_objects || aard__python_of(guest)->options.capturing) return NULL;
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.checkpoint, NULL, 0, false, &guest->entry);
    double at = guest->entry.value.number;
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__NUMBER || !(at >= 0 && at <= UINT32_MAX))
        return aard__error(AARD_ERR_ENGINE, "the guest's state can't be saved for resets");
    if (!aard__python_of(guest)->pages) AARD__TRY(aard__pages_new(guest->start.image, &aard__python_of(guest)->pages));
    if (!aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &len))
        return aard__error(AARD_ERR_ENGINE, "Python's memory can't be reached");
    aard_error *error = aard__pages_checkpoint(aard__python_of(guest)->pages, memory, len);
    if (error && aard_error_get_code(error) == AARD_ERR_NO_MEMORY) return error;
    guest->can_reset = !error;
    aard__log_error(AARD_LOG_WARNING, error,
                    "the system does not tell which pages were written: resets make a new isolate");
    aard__open_files_keep(&guest->io.open_files);
    aard__python_of(guest)->random_at = (uint32_t)at;
    return NULL;
}

/* `fresh`: nothing that was drawn at random is drawn again. */
static aard_error *put_back(aard__guest *guest, bool fresh)
{
    uint8_t *memory;
    size_t len;
    aard__python_guest *own = guest->own;
    if (!guest->can_reset || !aard__ref_bytes(own->adapter.memory, &memory, &len))
        return aard__error(AARD_ERR_ENGINE, "the guest has no checkpoint");
    aard__guest_unstop(guest);
    if (!aard__open_files_reset(&guest->io.open_files))
        return aard__error(AARD_ERR_ENGINE, "the guest has closed a file of the host that was open before");
    AARD__TRY(aard__pages_reset(own->pages, memory, len));
    if (fresh) renew_random(guest, memory, len);
    aard__ref_call(guest->realm, own->adapter.reset, NULL, 0, false, &guest->entry);
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__BOOL || !guest->entry.value.boolean)
        return aard__error(AARD_ERR_ENGINE, "the guest has changed what can't be put back");
    return NULL;
}

aard_error *aard__python_restore(aard__guest *guest) { return put_back(guest, false); }

aard_error *aard__python_reset(aard__guest *guest)
{
    AARD__TRY(put_back(guest, true));
    /* All children of a template go back to its checkpoint. */
    return aard__process_generation() ? aard__python_renew(guest) : NULL;
}
