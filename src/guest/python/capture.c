/* Capturing a guest: its memory, and what adapter.js says is needed beside it. */
#include <aardvark/warm.h>

#include "base/alloc.h"
#include "guest/guest.h"
#include "guest/python/python_guest.h"
#include "guest/python/python_layout.h"

/* All that the guest's state depends on. */
static char *key_of(const aard__guest *guest)
{
    aard__buf key = AARD__BUF_INIT;
    const aard_manifest *manifest = guest->bundle ? aard_bundle_manifest(guest->bundle) : NULL;
    const char *bundle = guest->bundle       ? aard_bundle_digest(guest->bundle)
                         : guest->start.warm ? aard_warm_state_bundle_digest(guest->start.warm)
                                             : NULL;
    char *base = aard__python_image_key(guest->start.distribution, aard__python_of(guest)->layout);
    if (!base) return NULL;
    aard__buf_puts(&key, base);
    aard__free(base);
    if (guest->grants.engine_objects) aard__buf_puts(&key, "capability=js\n");
    if (guest->start.packages) aard__buf_puts(&key, guest->start.packages);
    if (bundle) aard__buf_printf(&key, "bundle=%s\n", bundle);
    if (guest->start.overlay) aard__buf_printf(&key, "overlay=%s\n", aard__overlay_digest(guest->start.overlay));
    for (size_t i = 0; manifest && i < aard_manifest_preload_import_count(manifest); i++)
        aard__buf_printf(&key, "preload=%s\n", aard_manifest_preload_import(manifest, i));
    return aard__buf_take(&key, NULL);
}

aard_error *aard__python_capture(aard__guest *guest, aard__image **out)
{
    uint8_t *memory;
    size_t len;
    aard__ref_call(guest->realm, aard__python_of(guest)->adapter.capture, NULL, 0, false, &guest->entry);
    if (guest->entry.status != AARD__OK || guest->entry.value.kind != AARD__STRING)
        return aard__error(AARD_ERR_WARM_CAPTURE, "Python's state can't be captured: %.*s",
                           (int)guest->entry.thrown_text.len,
                           guest->entry.thrown_text.data ? guest->entry.thrown_text.data : "it was stopped");
    if (!aard__ref_bytes(aard__python_of(guest)->adapter.memory, &memory, &len))
        return aard__error(AARD_ERR_ENGINE, "Python's memory can't be reached");
    char *key = key_of(guest);
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
