#include "distribution/wheel.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "distribution/manifest.h"
#include "distribution/pins.h"
#include "distribution/requirement.h"
#include "distribution/wheel_tag.h"

#define CHUNK (64u << 10)
#define ENTRIES_MAX 50000
#define UNPACKED_MAX (UINT64_C(2) << 30)
#define METADATA_MAX (4u << 20)

static const char info_suffix[] = ".dist-info";

typedef struct reading {
    const char *path;
    zip_t *zip;
    aard__wheel *wheel;
    char *info; /* the folder "<name>-<version>.dist-info" */
    aard__buf metadata;
    bool record, has_metadata;
    uint64_t unpacked;
    char *chunk;
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
        return invalid(r, "has no proper name: it should be <name>-<version>-<python>-<abi>-<platform>.whl");
    char *tag = aard__memdup0(dashes[count - 3] + 1, len - 4 - (size_t)(dashes[count - 3] + 1 - base));
    r->wheel->file_name = aard__strdup(base);
    r->wheel->version = aard__memdup0(dashes[0] + 1, (size_t)(dashes[1] - dashes[0]) - 1);
    aard_error *error = NULL;
    if (!tag || !r->wheel->file_name || !r->wheel->version)
        error = aard__error_no_memory();
    else if (!aard__package_key(base, (size_t)(dashes[0] - base), r->wheel->key))
        error = invalid(r, "has no package's name in its own");
    else if (!aard__wheel_tag_fits(tag))
        error = aard__error(AARD_ERR_WHEEL_INVALID,
                            "the wheel '%s' is for '%s', which Pyodide %s can't load: get one for py3-none-any or "
                            "pyemscripten_%s_wasm32",
                            r->path, tag, aard__pinned.version, aard__pinned.abi_version);
    aard__free(tag);
    return error;
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

static bool leads_elsewhere(const char *name)
{
    if (!*name || *name == '/' || strchr(name, '\\')) return true;
    for (const char *part = name; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2])) return true;
    }
    return false;
}

static bool is_link(zip_t *zip, zip_uint64_t index)
{
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) < 0) return false;
    return system == ZIP_OPSYS_UNIX && S_ISLNK(attributes >> 16);
}

/* Unpacks an entry to its end, where libzip compares the checksum; `keep` (may be NULL) gets the bytes. */
static aard_error *read_entry(reading *r, zip_uint64_t index, const char *name, aard__buf *keep)
{
    aard_error *error = NULL;
    zip_file_t *file = zip_fopen_index(r->zip, index, 0);
    zip_int64_t n = -1;
    while (file && !error && (n = zip_fread(file, r->chunk, CHUNK)) > 0) {
        r->unpacked += (uint64_t)n;
        if (keep) aard__buf_append(keep, r->chunk, (size_t)n);
        if (r->unpacked > UNPACKED_MAX || (keep && keep->len > METADATA_MAX))
            error = invalid(r, "unpacks to more than a wheel may have");
    }
    if (!error && n < 0)
        error = aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' is damaged: its entry '%.200s' cannot be unpacked",
                            r->path, name);
    if (file) zip_fclose(file);
    return error ? error : keep && keep->failed ? aard__error_no_memory() : NULL;
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
    if (strcmp(name + len, "/RECORD") == 0) r->record = true;
    return NULL;
}

static aard_error *look_at(reading *r, zip_uint64_t index)
{
    zip_stat_t st;
    if (zip_stat_index(r->zip, index, 0, &st) < 0 || !(st.valid & ZIP_STAT_NAME))
        return invalid(r, "is damaged: it has an entry without a name");
    if (leads_elsewhere(st.name) || is_link(r->zip, index))
        return aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' has an entry '%.200s' that leads elsewhere", r->path,
                           st.name);
    if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE)
        return invalid(r, "is encrypted");
    size_t top = strcspn(st.name, "/");
    if (st.name[top] && top > sizeof info_suffix - 1 &&
        memcmp(st.name + top - (sizeof info_suffix - 1), info_suffix, sizeof info_suffix - 1) == 0)
        AARD__TRY(note_info(r, st.name, top));
    bool metadata = r->info && strlen(r->info) == top && memcmp(st.name, r->info, top) == 0 &&
                    strcmp(st.name + top, "/METADATA") == 0;
    if (metadata && r->has_metadata) return invalid(r, "has two METADATA files");
    r->has_metadata |= metadata;
    AARD__TRY(note_import(r, st.name));
    return read_entry(r, index, st.name, metadata ? &r->metadata : NULL);
}

static aard_error *read_entries(reading *r)
{
    zip_int64_t count = zip_get_num_entries(r->zip, 0);
    if (count > ENTRIES_MAX) return invalid(r, "has more entries than a wheel may have");
    for (zip_int64_t i = 0; i < count; i++) AARD__TRY(look_at(r, (zip_uint64_t)i));
    if (!r->has_metadata) return invalid(r, "has no METADATA in a .dist-info folder");
    if (!r->record) return invalid(r, "has no RECORD in its .dist-info folder");
    return NULL;
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
    if (field(line, len, "Requires-Dist", &value, &n) && aard__requirement_key(value, n, key))
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
        error = aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' has the .dist-info folder of another, '%.200s'",
                            r->path, r->info);
done:
    aard__free(named);
    return error;
}

static aard_error *open_zip(reading *r)
{
    int code = 0, fd = -1;
    AARD__TRY(aard__file_open(r->path, &fd));
    r->zip = zip_fdopen(fd, ZIP_CHECKCONS, &code);
    if (!r->zip) {
        close(fd);
        return invalid(r, "is not a whole ZIP archive");
    }
    r->chunk = aard__malloc(CHUNK);
    return r->chunk ? NULL : aard__error_no_memory();
}

aard_error *aard__wheel_read(const char *path, aard__wheel *out)
{
    aard__wheel wheel = {0};
    reading r = {.path = path, .wheel = &wheel};
    aard_error *error = read_file_name(&r);
    if (!error) error = open_zip(&r);
    if (!error) error = read_entries(&r);
    if (!error) error = read_metadata(&r);
    if (r.zip) zip_discard(r.zip);
    aard__buf_free(&r.metadata);
    aard__free(r.chunk);
    aard__free(r.info);
    if (error)
        aard__wheel_free(&wheel);
    else
        *out = wheel;
    return error;
}
