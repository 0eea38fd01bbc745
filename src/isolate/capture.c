/* Capturing a guest: its memory, and what adapter.js says is needed beside it. */
#include "base/alloc.h"
#include "isolate/guest.h"
#include "isolate/python_shared.h"

aard_error *aard__guest_capture(aard__guest *guest, aard__image **out)
{
    uint8_t *memory;
    size_t len;
    if (!guest->adapter.capture)
        return aard__error(AARD_ERR_UNSUPPORTED, "only the state of a Python isolate can be captured");
    aard__ref_call(guest->realm, guest->adapter.capture, NULL, 0, false, &guest->entry);
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__STRING)
        return aard__error(AARD_ERR_UNSUPPORTED, "Python's state can't be captured: %.*s",
                           (int)guest->entry.thrown_text.len,
                           guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "it was stopped");
    if (!aard__ref_bytes(guest->adapter.memory, &memory, &len))
        return aard__error(AARD_ERR_ENGINE, "Python's memory can't be reached");
    char *key = aard__python_image_key(guest->distribution, guest->layout);
    if (!key) return aard__error_no_memory();
    aard__image_parts parts = {.key = key,
                               .text = guest->entry.text.data,
                               .text_len = guest->entry.text.len,
                               .memory = memory,
                               .memory_len = len};
    aard_error *error = aard__image_from_memory(&parts, out);
    aard__free(key);
    return error;
}
