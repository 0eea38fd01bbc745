#include "distribution/wheel.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "bundle/archive.h"
#include "bundle/entry_name.h"
#include "bundle/entry_rules.h"
#include "distribution/manifest.h"
#include "distribution/pins.h"
#include "distribution/record.h"
#include "distribution/requirement.h"
#include "distribution/wheel_tag.h"

#define FILE_MAX ((size_t)1 << 30)
#define ENTRIES_MAX 50000
#define UNPACKED_MAX (UINT64_C(2) << 30)
#define METADATA_MAX (4u << 20)

static const char info_suffix[] = ".dist-info";

typedef struct reading {
    const char *path;
    const aard__pins *pins; /* of the release that is to load it */
    aard__archive *archive;
    aard__wheel *wheel;
    char *info; /* the folder "<name>-<version>.dist-info" */
    aard__buf metadata, record;
    bool has_record, has_metadata;
    aard__record_file *files;
    size_t file_count;
    crypto_hash_sha256_state sha256; /* of the entry that is being unpacked */
    aard__buf *keep;                 /* where its bytes go, too; may be NULL */
} reading;

static aard_error *invalid(const reading *r, const char *what)
{
    return aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' %s", r->path, what);
}

/* ---- sorted lists of names -------------------------------------------------------------------------------- */

static aard_error *insert(char ***items, size_t *count, const char *text, size_t len)
{
    size_t at = 0;
    for (; at < *count; at++) {
        int order = strncmp((*items)[at], text, len);
        if (order == 0 && !(*items)[at][len]) return NULL;
        if (order >= 0) break;
    }
    char **more = aard__realloc(*items, (*count + 1) * sizeof *more);
    if (!more) return aard__error_no_memory();
    *items = more;
    char *copy = aard__memdup0(text, len);
    if (!copy) return aard__error_no_memory();
    memmove(more + at + 1, more + at, (*count - at) * sizeof *more);
    more[at] = copy;
    ++*count;
    return NULL;
}

static void free_list(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++) aard__free(items[i]);
    aard__free(items);
}

void aard__wheel_free(aard__wheel *wheel)
{
    aard__free(wheel->file_name);
    aard__free(wheel->name);
    aard__free(wheel->version);
    free_list(wheel->imports, wheel->import_count);
    free_list(wheel->requires, wheel->require_count);
    *wheel = (aard__wheel){0};
}

/* ---- the name --------------------------------------------------------------------------------------------- */

/* "<name>-<version>[-<build>]-<python>-<abi>-<platform>.whl" */
static aard_error *read_file_name(reading *r)
{
    const char *slash = strrchr(r->path, '/'), *base = slash ? slash + 1 : r->path;
    size_t len = strlen(base);
    const char *dashes[8];
    size_t count = 0;
    for (const char *at = strchr(base, '-'); at && count < 8; at = strchr(at + 1, '-')) dashes[count++] = at;
    if (len < 5 || strcmp(base + len - 4, ".whl") != 0 || !aard__dist_name_valid(base) || count < 4 || count > 5)
        return invalid(r, "has no valid name: it should be <name>-<version>-<python>-<abi>-<platform>.whl");
    char *tag = aard__memdup0(dashes[count - 3] + 1, len - 4 - (size_t)(dashes[count - 3] + 1 - base));
    r->wheel->file_name = aard__strdup(base);
    r->wheel->version = aard__memdup0(dashes[0] + 1, (size_t)(dashes[1] - dashes[0]) - 1);
    aard_error *error = NULL;
    if (!tag || !r->wheel->file_name || !r->wheel->version)
        error = aard__error_no_memory();
    else if (!aard__package_key(base, (size_t)(dashes[0] - base), r->wheel->key))
        error = invalid(r, "has no package's name in its own");
    else if (!aard__wheel_tag_fits(tag, r->pins))
        error = aard__error(AARD_ERR_WHEEL_INVALID,
                            "the wheel '%s' is for '%s', which Pyodide %s can't load: get one for py3-none-any or "
                            "pyemscripten_%s_wasm32",
                            r->path, tag, r->pins->version, r->pins->abi_version);
    aard__free(tag);
    return error;
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

/* An error of the archive, as one of the wheel: what is to be done is another thing. */
static aard_error *refused(const reading *r, aard_error *error)
{
    if (aard_error_get_code(error) == AARD_ERR_NO_MEMORY || aard_error_get_class(error) != AARD_CLASS_INPUT)
        return error;
    const char *message = aard_error_message(error), *advice = strrchr(message, ';');
    int len = advice ? (int)(advice - message) : (int)strlen(message);
    aard_error *own = aard__error(AARD_ERR_WHEEL_INVALID,
                                  "the wheel '%s' is damaged or not a wheel: %.*s; get it again, or another build",
                                  r->path, len, message);
    aard_error_free(error);
    return own;
}

static aard_error *bad_entry(const reading *r, const char *name, size_t len, const char *what)
{
    char shown[AARD__NAME_SHOWN];
    aard__name_show(shown, sizeof shown, name, len);
    return aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' has an entry '%s' that %s; get another build of it",
                       r->path, shown, what);
}

/* Names that other systems, where the same wheel may be installed, take for others. */
static aard_error *check_name(const reading *r, const char *name, size_t len)
{
    for (size_t i = 0; i <= len; i++) {
        bool end = i == len || name[i] == '/';
        if (end && i && (name[i - 1] == '.' || name[i - 1] == ' '))
            return bad_entry(r, name, len, "ends in a dot or a space, as names can't everywhere");
    }
    return NULL;
}

static int by_folded_name(const void *a, const void *b)
{
    const aard__zip_entry *left = *(const aard__zip_entry *const *)a, *right = *(const aard__zip_entry *const *)b;
    size_t len = left->name_len < right->name_len ? left->name_len : right->name_len;
    int order = strncasecmp(left->name, right->name, len);
    return order ? order : (left->name_len > right->name_len) - (left->name_len < right->name_len);
}

static aard_error *check_cases(const reading *r)
{
    const aard__zip_directory *directory = aard__archive_directory(r->archive);
    const aard__zip_entry **sorted = aard__calloc(directory->count + 1, sizeof *sorted);
    if (!sorted) return aard__error_no_memory();
    for (size_t i = 0; i < directory->count; i++) sorted[i] = &directory->entries[i];
    if (directory->count) qsort(sorted, directory->count, sizeof *sorted, by_folded_name);
    aard_error *error = NULL;
    for (size_t i = 1; i < directory->count && !error; i++)
        if (!by_folded_name(&sorted[i - 1], &sorted[i]))
            error = bad_entry(r, sorted[i]->name, sorted[i]->name_len, "differs from another only by capitals");
    aard__free(sorted);
    return error;
}

static aard_error *take(void *user, const void *data, size_t len)
{
    reading *r = user;
    crypto_hash_sha256_update(&r->sha256, data, len);
    if (!r->keep) return NULL;
    if (len > METADATA_MAX - r->keep->len) return invalid(r, "has a METADATA or a RECORD that is too large");
    aard__buf_append(r->keep, data, len);
    return r->keep->failed ? aard__error_no_memory() : NULL;
}

/* Unpacks an entry to its end, for its checksum and its hash; `keep` (may be NULL) gets the bytes. */
static aard_error *read_entry(reading *r, size_t index, const aard__zip_entry *entry, aard__buf *keep)
{
    aard__record_file *file = &r->files[r->file_count];
    crypto_hash_sha256_init(&r->sha256);
    r->keep = keep;
    aard_error *error = aard__archive_unpack(r->archive, index, take, r);
    if (error) return refused(r, error);
    *file = (aard__record_file){.name = entry->name, .name_len = entry->name_len, .size = entry->unpacked};
    crypto_hash_sha256_final(&r->sha256, file->sha256);
    r->file_count++;
    return NULL;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);
    return len > tail && strcmp(name + len - tail, suffix) == 0;
}

/* What `import` may name because of this entry: a module at the top, or a folder with code in it. */
static aard_error *note_import(reading *r, const char *name)
{
    if (!ends_with(name, ".py") && !ends_with(name, ".so")) return NULL;
    size_t len = strcspn(name, "/");
    if (!name[len]) len = strcspn(name, ".");
    for (size_t i = 0; i < len; i++)
        if (name[i] == '-' || name[i] == '.') return NULL; /* no identifier: "x-1.0.data" and the like */
    return len ? insert(&r->wheel->imports, &r->wheel->import_count, name, len) : NULL;
}

static aard_error *note_info(reading *r, const char *name, size_t len)
{
    if (!r->info) {
        r->info = aard__memdup0(name, len);
        if (!r->info) return aard__error_no_memory();
    } else if (strlen(r->info) != len || memcmp(r->info, name, len) != 0) {
        return invalid(r, "has more than one .dist-info folder");
    }
    return NULL;
}

static bool is_info(const reading *r, const char *name, size_t top, const char *file)
{
    return r->info && strlen(r->info) == top && memcmp(name, r->info, top) == 0 && strcmp(name + top, file) == 0;
}

static aard_error *look_at(reading *r, size_t index, const aard__zip_entry *entry)
{
    AARD__TRY(check_name(r, entry->name, entry->name_len));
    if (aard__entry_is_directory(entry)) return NULL;
    char *name = aard__memdup0(entry->name, entry->name_len);
    if (!name) return aard__error_no_memory();
    size_t top = strcspn(name, "/");
    aard_error *error = NULL;
    if (name[top] && top > sizeof info_suffix - 1 &&
        memcmp(name + top - (sizeof info_suffix - 1), info_suffix, sizeof info_suffix - 1) == 0)
        error = note_info(r, name, top);
    bool metadata = is_info(r, name, top, "/METADATA"), record = is_info(r, name, top, "/RECORD");
    r->has_metadata = r->has_metadata || metadata;
    r->has_record = r->has_record || record;
    if (!error) error = note_import(r, name);
    if (!error) error = read_entry(r, index, entry, metadata ? &r->metadata : record ? &r->record : NULL);
    aard__free(name);
    return error;
}

static aard_error *read_entries(reading *r)
{
    const aard__zip_directory *directory = aard__archive_directory(r->archive);
    r->files = aard__calloc(directory->count + 1, sizeof *r->files);
    if (!r->files) return aard__error_no_memory();
    for (size_t i = 0; i < directory->count; i++) AARD__TRY(look_at(r, i, &directory->entries[i]));
    if (!r->has_metadata) return invalid(r, "has no METADATA in a .dist-info folder");
    if (!r->has_record) return invalid(r, "has no RECORD in its .dist-info folder");
    AARD__TRY(check_cases(r));
    const aard__record_file *which = NULL;
    const char *wrong = aard__record_check(r->record.data, r->record.len, r->files, r->file_count, &which);
    if (wrong && !*wrong) return aard__error_no_memory();
    return wrong ? bad_entry(r, which->name, which->name_len, wrong) : NULL;
}

/* ---- metadata --------------------------------------------------------------------------------------------- */

/* The value behind "Field:", trimmed; false where the line is another's. */
static bool field(const char *line, size_t len, const char *name, const char **value, size_t *value_len)
{
    size_t n = strlen(name);
    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':') return false;
    for (line += n + 1, len -= n + 1; len && (*line == ' ' || *line == '\t'); line++) len--;
    while (len && strchr(" \t\r", line[len - 1])) len--;
    *value = line;
    *value_len = len;
    return true;
}

static aard_error *read_line(reading *r, const char *line, size_t len)
{
    const char *value;
    size_t n;
    char key[AARD__PACKAGE_NAME_MAX + 1];
    if (field(line, len, "Name", &value, &n) && !r->wheel->name) {
        r->wheel->name = aard__memdup0(value, n);
        return r->wheel->name ? NULL : aard__error_no_memory();
    }
    if (field(line, len, "Version", &value, &n)) {
        char *version = aard__memdup0(value, n);
        if (!version) return aard__error_no_memory();
        aard__free(r->wheel->version);
        r->wheel->version = version;
    }
    if (field(line, len, "Requires-Dist", &value, &n) && aard__requirement_key(value, n, r->pins->python, key))
        return insert(&r->wheel->requires, &r->wheel->require_count, key, strlen(key));
    return NULL;
}

/* The same version, whatever stands in place of its dashes. */
static bool same_version(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (strncasecmp(a, b, 1) != 0) return false;
        if (!*a) return true;
    }
}

static aard_error *read_metadata(reading *r)
{
    char *named = r->wheel->version, key[AARD__PACKAGE_NAME_MAX + 1];
    r->wheel->version = NULL;
    aard_error *error = NULL;
    const char *at = r->metadata.data, *end = at + r->metadata.len;
    while (!error && at && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        if (stop == at || (stop == at + 1 && *at == '\r')) break; /* the description follows */
        error = read_line(r, at, (size_t)(stop - at));
        at = newline ? newline + 1 : end;
    }
    if (error) goto done;
    const char *name = r->wheel->name, *version = r->wheel->version;
    const char *dash = memrchr(r->info, '-', strlen(r->info) - (sizeof info_suffix - 1));
    if (!name || !version || !aard__package_key(name, strlen(name), key) || !*version)
        error = invalid(r, "has a METADATA without Name or Version");
    else if (strcmp(key, r->wheel->key) != 0 || !same_version(version, named))
        error = aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' says in its METADATA that it is '%.100s' %.100s",
                            r->path, name, version);
    else if (!dash || !aard__package_key(r->info, (size_t)(dash - r->info), key) || strcmp(key, r->wheel->key) != 0)
        error = aard__error(AARD_ERR_WHEEL_INVALID,
                            "the wheel '%s' has the .dist-info folder of another wheel, '%.200s'", r->path, r->info);
done:
    aard__free(named);
    return error;
}

aard_error *aard__wheel_read(const char *path, const aard__pins *pins, aard__wheel *out)
{
    aard__wheel wheel = {0};
    reading r = {.path = path, .pins = pins, .wheel = &wheel};
    char *data = NULL;
    size_t len = 0;
    aard_error *error = read_file_name(&r);
    if (!error) error = aard__file_read(path, FILE_MAX, &data, &len);
    if (!error) {
        error = aard__archive_open(data, len, ENTRIES_MAX, UNPACKED_MAX, &r.archive);
        if (error) error = refused(&r, error);
    }
    if (!error) error = read_entries(&r);
    if (!error) error = read_metadata(&r);
    aard__archive_free(r.archive);
    aard__buf_free(&r.metadata);
    aard__buf_free(&r.record);
    aard__free(r.files);
    aard__free(r.info);
    aard__free(data);
    if (error)
        aard__wheel_free(&wheel);
    else
        *out = wheel;
    return error;
}
