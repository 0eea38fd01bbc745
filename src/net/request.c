#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "net/transfer.h"

static void free_headers(aard__transfer *transfer)
{
    for (size_t i = 0; i < transfer->header_count; i++) {
        aard__free(transfer->headers[i].name);
        aard__free(transfer->headers[i].value);
    }
    aard__free(transfer->headers);
    transfer->headers = NULL;
    transfer->header_count = 0;
}

void aard__transfer_forget(aard__transfer *transfer)
{
    transfer->net->asked -= transfer->body.len;
    aard__buf_free(&transfer->body);
    free_headers(transfer);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* UTF-8 of characters up to U+00FF as the bytes that they stand for; NULL for others, and when memory is out. */
static char *latin1(const char *text, size_t len, size_t *out_len)
{
    char *out = aard__malloc(len + 1);
    size_t at = 0;
    for (size_t i = 0; out && i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) {
            if ((c & 0xfe) != 0xc2 || i + 1 == len || ((unsigned char)text[i + 1] & 0xc0) != 0x80) {
                aard__free(out);
                return NULL;
            }
            c = (unsigned char)(c << 6 | ((unsigned char)text[++i] & 0x3f));
        }
        out[at++] = (char)c;
    }
    if (!out) return NULL;
    out[at] = '\0';
    *out_len = at;
    return out;
}

bool aard__is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && !strncasecmp(text, word, len);
}

static void trim(const char **text, size_t *len)
{
    while (*len && (**text == ' ' || **text == '\t')) ++*text, --*len;
    while (*len && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t')) --*len;
}

static const char *add_header(aard__transfer *transfer, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (!colon) return "malformed_request";
    size_t name_len = (size_t)(colon - line), value_len = len - name_len - 1;
    const char *text = colon + 1;
    trim(&text, &value_len);
    char *value = latin1(text, value_len, &value_len);
    if (!value) return "malformed_request";
    const char *refusal = aard__network_header_refusal(&transfer->url, line, name_len, value, value_len);
    /* What a body is encoded in is between us and the server; libcurl writes the host by itself. */
    bool ours = aard__is_word(line, name_len, "Accept-Encoding") || aard__is_word(line, name_len, "Host");
    if (refusal || ours) {
        aard__free(value);
        return refusal;
    }
    transfer->asks_for_range = transfer->asks_for_range || aard__is_word(line, name_len, "Range");
    aard__header header = {aard__memdup0(line, name_len), value};
    if (!header.name) {
        aard__free(value);
        return "";
    }
    transfer->headers[transfer->header_count++] = header;
    return NULL;
}

static const char *add_headers(aard__transfer *transfer, const char *lines, size_t len)
{
    if (len > transfer->net->policy->limits.header_bytes) return "headers_too_large";
    size_t most = 1;
    for (size_t i = 0; i < len; i++) most += lines[i] == '\n';
    if (!(transfer->headers = aard__calloc(most, sizeof *transfer->headers))) return "";
    for (const char *at = lines, *end = lines + len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        const char *refusal = add_header(transfer, at, (size_t)(stop - at));
        if (refusal) return refusal;
        at = stop + 1;
    }
    return NULL;
}

/* The methods that are written in capitals whatever the guest wrote. */
static void normalize(char *method)
{
    static const char *const known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(method, known[i])) memcpy(method, known[i], strlen(known[i]));
}

const char *aard__transfer_ask(aard__transfer *transfer, const aard__net_request *request)
{
    const aard__network_limits *limits = &transfer->net->policy->limits;
    const char *refusal = aard__url_parse(request->url, request->url_len, NULL, &transfer->url);
    if (!refusal) refusal = aard__network_method_refusal(request->method, request->method_len);
    if (refusal) return refusal;
    if (!(transfer->method = aard__memdup0(request->method, request->method_len))) return "";
    normalize(transfer->method);
    transfer->redirects = request->redirects;
    if ((refusal = add_headers(transfer, request->headers, request->headers_len))) return refusal;
    if (request->body_len > limits->request_bytes) return "request_too_large";
    aard__transfers *net = transfer->net;
    if (request->body_len > aard__network_most(limits, limits->request_bytes) - net->asked) return "requests_too_large";
    transfer->has_body = request->has_body;
    aard__buf_append(&transfer->body, request->body, request->body_len);
    net->asked += transfer->body.len;
    return transfer->body.failed ? "" : NULL;
}

/* ---- redirects --------------------------------------------------------------------------------------------------- */

bool aard__transfer_is_redirect(const aard__transfer *transfer)
{
    unsigned status = transfer->status;
    bool redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return redirect && transfer->has_location && transfer->redirects != AARD__REDIRECTS_GIVE;
}

static void drop_headers(aard__transfer *transfer, bool (*which)(const char *name, size_t len))
{
    size_t kept = 0;
    for (size_t i = 0; i < transfer->header_count; i++) {
        aard__header header = transfer->headers[i];
        if (which(header.name, strlen(header.name))) {
            aard__free(header.name);
            aard__free(header.value);
        } else {
            transfer->headers[kept++] = header;
        }
    }
    transfer->header_count = kept;
}

static bool is_of_body(const char *name, size_t len) { return len > 8 && !strncasecmp(name, "Content-", 8); }

/* A GET, without a body, as redirects after a POST are followed by everybody. */
static const char *turn_into_get(aard__transfer *transfer)
{
    char *get = aard__strdup("GET");
    if (!get) return "";
    aard__free(transfer->method);
    transfer->method = get;
    transfer->has_body = false;
    transfer->net->asked -= transfer->body.len;
    aard__buf_free(&transfer->body);
    drop_headers(transfer, is_of_body);
    return NULL;
}

const char *aard__transfer_follow(aard__transfer *transfer)
{
    aard__url url = AARD__URL_INIT;
    if (transfer->redirects == AARD__REDIRECTS_FAIL) return "redirect_not_wanted";
    if (transfer->hops >= transfer->net->policy->limits.redirects) return "too_many_redirects";
    const char *refusal = aard__url_parse(transfer->location.data ? transfer->location.data : "",
                                          transfer->location.len, &transfer->url, &url);
    if (refusal) return refusal;
    if (!aard__url_same_origin(&url, &transfer->url)) drop_headers(transfer, aard__network_header_is_secret);
    aard__url_free(&transfer->url);
    transfer->url = url;
    transfer->hops++;
    bool post = !strcmp(transfer->method, "POST"), head = !strcmp(transfer->method, "HEAD");
    bool get = (transfer->status <= 302 && post) ||
               (transfer->status == 303 && !head && strcmp(transfer->method, "GET"));
    return get ? turn_into_get(transfer) : NULL;
}
