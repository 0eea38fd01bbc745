/* A URL, and behind a newline a pattern of a host and another URL that the first one leads to. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "policy/host_pattern.h"
#include "policy/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was read, written out, reads as the same. */
static void must_be_stable(const aard__url *url)
{
    aard__buf text = AARD__BUF_INIT;
    aard__url again = AARD__URL_INIT;
    aard__url_put(url, &text);
    const char *wrong = aard__url_parse(text.data, text.len, NULL, &again);
    if (!wrong) {
        if (!aard__url_same_origin(url, &again) || url->kind != again.kind || strcmp(url->target, again.target))
            abort();
        for (const char *c = again.target; *c; c++)
            if (*c <= ' ' || *c >= 0x7f) abort();
        if (again.target[0] != '/' || strpbrk(again.host, "/\\@?#% ")) abort();
    } else if (text.len <= AARD__URL_MAX) { /* encoding makes a text longer */
        abort();
    }
    aard__url_free(&again);
    aard__buf_free(&text);
}

static void match(const char *pattern, const aard__url *url)
{
    aard__host_list list = {0};
    aard_error_free(aard__host_list_add(&list, pattern));
    const aard__network_policy policy = {.host = &list, .https_only = true};
    const char *refusal = aard__network_refusal(&policy, url);
    size_t host_len = strcspn(pattern[0] == '[' ? strchr(pattern, ']') : pattern, ":");
    if (!refusal && !url->https) abort();
    if (!refusal && pattern[0] == '*' && !strstr(url->host, ".")) abort();
    if (!refusal && pattern[0] != '*' && pattern[0] != '[' && strncmp(pattern, url->host, host_len)) abort();
    aard__host_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data, *end = text + len;
    const char *first = len ? memchr(text, '\n', len) : NULL;
    const char *second = first ? memchr(first + 1, '\n', (size_t)(end - first - 1)) : NULL;
    aard__url url = AARD__URL_INIT, next = AARD__URL_INIT;
    char *pattern = NULL;
    if (!aard__url_parse(text, first ? (size_t)(first - text) : len, NULL, &url)) must_be_stable(&url);
    if (first) aard__host_pattern_read(first + 1, (size_t)((second ? second : end) - first - 1), &pattern);
    if (url.target && pattern) match(pattern, &url);
    if (url.target && second && !aard__url_parse(second + 1, (size_t)(end - second - 1), &url, &next)) {
        must_be_stable(&next);
        if (pattern) match(pattern, &next);
    }
    aard__buf shown = AARD__BUF_INIT;
    aard__url_put_redacted(text, len, &shown);
    aard__buf_free(&shown);
    aard__free(pattern);
    aard__url_free(&url);
    aard__url_free(&next);
    return 0;
}
