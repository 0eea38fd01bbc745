#include "distribution/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define BASE64_MAX sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

static int by_name(const void *a, const void *b)
{
    const aard__record_file *left = a, *right = b;
    size_t len = left->name_len < right->name_len ? left->name_len : right->name_len;
    int order = memcmp(left->name, right->name, len);
    return order ? order : (left->name_len > right->name_len) - (left->name_len < right->name_len);
}

/* Whether the file is one that a RECORD does not have to list: itself, and signatures of it. */
static bool is_exempt(const char *name, size_t len)
{
    static const char *const ends[] = {".dist-info/RECORD", ".dist-info/RECORD.jws", ".dist-info/RECORD.p7s"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (len > end && memcmp(name + len - end, ends[i], end) == 0) return true;
    }
    return false;
}

/* The next field of a line of CSV, unquoted in place; false at the line's end. */
static bool next_field(char **at, char *end, char **field, size_t *len)
{
    if (*at > end) return false;
    char *to = *at, *from = *at;
    *field = to;
    if (from < end && *from == '"') {
        for (from++; from < end; from++) {
            if (*from == '"' && (from + 1 == end || from[1] != '"')) break;
            if (*from == '"') from++;
            *to++ = *from;
        }
        while (from < end && *from != ',') from++;
    } else {
        while (from < end && *from != ',') from++;
        to = from;
    }
    *len = (size_t)(to - *field);
    *at = from + 1;
    return true;
}

static const char *check_line(char *line, char *end, aard__record_file *files, size_t count,
                              const aard__record_file **which)
{
    static const char algorithm[] = "sha256=";
    char *fields[3] = {NULL}, *at = line, hash[BASE64_MAX];
    size_t lens[3] = {0};
    for (int i = 0; i < 3 && next_field(&at, end, &fields[i], &lens[i]); i++) continue;
    const aard__record_file key = {.name = fields[0], .name_len = lens[0]};
    aard__record_file *file = lens[0] && count ? bsearch(&key, files, count, sizeof *files, by_name) : NULL;
    if (!file || is_exempt(file->name, file->name_len)) return NULL;
    *which = file;
    if (file->listed) return "is twice in RECORD";
    file->listed = true;
    if (lens[1] > sizeof algorithm - 1 && !memcmp(fields[1], algorithm, sizeof algorithm - 1)) {
        sodium_bin2base64(hash, sizeof hash, file->sha256, sizeof file->sha256,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        size_t len = lens[1] - (sizeof algorithm - 1);
        while (len && fields[1][sizeof algorithm - 1 + len - 1] == '=') len--;
        if (len != strlen(hash) || memcmp(fields[1] + sizeof algorithm - 1, hash, len) != 0)
            return "has another hash in RECORD";
    }
    uint64_t size = 0;
    for (size_t i = 0; i < lens[2]; i++)
        if (fields[2][i] < '0' || fields[2][i] > '9' || __builtin_mul_overflow(size, (uint64_t)10, &size) ||
            __builtin_add_overflow(size, (uint64_t)(fields[2][i] - '0'), &size))
            return "has no proper size in RECORD";
    return lens[2] && size != file->size ? "has another size in RECORD" : NULL;
}

const char *aard__record_check(const char *text, size_t len, aard__record_file *files, size_t count,
                               const aard__record_file **which)
{
    char *copy = aard__memdup0(text ? text : "", len);
    const char *wrong = NULL;
    if (!copy) return "";
    if (count) qsort(files, count, sizeof *files, by_name);
    for (char *line = copy, *end = copy + len; !wrong && line < end;) {
        char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline ? newline : end, *last = stop;
        while (last > line && last[-1] == '\r') last--;
        wrong = check_line(line, last, files, count, which);
        line = stop + 1;
    }
    aard__free(copy);
    for (size_t i = 0; i < count && !wrong; i++) {
        if (files[i].listed || is_exempt(files[i].name, files[i].name_len)) continue;
        *which = &files[i];
        wrong = "is not in RECORD";
    }
    return wrong;
}
