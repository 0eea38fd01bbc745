#include "warm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/new_file.h"
#include "base/sealed.h"
#include "base/trust.h"

#define PAGE ((size_t)4096)
#define KEY_MAX ((uint64_t)1 << 20)
#define TEXT_MAX ((uint64_t)64 << 20)
#define MEMORY_MAX ((uint64_t)4 << 30)

static const char magic[8] = "AARDIMG5";

/* Host byte order: what runs the image on another kind of machine is another kind of V8 anyway. */
typedef struct header {
    char magic[8];
    uint64_t key_len, text_len, memory_len, memory_at; /* the key's with its NUL */
    uint8_t checksum[AARD__CHECKSUM_BYTES];            /* all zero in memory */
    uint8_t signature[AARD__HASH_BYTES];               /* by somebody's key; all zero without one */
} header;

struct aard__image {
    int fd;
    bool is_file;
    const uint8_t *map;
    size_t map_len;
    header head;
};

static size_t memory_offset(const header *head)
{
    return (sizeof(header) + (size_t)head->key_len + (size_t)head->text_len + PAGE - 1) & ~(PAGE - 1);
}

static bool is_zero(const uint8_t *page)
{
    static const uint8_t zero[PAGE];
    return memcmp(page, zero, PAGE) == 0;
}

/* The next run of pages that are not zero, from `*at` on; false at the end. */
static bool next_run(const uint8_t *memory, size_t len, size_t *at, size_t *run)
{
    size_t start = *at;
    while (start < len && is_zero(memory + start)) start += PAGE;
    if (start >= len) return false;
    size_t end = start + PAGE;
    while (end < len && !is_zero(memory + end)) end += PAGE;
    *at = start;
    *run = end - start;
    return true;
}

/* ---- checksums and signatures ------------------------------------------------------------------------------- */

typedef void add_to(void *sum, const void *data, size_t len);

static void add_to_checksum(void *sum, const void *data, size_t len) { aard__checksum_add(sum, data, len); }
static void add_to_hash(void *sum, const void *data, size_t len) { aard__hash_add(sum, data, len); }

/* Adds `head`, key, text and padding, and the memory: of pages that are zero their place alone. */
static void add_contents(const header *head, const uint8_t *map, add_to *add, void *sum)
{
    const uint8_t *memory = map + head->memory_at;
    add(sum, head, sizeof *head);
    add(sum, map + sizeof *head, (size_t)head->memory_at - sizeof *head);
    for (size_t at = 0, run; next_run(memory, (size_t)head->memory_len, &at, &run); at += run) {
        const uint64_t place[2] = {at, run};
        add(sum, place, sizeof place);
        add(sum, memory + at, run);
    }
}

/* Over everything but itself, the signature included. */
static void checksum_of(const header *head, const uint8_t *map, uint8_t out[AARD__CHECKSUM_BYTES])
{
    aard__checksummer summer;
    header blank = *head;
    memset(blank.checksum, 0, sizeof blank.checksum);
    aard__checksum_start(&summer);
    add_contents(&blank, map, add_to_checksum, &summer);
    aard__checksum_end(&summer, out);
}

/* Keyed BLAKE2b over everything but checksum and signature. */
static void signature_of(const header *head, const uint8_t *map, const aard__signing_key *key,
                         uint8_t out[AARD__HASH_BYTES])
{
    static const char purpose[] = "aardvark image";
    aard__hasher hasher;
    header blank = *head;
    memset(blank.checksum, 0, sizeof blank.checksum);
    memset(blank.signature, 0, sizeof blank.signature);
    crypto_generichash_init(&hasher, key->bytes, sizeof key->bytes, AARD__HASH_BYTES);
    aard__hash_add(&hasher, purpose, sizeof purpose);
    add_contents(&blank, map, add_to_hash, &hasher);
    aard__hash_end(&hasher, out);
    sodium_memzero(&hasher, sizeof hasher);
}

bool aard__image_is_signed(const aard__image *image)
{
    return !sodium_is_zero(image->head.signature, sizeof image->head.signature);
}

static aard_error *check_signature(const aard__image *image, const char *path, const aard__signing_key *key)
{
    uint8_t right[AARD__HASH_BYTES];
    if (!key) return NULL;
    if (!aard__image_is_signed(image))
        return aard__error(AARD_ERR_WARM_SIGNATURE,
                           "the image '%s' is not signed, and a key was set: rebuild it with the key", path);
    signature_of(&image->head, image->map, key, right);
    if (sodium_memcmp(right, image->head.signature, sizeof right) == 0) return NULL;
    return aard__error(AARD_ERR_WARM_SIGNATURE,
                       "the image '%s' is not signed by the key that was set: it is somebody else's, or the key is",
                       path);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static bool write_runs(int fd, const uint8_t *memory, size_t len, size_t offset)
{
    for (size_t at = 0, run; next_run(memory, len, &at, &run); at += run)
        if (!aard__write_at(fd, memory + at, run, offset + at)) return false;
    return true;
}

static bool write_parts(int fd, const header *head, const aard__image_parts *parts)
{
    return ftruncate(fd, (off_t)(head->memory_at + head->memory_len)) == 0 &&
           aard__write_at(fd, head, sizeof *head, 0) && aard__write_at(fd, parts->key, head->key_len, sizeof *head) &&
           aard__write_at(fd, parts->text, parts->text_len, sizeof *head + head->key_len) &&
           write_runs(fd, parts->memory, parts->memory_len, head->memory_at);
}

static bool map_all(aard__image *image, size_t len)
{
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, image->fd, 0);
    if (map == MAP_FAILED) return false;
    image->map = map;
    image->map_len = len;
    return true;
}

aard_error *aard__image_from_memory(const aard__image_parts *parts, aard__image **out)
{
    aard__image *image = aard__calloc(1, sizeof *image);
    if (!image) return aard__error_no_memory();
    header *head = &image->head;
    *head = (header){.key_len = strlen(parts->key) + 1, .text_len = parts->text_len, .memory_len = parts->memory_len};
    head->memory_at = memory_offset(head);
    memcpy(head->magic, magic, sizeof magic);
    image->fd = memfd_create("aardvark-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    aard_error *error = NULL;
    if (head->key_len > KEY_MAX || head->text_len > TEXT_MAX || head->memory_len > MEMORY_MAX ||
        head->memory_len % PAGE)
        error = aard__error(AARD_ERR_INVALID_ARGUMENT, "an image of %zu bytes of memory and %zu of text can't be made",
                            parts->memory_len, parts->text_len);
    else if (image->fd < 0 || !write_parts(image->fd, head, parts) || !aard__seal(image->fd) ||
             !map_all(image, (size_t)(head->memory_at + head->memory_len)))
        error = aard__error_errno(AARD_ERR_IO, errno, "an image of %zu bytes can't be kept in memory",
                                  parts->memory_len);
    if (error) {
        aard__image_free(image);
        return error;
    }
    *out = image;
    return NULL;
}

aard_error *aard__image_write(const aard__image *image, int fd, const aard__signing_key *key)
{
    const header *head = &image->head;
    header stamped = *head;
    memset(stamped.signature, 0, sizeof stamped.signature);
    if (key) signature_of(head, image->map, key, stamped.signature);
    checksum_of(&stamped, image->map, stamped.checksum);
    if (ftruncate(fd, (off_t)image->map_len) == 0 && aard__write_at(fd, &stamped, sizeof stamped, 0) &&
        aard__write_at(fd, image->map + sizeof stamped, (size_t)head->memory_at - sizeof stamped, sizeof stamped) &&
        write_runs(fd, aard__image_memory(image), (size_t)head->memory_len, (size_t)head->memory_at))
        return NULL;
    return aard__error_errno(AARD_ERR_IO, errno, "an image of %zu bytes can't be written", image->map_len);
}

aard_error *aard__image_save(const aard__image *image, const char *path, mode_t mode, const aard__signing_key *key)
{
    aard__new_file file;
    AARD__TRY(aard__new_file_open(path, mode, &file));
    aard_error *error = aard__image_write(image, file.fd, key);
    if (!error) return aard__new_file_commit(&file);
    aard__new_file_drop(&file);
    return aard__error_prefix(error, "'%s'", path);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

#define SHOWN 80

/* A value as messages show it: whatever is in the file. */
static const char *shown(const char *value, size_t len, char out[SHOWN + 1])
{
    if (!value) return "missing";
    size_t n = 0;
    for (; n < len && n < SHOWN; n++) out[n] = value[n] >= ' ' && value[n] < 127 ? value[n] : '?';
    out[n] = '\0';
    return out;
}

/* Names the first line of `wanted` that the key does not have. */
static aard_error *compare_keys(const char *key, const char *wanted, const char *path)
{
    for (const char *line = wanted, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end) break;
        const char *value = memchr(line, '=', (size_t)(end - line));
        char name[64], first[SHOWN + 1], second[SHOWN + 1];
        size_t name_len = value ? (size_t)(value - line) : sizeof name, len = 0, wanted_len;
        if (name_len >= sizeof name) break;
        memcpy(name, line, name_len);
        name[name_len] = '\0';
        wanted_len = (size_t)(end - ++value);
        const char *have = aard__key_find(key, name, NULL, &len), *next = have;
        size_t next_len = len;
        while (next && (next_len != wanted_len || memcmp(next, value, wanted_len) != 0))
            next = aard__key_find(key, name, next, &next_len);
        if (next) continue;
        return aard__error(AARD_ERR_WARM_MISMATCH, "the image '%s' does not fit: its %s is %s and not %s; rebuild it",
                           path, name, shown(have, len, first), shown(value, wanted_len, second));
    }
    return NULL;
}

static aard_error *check(aard__image *image, const char *path, const char *wanted, const aard__signing_key *signer)
{
    if (image->map_len < sizeof image->head)
        return aard__error(AARD_ERR_WARM_CORRUPT, "the image '%s' is truncated", path);
    header *head = &image->head;
    memcpy(head, image->map, sizeof *head);
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return aard__error(AARD_ERR_WARM_CORRUPT, "'%s' is not an image", path);
    if (!head->key_len || head->key_len > KEY_MAX || head->text_len > TEXT_MAX || head->memory_len > MEMORY_MAX ||
        head->memory_len % PAGE || head->memory_at != memory_offset(head) ||
        head->memory_at + head->memory_len != image->map_len)
        return aard__error(AARD_ERR_WARM_CORRUPT, "the image '%s' does not have the length that its header says", path);
    const char *key = aard__image_key(image);
    if (memchr(key, '\0', (size_t)head->key_len) != key + head->key_len - 1)
        return aard__error(AARD_ERR_WARM_CORRUPT, "the image '%s' was altered: its key is malformed", path);
    uint8_t sum[AARD__CHECKSUM_BYTES];
    checksum_of(head, image->map, sum);
    if (memcmp(sum, head->checksum, sizeof sum) != 0)
        return aard__error(AARD_ERR_WARM_CORRUPT, "the image '%s' was altered: its checksum differs", path);
    AARD__TRY(check_signature(image, path, signer));
    /* Reading it all has made it all resident; few pages of it are needed soon. */
    madvise((void *)image->map, image->map_len, MADV_DONTNEED);
    return compare_keys(key, wanted, path);
}

aard_error *aard__image_open_file(int fd, const char *name, const char *wanted, const aard__signing_key *key,
                                  aard__image **out)
{
    aard__image *image = aard__calloc(1, sizeof *image);
    if (!image) {
        close(fd);
        return aard__error_no_memory();
    }
    aard_error *error = NULL;
    struct stat st;
    image->is_file = !aard__is_sealed(fd); /* a copy of another process's is not */
    image->fd = fd;
    if (fstat(image->fd, &st) < 0 || st.st_size <= 0)
        error = aard__error(AARD_ERR_WARM_CORRUPT, "'%s' is not an image", name);
    if (!error && !map_all(image, (size_t)st.st_size))
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot map '%s'", name);
    if (!error) error = check(image, name, wanted, key);
    if (error) {
        aard__image_free(image);
        return error;
    }
    *out = image;
    return NULL;
}

aard_error *aard__image_open(const char *path, const char *wanted, const aard__signing_key *key, aard__image **out)
{
    struct stat st;
    int fd;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return aard__error(AARD_ERR_WARM_CORRUPT, "'%s' is not an image", path);
    AARD__TRY(aard__trusted_open(path, &fd));
    return aard__image_open_file(fd, path, wanted, key, out);
}

void aard__image_free(aard__image *image)
{
    if (!image) return;
    if (image->map) munmap((void *)image->map, image->map_len);
    if (image->fd >= 0) close(image->fd);
    aard__free(image);
}

bool aard__image_is_file(const aard__image *image) { return image->is_file; }

const char *aard__image_key(const aard__image *image) { return (const char *)image->map + sizeof image->head; }

const char *aard__image_text(const aard__image *image, size_t *len)
{
    *len = (size_t)image->head.text_len;
    return aard__image_key(image) + image->head.key_len;
}

size_t aard__image_memory_len(const aard__image *image) { return (size_t)image->head.memory_len; }

size_t aard__image_len(const aard__image *image) { return image->map_len; }

const uint8_t *aard__image_memory(const aard__image *image) { return image->map + image->head.memory_at; }

aard_error *aard__image_map(const aard__image *image, void *at)
{
    void *mapped = mmap(at, (size_t)image->head.memory_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image->fd,
                        (off_t)image->head.memory_at);
    if (mapped == MAP_FAILED) return aard__error_errno(AARD_ERR_IO, errno, "cannot map an image");
    return NULL;
}
