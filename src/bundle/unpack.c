#include "bundle/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/alloc.h"
#include "bundle/archive.h"
#include "bundle/entry_name.h"
#include "bundle/entry_rules.h"

static int by_name(const void *a, const void *b)
{
    const aard__bundle_file *left = a, *right = b;
    return aard__name_compare(left->name, left->name_len, right->name, right->name_len);
}

void aard__bundle_files_free(aard__bundle_file *files, size_t count)
{
    for (size_t i = 0; files && i < count; i++) {
        aard__free(files[i].name);
        aard__free(files[i].data);
    }
    aard__free(files);
}

static aard_error *refuse(aard_error_code code, const aard__zip_entry *entry, const char *what)
{
    char name[AARD__NAME_SHOWN];
    aard__name_show(name, sizeof name, entry->name, entry->name_len);
    return aard__error(code, "entry '%s': %s; pack the bundle again", name, what);
}

static aard_error *refuse_zip(const aard__zip_entry *entry, zip_error_t *error)
{
    switch (zip_error_code_zip(error)) {
    case ZIP_ER_MEMORY: return aard__error_no_memory();
    case ZIP_ER_CRC: return refuse(AARD_ERR_BUNDLE_CHECKSUM, entry, "its contents do not match its checksum");
    default: return refuse(AARD_ERR_BUNDLE_CORRUPT, entry, zip_error_strerror(error));
    }
}

/* libzip has read the archive by itself: where it came to another result, one of the two was misled. */
static aard_error *check_same(zip_t *zip, zip_uint64_t index, const aard__zip_entry *entry)
{
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
    zip_stat_t st;
    const char *name = zip_get_name(zip, index, ZIP_FL_ENC_RAW);
    if (!name || zip_stat_index(zip, index, 0, &st) < 0) return refuse_zip(entry, zip_get_error(zip));
    if ((st.valid & need) == need && st.size == entry->unpacked && st.comp_size == entry->packed &&
        st.crc == entry->crc && st.comp_method == entry->method && strlen(name) == entry->name_len &&
        memcmp(name, entry->name, entry->name_len) == 0)
        return NULL;
    return refuse(AARD_ERR_BUNDLE_CORRUPT, entry, "its headers can be read in two ways");
}

/* The whole entry, piece by piece, and then its end; only there does libzip compare the checksum. */
static aard_error *read_exactly(zip_file_t *file, const aard__zip_entry *entry, aard__archive_take take, void *user)
{
    static const char less[] = "it unpacks to less than its header says";
    uint64_t got = 0;
    uint8_t chunk[16384];
    while (got <= entry->unpacked) {
        uint64_t left = entry->unpacked - got;
        zip_int64_t n = zip_fread(file, chunk, left ? left < sizeof chunk ? left : sizeof chunk : 1);
        if (n < 0) {
            zip_error_t *error = zip_file_get_error(file);
            int code = zip_error_code_zip(error);
            if (code == ZIP_ER_INCONS || (code == ZIP_ER_CRC && left))
                return refuse(AARD_ERR_BUNDLE_SIZE_MISMATCH, entry, less);
            return refuse_zip(entry, error);
        }
        if (n == 0) return left ? refuse(AARD_ERR_BUNDLE_SIZE_MISMATCH, entry, less) : NULL;
        if (!left) break;
        AARD__TRY(take(user, chunk, (size_t)n));
        got += (uint64_t)n;
    }
    return refuse(AARD_ERR_BUNDLE_SIZE_MISMATCH, entry, "it unpacks to more than its header says");
}

static aard_error *unpack_into(zip_t *zip, zip_uint64_t index, const aard__zip_entry *entry, aard__archive_take take,
                               void *user)
{
    AARD__TRY(check_same(zip, index, entry));
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    if (!file) return refuse_zip(entry, zip_get_error(zip));
    aard_error *error = read_exactly(file, entry, take, user);
    if (!error && !entry->unpacked && entry->crc) /* libzip does not look at the checksum of nothing */
        error = refuse(AARD_ERR_BUNDLE_CHECKSUM, entry, "its contents do not match its checksum");
    zip_fclose(file);
    return error;
}

static aard_error *append(void *user, const void *data, size_t len)
{
    aard__bundle_file *file = user; /* which has the room */
    memcpy(file->data + file->data_len, data, len);
    file->data_len += len;
    return NULL;
}

static aard_error *unpack_entry(zip_t *zip, zip_uint64_t index, const aard__zip_entry *entry, aard__bundle_file *out)
{
    out->data = entry->unpacked < SIZE_MAX ? aard__malloc((size_t)entry->unpacked + 1) : NULL;
    if (!out->data) return aard__error_no_memory();
    AARD__TRY(unpack_into(zip, index, entry, append, out));
    out->data[out->data_len] = '\0';
    out->name = aard__memdup0(entry->name, entry->name_len);
    out->name_len = entry->name_len;
    return out->name ? NULL : aard__error_no_memory();
}

static aard_error *open_zip(const uint8_t *data, size_t len, const aard__zip_directory *directory, zip_t **out)
{
    zip_error_t error;
    zip_error_init(&error);
    aard_error *result = NULL;
    zip_source_t *source = zip_source_buffer_create(data, len, 0, &error);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    if (zip && (uint64_t)zip_get_num_entries(zip, 0) != directory->count) {
        zip_discard(zip);
        result = aard__error(AARD_ERR_BUNDLE_CORRUPT,
                             "the ZIP archive is damaged: its directory can be read in two ways; pack it again");
    } else if (zip) {
        *out = zip;
    } else {
        result = zip_error_code_zip(&error) == ZIP_ER_MEMORY
                     ? aard__error_no_memory()
                     : aard__error(AARD_ERR_BUNDLE_CORRUPT, "the ZIP archive is damaged: %s; pack it again",
                                   zip_error_strerror(&error));
        if (source) zip_source_free(source);
    }
    zip_error_fini(&error);
    return result;
}

aard_error *aard__unpack(const uint8_t *data, size_t len, const aard__zip_directory *directory, aard__bundle_file **out,
                         size_t *count)
{
    aard__bundle_file *files = aard__calloc(directory->count, sizeof *files);
    if (!files) return aard__error_no_memory();
    aard_error *error = NULL;
    zip_t *zip = NULL;
    size_t used = 0;
    if (directory->count) {
        error = open_zip(data, len, directory, &zip);
        if (error) goto done;
    }
    for (size_t i = 0; i < directory->count && !error; i++) {
        const aard__zip_entry *entry = &directory->entries[i];
        error = unpack_entry(zip, i, entry, &files[used]);
        if (error || !aard__entry_is_directory(entry)) {
            used++; /* a file that failed half-way is freed with the others */
            continue;
        }
        aard__free(files[used].name);
        aard__free(files[used].data);
        files[used] = (aard__bundle_file){0};
    }
    if (error) goto done;
    qsort(files, used, sizeof *files, by_name);
    *out = files;
    *count = used;
    files = NULL;
done:
    if (zip) zip_discard(zip);
    aard__bundle_files_free(files, used);
    return error;
}

/* ---- piece by piece ------------------------------------------------------------------------------------------- */

struct aard__archive {
    aard__zip_directory directory;
    zip_t *zip; /* NULL where it is empty */
};

aard_error *aard__archive_open(const void *data, size_t len, uint64_t max_entries, uint64_t max_unpacked,
                               aard__archive **out)
{
    aard__archive *archive = aard__calloc(1, sizeof *archive);
    if (!archive) return aard__error_no_memory();
    aard__zip_directory *directory = &archive->directory;
    aard_error *error = aard__zip_directory_read(data, len, max_entries, directory);
    if (!error) error = aard__entry_rules_each(directory, max_unpacked);
    if (!error) error = aard__entry_rules_together(directory);
    if (!error) error = aard__zip_directory_check_local(data, directory);
    if (!error && directory->count) error = open_zip(data, len, directory, &archive->zip);
    if (error)
        aard__archive_free(archive);
    else
        *out = archive;
    return error;
}

void aard__archive_free(aard__archive *archive)
{
    if (!archive) return;
    if (archive->zip) zip_discard(archive->zip);
    aard__free(archive->directory.entries);
    aard__free(archive);
}

const aard__zip_directory *aard__archive_directory(const aard__archive *archive) { return &archive->directory; }

aard_error *aard__archive_unpack(aard__archive *archive, size_t index, aard__archive_take take, void *user)
{
    return unpack_into(archive->zip, index, &archive->directory.entries[index], take, user);
}
