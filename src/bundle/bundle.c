#include <aardvark/bundle.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/structure.h"
#include "bundle/code.h"
#include "bundle/copy.h"
#include "bundle/entry_name.h"
#include "bundle/entry_rules.h"
#include "bundle/limits.h"
#include "bundle/manifest.h"
#include "bundle/zip_directory.h"

typedef struct kept_code {
    size_t len;
    uint8_t bytes[];
} kept_code;

struct aard_bundle {
    atomic_size_t owners;
    aard_manifest *manifest; /* NULL where there is none */
    aard__bundle_file *files;
    size_t count;
    _Atomic(kept_code *) *code; /* one a file; NULL where memory was out */
    char digest[AARD__HASH_HEX];
};

static uint64_t or_default(uint64_t value, uint64_t fallback) { return value ? value : fallback; }

/* Fields that the caller's header did not have yet keep their defaults. */
static aard_error *read_limits(const aard_bundle_limits *given, aard_bundle_limits *out)
{
    aard_bundle_limits limits = {0};
    const char *wrong = given ? aard__structure_read(given, &limits, sizeof limits) : NULL;
    if (wrong) return aard__error(AARD_ERR_INVALID_ARGUMENT, "aard_bundle_limits: %s", wrong);
    limits.max_entries = or_default(limits.max_entries, AARD__BUNDLE_MAX_ENTRIES);
    limits.max_unpacked_bytes = or_default(limits.max_unpacked_bytes, AARD__BUNDLE_MAX_UNPACKED);
    *out = limits;
    return NULL;
}

static void make_digest(aard_bundle *bundle)
{
    aard__hasher hasher;
    uint8_t hash[AARD__HASH_BYTES];
    aard__hash_start(&hasher);
    for (size_t i = 0; i < bundle->count; i++) {
        aard__hash_add_sized(&hasher, bundle->files[i].name, bundle->files[i].name_len);
        aard__hash_add_sized(&hasher, bundle->files[i].data, bundle->files[i].data_len);
    }
    aard__hash_end(&hasher, hash);
    aard__hash_hex(hash, bundle->digest);
}

static aard_error *read_manifest(aard_bundle *bundle)
{
    size_t index;
    if (!aard_bundle_find(bundle, AARD__MANIFEST_NAME, strlen(AARD__MANIFEST_NAME), &index)) return NULL;
    const aard__bundle_file *file = &bundle->files[index];
    return aard__manifest_parse((const char *)file->data, file->data_len, &bundle->manifest);
}

aard_error *aard__bundle_of_files(aard__bundle_file *files, size_t count, aard_bundle **out)
{
    aard_bundle *bundle = aard__calloc(1, sizeof *bundle);
    if (!bundle) {
        aard__bundle_files_free(files, count);
        return aard__error_no_memory();
    }
    atomic_init(&bundle->owners, 1);
    bundle->files = files;
    bundle->count = count;
    aard_error *error = read_manifest(bundle);
    if (error) {
        aard_bundle_free(bundle);
        return error;
    }
    make_digest(bundle);
    bundle->code = aard__calloc(count ? count : 1, sizeof *bundle->code);
    *out = bundle;
    return NULL;
}

aard_error *aard_bundle_from_bytes(const void *data, size_t len, const aard_bundle_limits *limits, aard_bundle **out)
{
    AARD__NEED(out);
    AARD__NEED_THAT(data || !len, "NULL has no bytes; give the data, or a length of 0");
    aard_bundle_limits limit;
    AARD__TRY(read_limits(limits, &limit));
    aard__zip_directory directory;
    AARD__TRY(aard__zip_directory_read(data, len, limit.max_entries, &directory));
    aard__bundle_file *files = NULL;
    size_t count = 0;
    aard_error *error = aard__entry_rules_each(&directory, limit.max_unpacked_bytes);
    if (!error) error = aard__entry_rules_together(&directory);
    if (!error) error = aard__zip_directory_check_local(data, &directory);
    if (!error) error = aard__unpack(data, len, &directory, &files, &count);
    if (!error) error = aard__bundle_of_files(files, count, out);
    aard__free(directory.entries);
    return error;
}

/* What the file may have at most, so that a wrong path does not read a disk into memory. */
static uint64_t max_file_size(const aard_bundle_limits *limit)
{
    const uint64_t headers = 4 * 1024; /* two headers with their names and extra fields, generously */
    uint64_t size;
    if (__builtin_mul_overflow(limit->max_entries, headers, &size) ||
        __builtin_add_overflow(size, limit->max_unpacked_bytes, &size) ||
        __builtin_add_overflow(size, UINT64_C(1) << 20, &size))
        return UINT64_MAX;
    return size;
}

static aard_error *check_file(const char *path, const aard_bundle_limits *limit)
{
    struct stat st;
    if (stat(path, &st) < 0) return NULL; /* reading it says why */
    if (S_ISDIR(st.st_mode))
        return aard__error(AARD_ERR_BUNDLE_NOT_ZIP,
                           "'%s' is a directory, not a ZIP archive; pack it with 'aardvark "
                           "bundle pack DIR -o FILE.zip'",
                           path);
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max_file_size(limit))
        return aard__error(AARD_ERR_BUNDLE_TOO_LARGE,
                           "'%s' has %llu bytes, more than any bundle within the limits; "
                           "leave out what the code does not need",
                           path, (unsigned long long)st.st_size);
    return NULL;
}

aard_error *aard_bundle_open(const char *path, const aard_bundle_limits *limits, aard_bundle **out)
{
    AARD__NEED(path);
    AARD__NEED(out);
    aard_bundle_limits limit;
    char *data;
    size_t len;
    AARD__TRY(read_limits(limits, &limit));
    AARD__TRY(check_file(path, &limit));
    AARD__TRY(aard__file_read(path, 0, &data, &len));
    aard_error *error = aard_bundle_from_bytes(data, len, limits, out);
    aard__free(data);
    return error ? aard__error_prefix(error, "%s", path) : NULL;
}

aard_bundle *aard_bundle_retain(aard_bundle *bundle)
{
    if (bundle) atomic_fetch_add_explicit(&bundle->owners, 1, memory_order_relaxed);
    return bundle;
}

void aard_bundle_free(aard_bundle *bundle)
{
    if (!bundle || atomic_fetch_sub_explicit(&bundle->owners, 1, memory_order_acq_rel) != 1) return;
    aard__manifest_free(bundle->manifest);
    for (size_t i = 0; bundle->code && i < bundle->count; i++) aard__free(atomic_load(&bundle->code[i]));
    aard__free((void *)bundle->code);
    aard__bundle_files_free(bundle->files, bundle->count);
    aard__free(bundle);
}

const void *aard__bundle_code(const aard_bundle *bundle, size_t index, size_t *len)
{
    const kept_code *kept = bundle->code ? atomic_load(&bundle->code[index]) : NULL;
    *len = kept ? kept->len : 0;
    return kept ? kept->bytes : NULL;
}

void aard__bundle_keep_code(aard_bundle *bundle, size_t index, const void *code, size_t len)
{
    kept_code *none = NULL, *kept = bundle->code ? aard__malloc(sizeof *kept + len) : NULL;
    if (!kept) return;
    kept->len = len;
    memcpy(kept->bytes, code, len);
    if (!atomic_compare_exchange_strong(&bundle->code[index], &none, kept)) aard__free(kept);
}

const aard_manifest *aard_bundle_manifest(const aard_bundle *bundle) { return bundle ? bundle->manifest : NULL; }

const char *aard_bundle_digest(const aard_bundle *bundle) { return bundle ? bundle->digest : NULL; }

size_t aard_bundle_entry_count(const aard_bundle *bundle) { return bundle ? bundle->count : 0; }

void aard_bundle_entry(const aard_bundle *bundle, size_t index, const char **name, size_t *name_len,
                       const uint8_t **data, size_t *data_len)
{
    static const aard__bundle_file none;
    const aard__bundle_file *file = bundle && index < bundle->count ? &bundle->files[index] : &none;
    if (name) *name = file->name;
    if (name_len) *name_len = file->name_len;
    if (data) *data = file->data;
    if (data_len) *data_len = file->data_len;
}

bool aard_bundle_find(const aard_bundle *bundle, const char *name, size_t name_len, size_t *index)
{
    size_t low = 0, high = bundle && name ? bundle->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const aard__bundle_file *file = &bundle->files[middle];
        int order = aard__name_compare(name, name_len, file->name, file->name_len);
        if (order == 0) {
            if (index) *index = middle;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
