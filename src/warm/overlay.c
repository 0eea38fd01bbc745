#include "warm/overlay.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/new_file.h"
#include "base/utf8.h"

#define KEY_MAX ((uint64_t)1 << 20)
#define COUNT_MAX ((uint64_t)1 << 20)
#define FILE_MAX ((uint64_t)16 << 30)
#define NAME_MAX_BYTES 4096
#define STEP ((size_t)32 << 20) /* of what is read to check it */

static const char magic[8] = "AARDOVL1";

typedef struct header {
    char magic[8];
    uint64_t key_len, count, names_len, data_len; /* the key's with its NUL */
    uint8_t digest[AARD__HASH_BYTES];             /* over all of the file but this */
} header;

/* Behind the header: the key, the rows (from a multiple of 8 on), the names, the data. */
typedef struct row {
    uint64_t data_at, data_len; /* counted from the start of the data */
    uint32_t name_at, name_len; /* counted from the start of the names */
} row;

typedef struct layout {
    size_t key, rows, names, data, end;
} layout;

struct aard__overlay {
    atomic_size_t owners;
    const uint8_t *map;
    layout at;
    header head;
    char digest[AARD__HASH_HEX];
};

static size_t aligned(size_t n) { return (n + 7) & ~(size_t)7; }

/* False where the header's numbers are none that a file can have. */
static bool lay_out(const header *head, layout *out)
{
    if (!head->key_len || head->key_len > KEY_MAX || head->count > COUNT_MAX ||
        head->names_len > COUNT_MAX * NAME_MAX_BYTES || head->data_len > FILE_MAX)
        return false;
    out->key = sizeof *head;
    out->rows = aligned(out->key + (size_t)head->key_len);
    out->names = out->rows + (size_t)head->count * sizeof(row);
    out->data = aligned(out->names + (size_t)head->names_len);
    out->end = out->data + (size_t)head->data_len;
    return true;
}

static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : a_len < b_len ? -1 : a_len > b_len;
}

/* Relative, normal, in UTF-8, and without what a path can't hold. */
static bool name_is_good(const char *name, size_t len)
{
    if (!len || len > NAME_MAX_BYTES || memchr(name, '\0', len) || !aard__utf8_valid(name, len)) return false;
    for (size_t start = 0; start <= len;) {
        const char *slash = memchr(name + start, '/', len - start);
        size_t part = (slash ? (size_t)(slash - name) : len) - start;
        if (!part || (part <= 2 && !memcmp(name + start, "..", part))) return false;
        start += part + 1;
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    const aard__overlay_item *left = a, *right = b;
    return compare_names(left->name, left->name_len, right->name, right->name_len);
}

static aard_error *check_items(const aard__overlay_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!name_is_good(items[i].name, items[i].name_len))
            return aard__error(AARD_ERR_INVALID_ARGUMENT, "a package has a file with a name that can't be used: '%.*s'",
                               (int)(items[i].name_len < 200 ? items[i].name_len : 200), items[i].name);
        if (i && by_name(&items[i - 1], &items[i]) >= 0)
            return aard__error(AARD_ERR_INVALID_ARGUMENT, "two packages have a file '%.*s'", (int)items[i].name_len,
                               items[i].name);
    }
    return NULL;
}

/* Header, key, rows and names in one piece. */
static uint8_t *make_front(header *head, const layout *at, const char *key, const aard__overlay_item *items)
{
    uint8_t *front = aard__calloc(1, at->data);
    if (!front) return NULL;
    row *rows = (row *)(front + at->rows);
    uint64_t data_at = 0;
    uint32_t name_at = 0;
    memcpy(front + at->key, key, (size_t)head->key_len);
    for (size_t i = 0; i < head->count; i++) {
        rows[i] = (row){data_at, items[i].len, name_at, (uint32_t)items[i].name_len};
        memcpy(front + at->names + name_at, items[i].name, items[i].name_len);
        name_at += rows[i].name_len;
        data_at += items[i].len;
    }
    memcpy(front, head, sizeof *head);
    return front;
}

struct aard__overlay_sink {
    int fd;
    uint64_t at, end; /* of the file that is being written */
    aard__hasher hasher;
};

static aard_error *cannot_write(size_t len)
{
    return aard__error_errno(AARD_ERR_IO, errno, "an overlay of %zu bytes can't be written", len);
}

aard_error *aard__overlay_put(aard__overlay_sink *sink, const void *data, size_t len)
{
    if (len > sink->end - sink->at)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "a package's file is longer than its archive says");
    if (!aard__write_at(sink->fd, data, len, (size_t)sink->at)) return cannot_write((size_t)sink->end);
    aard__hash_add(&sink->hasher, data, len);
    sink->at += len;
    return NULL;
}

aard_error *aard__overlay_write_from(int fd, const char *key, aard__overlay_item *items, size_t count,
                                     aard__overlay_fill fill, void *user)
{
    layout at;
    header head = {.key_len = strlen(key) + 1, .count = count};
    memcpy(head.magic, magic, sizeof magic);
    if (count) qsort(items, count, sizeof *items, by_name);
    AARD__TRY(check_items(items, count));
    for (size_t i = 0; i < count; i++) {
        head.names_len += items[i].name_len;
        head.data_len += items[i].len;
    }
    if (!lay_out(&head, &at) || head.names_len > UINT32_MAX)
        return aard__error(AARD_ERR_INVALID_ARGUMENT, "these packages are too large for one overlay");
    uint8_t *front = make_front(&head, &at, key, items);
    if (!front) return aard__error_no_memory();
    aard__overlay_sink sink = {.fd = fd, .at = at.data};
    aard__hash_start(&sink.hasher);
    aard__hash_add(&sink.hasher, &head, offsetof(header, digest));
    aard__hash_add(&sink.hasher, front + at.key, at.data - at.key);
    aard_error *error = aard__write_at(fd, front, at.data, 0) ? NULL : cannot_write(at.end);
    aard__free(front);
    for (size_t i = 0; !error && i < count; i++) {
        sink.end = sink.at + items[i].len;
        error = fill(user, &items[i], &sink);
        if (!error && sink.at != sink.end)
            error = aard__error(AARD_ERR_INVALID_ARGUMENT, "a package's file is shorter than its archive says");
    }
    aard__hash_end(&sink.hasher, head.digest);
    if (!error && !aard__write_at(fd, &head, sizeof head, 0)) error = cannot_write(at.end);
    return error;
}

static aard_error *fill_from_memory(void *user, const aard__overlay_item *item, aard__overlay_sink *sink)
{
    (void)user;
    return aard__overlay_put(sink, item->data, item->len);
}

aard_error *aard__overlay_write(int fd, const char *key, aard__overlay_item *items, size_t count)
{
    return aard__overlay_write_from(fd, key, items, count, fill_from_memory, NULL);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static aard_error *corrupt(const char *where, const char *what)
{
    return aard__error(AARD_ERR_WARM_CORRUPT, "the overlay '%s' can't be used: %s", where, what);
}

static row row_of(const uint8_t *map, const layout *at, size_t index)
{
    row one;
    memcpy(&one, map + at->rows + index * sizeof one, sizeof one);
    return one;
}

/* Names in strict order, each inside of the names; files one behind the other. */
static bool rows_are_good(const uint8_t *map, const header *head, const layout *at)
{
    const char *names = (const char *)map + at->names, *before = NULL;
    uint64_t name_at = 0, data_at = 0;
    size_t before_len = 0;
    for (size_t i = 0; i < head->count; i++) {
        row one = row_of(map, at, i);
        if (one.name_at != name_at || one.name_len > head->names_len - name_at || one.data_at != data_at ||
            one.data_len > head->data_len - data_at)
            return false;
        const char *name = names + one.name_at;
        if (!name_is_good(name, one.name_len)) return false;
        if (before && compare_names(before, before_len, name, one.name_len) >= 0) return false;
        before = name;
        before_len = one.name_len;
        name_at += one.name_len;
        data_at += one.data_len;
    }
    return name_at == head->names_len && data_at == head->data_len;
}

static aard_error *check(const uint8_t *map, size_t len, const char *where, const char *wanted, header *head,
                         layout *at)
{
    if (len < sizeof *head) return corrupt(where, "it is cut short");
    memcpy(head, map, sizeof *head);
    if (memcmp(head->magic, magic, sizeof magic) != 0) return corrupt(where, "it is not an overlay");
    if (!lay_out(head, at) || at->end != len) return corrupt(where, "it does not have the length that its header says");
    uint8_t digest[AARD__HASH_BYTES];
    aard__hasher hasher;
    aard__hash_start(&hasher);
    aard__hash_add(&hasher, head, offsetof(header, digest));
    for (size_t done = sizeof *head, step; done < len; done += step) { /* what was read is not needed soon */
        step = len - done < STEP ? len - done : STEP;
        aard__hash_add(&hasher, map + done, step);
        madvise((void *)map, (done + step) & ~(size_t)4095, MADV_DONTNEED);
    }
    aard__hash_end(&hasher, digest);
    if (memcmp(digest, head->digest, sizeof digest) != 0) return corrupt(where, "it was altered: its digest differs");
    if (!rows_are_good(map, head, at)) return corrupt(where, "its index is damaged");
    if (!wanted) return NULL;
    size_t wanted_len = strlen(wanted) + 1;
    if (head->key_len != wanted_len || memcmp(map + at->key, wanted, wanted_len) != 0)
        return aard__error(AARD_ERR_WARM_MISMATCH, "the overlay '%s' was made of other packages", where);
    return NULL;
}

aard_error *aard__overlay_check(const void *data, size_t len, const char *where, const char *wanted)
{
    header head;
    layout at;
    return check(data, len, where, wanted, &head, &at);
}

aard_error *aard__overlay_open(int fd, const char *where, const char *wanted, aard__overlay **out)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) return corrupt(where, "it is cut short");
    size_t len = (size_t)st.st_size;
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return aard__error_errno(AARD_ERR_IO, errno, "cannot map '%s'", where);
    aard__overlay *overlay = aard__calloc(1, sizeof *overlay);
    aard_error *error = overlay ? check(map, len, where, wanted, &overlay->head, &overlay->at)
                                : aard__error_no_memory();
    if (error) {
        munmap(map, len);
        aard__free(overlay);
        return error;
    }
    atomic_init(&overlay->owners, 1);
    overlay->map = map;
    aard__hash_hex(overlay->head.digest, overlay->digest);
    *out = overlay;
    return NULL;
}

aard__overlay *aard__overlay_retain(aard__overlay *overlay)
{
    atomic_fetch_add_explicit(&overlay->owners, 1, memory_order_relaxed);
    return overlay;
}

bool aard__overlay_has_one_owner(const aard__overlay *overlay)
{
    return atomic_load_explicit(&overlay->owners, memory_order_acquire) == 1;
}

void aard__overlay_free(aard__overlay *overlay)
{
    if (!overlay || atomic_fetch_sub_explicit(&overlay->owners, 1, memory_order_acq_rel) != 1) return;
    munmap((void *)overlay->map, overlay->at.end);
    aard__free(overlay);
}

const char *aard__overlay_key(const aard__overlay *overlay) { return (const char *)overlay->map + overlay->at.key; }

const char *aard__overlay_digest(const aard__overlay *overlay) { return overlay->digest; }

size_t aard__overlay_count(const aard__overlay *overlay) { return (size_t)overlay->head.count; }

aard__overlay_item aard__overlay_file(const aard__overlay *overlay, size_t index)
{
    row one = row_of(overlay->map, &overlay->at, index);
    return (aard__overlay_item){(const char *)overlay->map + overlay->at.names + one.name_at, one.name_len,
                                overlay->map + overlay->at.data + one.data_at, (size_t)one.data_len, 0};
}
