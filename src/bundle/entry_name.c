#include "bundle/entry_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/unprintable.h"
#include "base/utf8.h"
#include "bundle/zip_bytes.h"

void aard__name_show(char *out, size_t size, const char *name, size_t len)
{
    static const char cut[] = "\xe2\x80\xa6";
    size_t at = 0;
    for (size_t i = 0; i < len;) {
        size_t step = aard__utf8_sequence(name + i, len - i);
        bool plain = step && !aard__unprintable(aard__utf8_character(name + i, step));
        size_t bytes = step ? step : 1;
        if (at + (plain ? bytes : 4 * bytes) + sizeof cut > size) {
            memcpy(out + at, cut, sizeof cut);
            return;
        }
        for (size_t k = 0; k < bytes; k++, i++) {
            if (plain)
                out[at++] = name[i];
            else
                at += (size_t)snprintf(out + at, size - at, "\\x%02x", (unsigned char)name[i]);
        }
    }
    out[at] = '\0';
}

static aard_error *refuse(aard_error_code code, const char *name, size_t len, const char *rule)
{
    char shown[AARD__NAME_SHOWN];
    aard__name_show(shown, sizeof shown, name, len);
    return aard__error(code, "entry '%s': %s", shown, rule);
}

static aard_error *check_characters(const char *name, size_t len)
{
    if (memchr(name, '\0', len))
        return refuse(AARD_ERR_BUNDLE_NUL, name, len, "its name has a NUL byte in it; rename the file");
    if (!aard__utf8_valid(name, len))
        return refuse(AARD_ERR_BUNDLE_NAME_NOT_UTF8, name, len, "its name is not UTF-8; rename the file");
    if (memchr(name, '\\', len))
        return refuse(AARD_ERR_BUNDLE_BACKSLASH, name, len, "its name has a backslash in it; separate with '/'");
    for (size_t i = 0; i < len;) {
        size_t step = aard__utf8_sequence(name + i, len - i);
        if (aard__unprintable(aard__utf8_character(name + i, step)))
            return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len,
                          "its name has a control or invisible character in it; rename the file");
        i += step;
    }
    return NULL;
}

static aard_error *check_component(const char *name, size_t len, const char *part, size_t part_len)
{
    if (part_len == 2 && memcmp(part, "..", 2) == 0)
        return refuse(AARD_ERR_BUNDLE_PARENT_PATH, name, len,
                      "its name leads out of a directory with '..'; "
                      "name it by the path below the bundle's root");
    if (part_len == 0)
        return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len, "its name has two slashes in a row; use one");
    if (part_len == 1 && part[0] == '.')
        return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len, "its name has a '.' component; leave that out");
    if (part_len > AARD__NAME_COMPONENT_MAX)
        return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len,
                      "a component of its name is longer than 255 bytes; use a shorter one");
    return NULL;
}

static bool has_drive(const char *name, size_t len)
{
    return len >= 2 && ((name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z')) && name[1] == ':';
}

aard_error *aard__name_check(const char *name, size_t len)
{
    if (!len) return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len, "its name is empty; give it one");
    AARD__TRY(check_characters(name, len));
    if (name[0] == '/' || has_drive(name, len))
        return refuse(AARD_ERR_BUNDLE_ABSOLUTE_PATH, name, len,
                      "its name is an absolute path; name it by the path below the bundle's root");
    if (len > AARD__NAME_MAX)
        return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len, "its name is longer than 1024 bytes; use a shorter one");
    size_t depth = 0;
    size_t whole = name[len - 1] == '/' ? len - 1 : len;
    for (size_t start = 0; start <= whole;) {
        const char *slash = memchr(name + start, '/', whole - start);
        size_t end = slash ? (size_t)(slash - name) : whole;
        AARD__TRY(check_component(name, len, name + start, end - start));
        if (++depth > AARD__NAME_DEPTH_MAX)
            return refuse(AARD_ERR_BUNDLE_NAME_INVALID, name, len,
                          "its name has more than 64 components; nest directories less deeply");
        start = end + 1;
    }
    return NULL;
}

static uint32_t crc32_of(const char *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

aard_error *aard__name_check_encoding(const char *name, size_t len, bool flagged, const uint8_t *extra,
                                      size_t extra_len)
{
    size_t size;
    const uint8_t *path = aard__zip_extra(extra, extra_len, AARD__ZIP_EXTRA_PATH, &size);
    bool counts = path && size >= 5 && path[0] == 1 && aard__zip_get32(path + 1) == crc32_of(name, len);
    bool same = counts && size - 5 == len && memcmp(path + 5, name, len) == 0;
    if (counts && !same)
        return refuse(AARD_ERR_BUNDLE_CORRUPT, name, len,
                      "its extra fields give it another name, so it can be read in two ways; pack the bundle again");
    if (flagged || same || aard__ascii(name, len)) return NULL;
    return refuse(AARD_ERR_BUNDLE_NAME_NOT_UTF8, name, len,
                  "its name is not ASCII and not marked as UTF-8, so others read it as code page 437; pack the bundle "
                  "with a tool that sets the mark (flag bit 11)");
}

int aard__name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (order) return order;
    return a_len < b_len ? -1 : a_len > b_len;
}
