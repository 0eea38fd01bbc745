/* The input is a module; one that is taken can be written, with and without its data. */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "prelink/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_anew(const aard__wasm_layout *layout, bool without_data)
{
    bool *keep = aard__calloc((size_t)layout->export_count + 1, sizeof *keep);
    if (!keep) abort();
    for (uint32_t i = 0; i < layout->export_count; i += 2) keep[i] = true;
    uint32_t extra[] = {0};
    aard__wasm_changes changes = {NULL, keep, extra, layout->functions != 0, 1, 2, without_data};
    aard__buf out = AARD__BUF_INIT;
    aard__wasm_write(layout, &changes, &out);
    if (out.failed || !out.len) abort();
    aard__buf_free(&out);
    aard__free(keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    aard__wasm_layout layout;
    aard_error *error = aard__wasm_layout_read(data, len, &layout);
    if (error) {
        if (aard_error_get_code(error) != AARD_ERR_DISTRIBUTION_MISMATCH) abort();
        aard_error_free(error);
        return 0;
    }
    write_anew(&layout, false);
    write_anew(&layout, true);
    aard__wasm_layout_free(&layout);
    return 0;
}
