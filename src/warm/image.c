#include "warm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"

#define PAGE ((size_t)4096)
#define MEMORY_MAX ((uint64_t)4 << 30)
#define TEXT_MAX ((uint64_t)16 << 20)

static const char magic[8] = "AARDIMG1";

typedef struct header {
    char magic[8];
    uint64_t text_len, memory_len, memory_at;
    uint8_t key[AARD__HASH_BYTES];    /* BLAKE2b of the key's text */
    uint8_t digest[AARD__HASH_BYTES]; /* BLAKE2b over the header with this field zero, the text and the memory */
} header;

struct aard__image {
    int fd;
    const uint8_t *map;
    size_t map_len;
    header head;
};

static size_t memory_offset(uint64_t text_len) { return (sizeof(header) + (size_t)text_len + PAGE - 1) & ~(PAGE - 1); }

static void digest_of(const header *head, const char *text, const void *memory, uint8_t out[AARD__HASH_BYTES])
{
    header blank = *head;
    memset(blank.digest, 0, sizeof blank.digest);
    aard__hasher hasher;
    aard__hash_start(&hasher);
    aard__hash_add(&hasher, &blank, sizeof blank);
    aard__hash_add(&hasher, text, (size_t)head->text_len);
    aard__hash_add(&hasher, memory, (size_t)head->memory_len);
    aard__hash_end(&hasher, out);
}

static bool write_at(int fd, const void *data, size_t len, size_t at)
{
    const char *bytes = data;
    while (len) {
        ssize_t n = pwrite(fd, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_pages(int fd, const uint8_t *memory, size_t len, size_t at)
{
    static const uint8_t zero[PAGE];
    for (size_t done = 0; done < len; done += PAGE)
        if (memcmp(memory + done, zero, PAGE) != 0 && !write_at(fd, memory + done, PAGE, at + done)) return false;
    return true;
}

aard_error *aard__image_write(const char *path, const char *key, const char *text, size_t text_len, const void *memory,
                              size_t memory_len)
{
    header head = {.text_len = text_len, .memory_len = memory_len, .memory_at = memory_offset(text_len)};
    memcpy(head.magic, magic, sizeof magic);
    aard__hash(key, strlen(key), head.key);
    digest_of(&head, text, memory, head.digest);
    size_t path_len = strlen(path);
    char *temporary = aard__malloc(path_len + sizeof ".XXXXXX");
    if (!temporary) return aard__error_no_memory();
    memcpy(temporary, path, path_len);
    memcpy(temporary + path_len, ".XXXXXX", sizeof ".XXXXXX");
    aard_error *error = NULL;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot write beside '%s'", path);
        goto done;
    }
    bool ok = ftruncate(fd, (off_t)(head.memory_at + memory_len)) == 0 && write_at(fd, &head, sizeof head, 0) &&
              write_at(fd, text, text_len, sizeof head) && write_pages(fd, memory, memory_len, head.memory_at) &&
              fchmod(fd, 0644) == 0 && fsync(fd) == 0 && rename(temporary, path) == 0;
    if (!ok) {
        error = aard__error_errno(AARD_ERR_IO, errno, "cannot write '%s'", path);
        unlink(temporary);
    }
    close(fd);
done:
    aard__free(temporary);
    return error;
}

static aard_error *check(aard__image *image, const char *path, const char *key)
{
    if (image->map_len < sizeof image->head)
        return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "the image '%s' is cut short", path);
    header *head = &image->head;
    memcpy(head, image->map, sizeof *head);
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "'%s' is not an image", path);
    if (head->text_len > TEXT_MAX || head->memory_len > MEMORY_MAX || head->memory_len % PAGE ||
        head->memory_at != memory_offset(head->text_len) || head->memory_at + head->memory_len != image->map_len)
        return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "the image '%s' has not the length its header says", path);
    uint8_t hash[AARD__HASH_BYTES];
    aard__hash(key, strlen(key), hash);
    if (memcmp(hash, head->key, sizeof hash) != 0)
        return aard__error(AARD_ERR_DISTRIBUTION_MISMATCH, "the image '%s' was made for another engine or distribution",
                           path);
    digest_of(head, (const char *)image->map + sizeof *head, image->map + head->memory_at, hash);
    if (memcmp(hash, head->digest, sizeof hash) != 0)
        return aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "the image '%s' was altered: its digest differs", path);
    return NULL;
}

aard_error *aard__image_open(const char *path, const char *key, aard__image **out)
{
    aard__image *image = aard__calloc(1, sizeof *image);
    if (!image) return aard__error_no_memory();
    aard_error *error = NULL;
    struct stat st;
    image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (image->fd < 0)
        error = aard__error_errno(errno == ENOENT ? AARD_ERR_NOT_FOUND : AARD_ERR_IO, errno, "cannot open '%s'", path);
    else if (fstat(image->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        error = aard__error(AARD_ERR_DISTRIBUTION_CORRUPT, "'%s' is not an image", path);
    if (!error) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, image->fd, 0);
        if (map == MAP_FAILED) {
            error = aard__error_errno(AARD_ERR_IO, errno, "cannot map '%s'", path);
        } else {
            image->map = map;
            image->map_len = (size_t)st.st_size;
            error = check(image, path, key);
        }
    }
    if (error) {
        aard__image_free(image);
        return error;
    }
    *out = image;
    return NULL;
}

void aard__image_free(aard__image *image)
{
    if (!image) return;
    if (image->map) munmap((void *)image->map, image->map_len);
    if (image->fd >= 0) close(image->fd);
    aard__free(image);
}

const char *aard__image_text(const aard__image *image, size_t *len)
{
    *len = (size_t)image->head.text_len;
    return (const char *)image->map + sizeof image->head;
}

size_t aard__image_memory_len(const aard__image *image) { return (size_t)image->head.memory_len; }

aard_error *aard__image_map(const aard__image *image, void *at)
{
    void *mapped = mmap(at, (size_t)image->head.memory_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image->fd,
                        (off_t)image->head.memory_at);
    if (mapped == MAP_FAILED) return aard__error_errno(AARD_ERR_IO, errno, "cannot map an image");
    return NULL;
}
