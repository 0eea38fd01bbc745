#include "guest/python/python_layout.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/log.h"
#include "distribution/distribution.h"
#include "engine/engine.h"
#include "guest/bridge/host.h"
#include "guest/guest.h"
#include "guest/python/python_files.h"
#include "prelink_sources.h" /* made by the build: a hash of src/prelink */

#define LINKER "prelink.js"
#define ALLOCATOR "allocator.wasm"

/* What prelinked files depend on besides the distribution: this library's way of making them. */
static aard_error *prelink_key(const aard_distribution *distribution, char out[AARD__HASH_HEX])
{
    static const char sources[] = AARD__PRELINK_SOURCES;
    const aard__guest_file *linker, *allocator;
    aard__hasher hasher;
    uint8_t hash[AARD__HASH_BYTES];
    AARD__TRY(aard__python_file(distribution, LINKER, &linker));
    AARD__TRY(aard__python_file(distribution, ALLOCATOR, &allocator));
    aard__hash_start(&hasher);
    aard__hash_add_sized(&hasher, sources, sizeof sources);
    aard__hash_add_sized(&hasher, linker->data, linker->len);
    aard__hash_add_sized(&hasher, allocator->data, allocator->len);
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, out);
    return NULL;
}

void aard__python_layout_plain(aard__python_layout *out) { *out = (aard__python_layout){.name = "plain"}; }

bool aard__python_layout_map(const aard_distribution *distribution, aard__python_layout *out)
{
    aard__python_layout layout = {0};
    uint8_t sums[3 * AARD__CHECKSUM_BYTES], hash[AARD__HASH_BYTES];
    if (!aard__derived_map(distribution, AARD__PRELINKED_WASM, &layout.wasm) ||
        !aard__derived_map(distribution, AARD__PRELINKED_GLUE, &layout.glue) ||
        !aard__derived_map(distribution, AARD__PRELINKED_SYMBOLS, &layout.symbols)) {
        aard__python_layout_close(&layout);
        return false;
    }
    memcpy(sums, layout.wasm.sum, AARD__CHECKSUM_BYTES);
    memcpy(sums + AARD__CHECKSUM_BYTES, layout.glue.sum, AARD__CHECKSUM_BYTES);
    memcpy(sums + 2 * AARD__CHECKSUM_BYTES, layout.symbols.sum, AARD__CHECKSUM_BYTES);
    aard__hash(sums, sizeof sums, hash);
    aard__hash_hex(hash, layout.name);
    *out = layout;
    return true;
}

bool aard__python_layout_check(const aard_distribution *distribution, const aard__derived *file)
{
    char key[AARD__HASH_HEX];
    aard_error *error = prelink_key(distribution, key);
    bool good = !error && aard__derived_check(distribution, key, file);
    aard_error_free(error);
    return good;
}

void aard__python_layout_open(const aard_distribution *distribution, aard__python_layout *out)
{
    if (!aard__python_layout_map(distribution, out)) {
        aard__python_layout_plain(out);
        return;
    }
    if (aard__python_layout_check(distribution, &out->wasm) && aard__python_layout_check(distribution, &out->glue) &&
        aard__python_layout_check(distribution, &out->symbols))
        return;
    aard__python_layout_close(out);
    aard__python_layout_plain(out);
}

void aard__python_layout_close(aard__python_layout *layout)
{
    aard__derived_close(&layout->wasm);
    aard__derived_close(&layout->glue);
    aard__derived_close(&layout->symbols);
    *layout = (aard__python_layout){0};
}

bool aard__python_layout_prelinked(const aard__python_layout *layout) { return layout->wasm.data != NULL; }

aard_error *aard__python_prelink(const aard_distribution *distribution, aard__prelinked *out)
{
    aard__prelink_input input = {0};
    const void *glue;
    const aard__guest_file *linker, *allocator;
    AARD__TRY(aard__python_file(distribution, LINKER, &linker));
    AARD__TRY(aard__python_file(distribution, ALLOCATOR, &allocator));
    AARD__TRY(aard__distribution_file(distribution, AARD__FILE_WASM, &input.wasm, &input.wasm_len));
    AARD__TRY(
        aard__distribution_file(distribution, aard__distribution_line(distribution)->glue, &glue, &input.glue_len));
    input.glue = glue;
    input.linker = linker->data;
    input.linker_len = linker->len;
    input.addition = allocator->data;
    input.addition_len = allocator->len;
    return aard__prelink(&input, out);
}

aard_error *aard__python_layout_write(const aard_distribution *distribution, const aard__prelinked *prelinked)
{
    char key[AARD__HASH_HEX];
    AARD__TRY(prelink_key(distribution, key));
    const struct {
        const char *name;
        const aard__buf *bytes;
    } files[] = {{AARD__PRELINKED_WASM, &prelinked->bare},
                 {AARD__PRELINKED_GLUE, &prelinked->glue},
                 {AARD__PRELINKED_SYMBOLS, &prelinked->symbols}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        AARD__TRY(aard__derived_write(distribution, files[i].name, key, files[i].bytes->data, files[i].bytes->len));
    return NULL;
}

char *aard__python_code_key(const aard__python_layout *layout)
{
    aard__buf key = AARD__BUF_INIT;
    aard__buf_printf(&key, "%s; %s", aard__engine_code_key(), layout->name);
    return aard__buf_take(&key, NULL);
}

/* Of the guest files whose names begin so. */
static void sum_files(const char *prefix, char hex[AARD__CHECKSUM_HEX])
{
    aard__checksummer summer;
    uint8_t sum[AARD__CHECKSUM_BYTES];
    aard__checksum_start(&summer);
    for (const aard__guest_file *file = aard__guest_files; file->name; file++) {
        if (strncmp(file->name, prefix, strlen(prefix)) != 0) continue;
        aard__checksum_add_sized(&summer, file->name, strlen(file->name));
        aard__checksum_add_sized(&summer, file->data, file->len);
    }
    aard__checksum_end(&summer, sum);
    aard__checksum_hex(sum, hex);
}

char *aard__python_snapshot_key(const aard__python_layout *layout)
{
    char hex[AARD__CHECKSUM_HEX];
    aard__buf key = AARD__BUF_INIT;
    sum_files("", hex);
    aard__buf_printf(&key, "%s; %s; files %s; 1;", aard__snapshot_key(), layout->name, hex);
    for (const aard__host_entry *const *table = aard__guest_tables; *table; table++)
        for (const aard__host_entry *row = *table; row->name; row++) aard__buf_printf(&key, " %s", row->name);
    return aard__buf_take(&key, NULL);
}

char *aard__python_image_key(const aard_distribution *distribution, const char *layout)
{
    char hex[AARD__CHECKSUM_HEX];
    aard__buf key = AARD__BUF_INIT;
    char folder[64];
    snprintf(folder, sizeof folder, "%s/", aard__distribution_line(distribution)->embedded);
    sum_files(folder, hex);
    aard__buf_printf(&key, "pyodide=%s\ndistribution=%s\nadapter=%s\nlayout=%s\n",
                     aard_distribution_pyodide_version(distribution), aard_distribution_fingerprint(distribution), hex,
                     layout);
    return aard__buf_take(&key, NULL);
}

aard__image *aard__python_open_image(const aard_distribution *distribution, const aard__python_layout *layout)
{
    char *path = NULL, *key = aard__python_image_key(distribution, layout->name);
    aard__image *image = NULL;
    aard_error *error = key ? aard__derived_path(distribution, AARD__BASE_IMAGE, false, &path) : NULL;
    if (key && !error) error = aard__image_open(path, key, aard__distribution_key(distribution), &image);
    if (error && aard_error_get_code(error) == AARD_ERR_NOT_FOUND)
        aard_error_free(error); /* the distribution is not prepared */
    else
        aard__log_error(AARD_LOG_WARNING, error, "guests start without the distribution's base image");
    aard__free(path);
    aard__free(key);
    return image;
}
