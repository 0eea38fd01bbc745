#include <aardvark/export.h>
#include <arpa/inet.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CURL_DISABLE_TYPECHECK
#include "base/clock.h"
#include "base/process.h"
#include "base/utf8.h"
#include "net/transfer.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo

/* Of a redirect's body, which nobody reads, so much is taken to keep the connection; beyond that it is closed. */
enum { MOST_DISCARDED = 64 * 1024 };

/* Of a body that is taken as it comes, so much may wait for its taker before the server has to. */
enum { MOST_UNTAKEN = 64 * 1024 };

/* ---- what comes --------------------------------------------------------------------------------------------------- */

static size_t end_with(aard__transfer *transfer, const char *reason)
{
    transfer->refusal = reason;
    return 0; /* libcurl ends a transfer whose callback takes less than it was given */
}

/* Who is to stop is not to wait for the end of what a server sends. */
static const char *is_over(const aard__transfer *transfer)
{
    if (atomic_load(&transfer->net->stopped)) return "call_ended";
    return transfer->deadline <= aard__clock_monotonic() ? "timed_out" : NULL;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    aard__transfer *transfer = user;
    aard__transfers *net = transfer->net;
    size_t len = size * count;
    const aard__network_limits *limits = &net->policy->limits;
    const char *over = is_over(transfer);
    if (over) return end_with(transfer, over);
    transfer->body_began = true;
    if (aard__transfer_is_redirect(transfer)) {
        transfer->discarded += len;
        return transfer->discarded <= MOST_DISCARDED ? len : 0;
    }
    /* One of which nothing waits may always bring a piece: else nobody could get on. */
    uint64_t most = aard__network_most(limits, limits->response_bytes);
    if (transfer->streams && transfer->reply.body.len &&
        (transfer->reply.body.len >= MOST_UNTAKEN || len + net->held > most)) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (len > limits->response_bytes - transfer->received) return end_with(transfer, "response_too_large");
    if (!transfer->streams && len + net->held > most)
        return end_with(transfer, "responses_too_large");
    aard__buf_append(&transfer->reply.body, data, len);
    if (transfer->reply.body.failed) return end_with(transfer, "out_of_memory");
    net->held += len;
    transfer->received += len;
    return len;
}

/* Latin-1 as a JSON string. */
static void put_latin1(aard__buf *out, const char *text, size_t len)
{
    aard__buf utf8 = AARD__BUF_INIT;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) aard__buf_putc(&utf8, (char)(0xc0 | c >> 6));
        aard__buf_putc(&utf8, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
    }
    aard__buf_json_string(out, utf8.data ? utf8.data : "", utf8.len);
    out->failed = out->failed || utf8.failed;
    aard__buf_free(&utf8);
}

/* False where nobody asked for such an answer: 101 makes another protocol of the connection. */
static bool take_status(aard__transfer *transfer, const char *line, size_t len)
{
    const char *code = memchr(line, ' ', len), *end = line + len;
    const char *text = code ? memchr(code + 1, ' ', (size_t)(end - code - 1)) : NULL;
    aard__buf_clear(&transfer->got_headers); /* those of a "100 Continue" */
    aard__buf_clear(&transfer->status_text);
    aard__buf_clear(&transfer->location);
    transfer->has_location = transfer->has_length = transfer->has_transfer_encoding = false;
    transfer->is_old = len > 8 && !memcmp(line, "HTTP/1.0", 8);
    transfer->status = 0;
    for (const char *c = code ? code + 1 : end; c < end && *c >= '0' && *c <= '9' && transfer->status < 1000; c++)
        transfer->status = transfer->status * 10 + (unsigned)(*c - '0');
    if (text) aard__buf_append(&transfer->status_text, text + 1, (size_t)(end - text - 1));
    return transfer->status != 101;
}

/* Whether the encodings of a message are none, or one that was asked for.  libcurl takes off as many as there are, each of
 * which can blow up what the next one reads a thousandfold, and comes back to nobody before all of that is done. */
static bool may_decode(aard__transfer *transfer, bool of_content, const char *value, size_t len)
{
    if (of_content && transfer->asks_for_range) return true; /* it is left as it is */
    for (const char *at = value, *end = value + len; at < end; at++) {
        const char *word = at;
        at = memchr(at, ',', (size_t)(end - at));
        if (!at) at = end;
        size_t size = (size_t)(at - word);
        while (size && (*word == ' ' || *word == '\t')) word++, size--;
        while (size && (word[size - 1] == ' ' || word[size - 1] == '\t')) size--;
        if (!size || aard__is_word(word, size, "identity") || (!of_content && aard__is_word(word, size, "chunked")))
            continue;
        bool asked = of_content && (aard__is_word(word, size, "gzip") || aard__is_word(word, size, "x-gzip") ||
                                    aard__is_word(word, size, "deflate"));
        if (!asked || ++transfer->encodings > 1) return false;
    }
    return true;
}

/* One number that fits, once, and no other word about where the message ends: all else has two readings. */
static bool take_length(aard__transfer *transfer, const char *value, size_t len)
{
    uint64_t number = 0;
    bool good = len && !transfer->has_length && !transfer->has_transfer_encoding;
    for (size_t i = 0; i < len && good; i++)
        good = value[i] >= '0' && value[i] <= '9' && !__builtin_mul_overflow(number, (uint64_t)10, &number) &&
               !__builtin_add_overflow(number, (uint64_t)(value[i] - '0'), &number) && number <= INT64_MAX;
    transfer->has_length = true;
    return good;
}

static bool take_transfer_encoding(aard__transfer *transfer, const char *value, size_t len)
{
    bool good = !transfer->has_length && !transfer->has_transfer_encoding && !transfer->is_old;
    transfer->has_transfer_encoding = true;
    return good && may_decode(transfer, false, value, len);
}

/* A name that is one, and a value without what ends a line somewhere else. */
static bool is_header(const char *line, size_t len, size_t name_len)
{
    for (size_t i = 0; i < name_len; i++)
        if ((unsigned char)line[i] <= ' ' || line[i] == 0x7f) return false;
    return !memchr(line, '\0', len) && !memchr(line, '\r', len) && !memchr(line, '\n', len);
}

/* False where the message can't be read. */
static bool take_header(aard__transfer *transfer, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : 0;
    if (!name_len || !is_header(line, len, name_len))
        return false; /* among them lines that go on with the one before */
    const char *value = colon + 1;
    size_t value_len = len - name_len - 1;
    while (value_len && (*value == ' ' || *value == '\t')) value++, value_len--;
    while (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t')) value_len--;
    aard__buf_puts(&transfer->got_headers, transfer->got_headers.len ? ",[" : "[");
    put_latin1(&transfer->got_headers, line, name_len);
    aard__buf_putc(&transfer->got_headers, ',');
    put_latin1(&transfer->got_headers, value, value_len);
    aard__buf_putc(&transfer->got_headers, ']');
    if (aard__is_word(line, name_len, "Content-Length")) return take_length(transfer, value, value_len);
    if (aard__is_word(line, name_len, "Content-Encoding")) return may_decode(transfer, true, value, value_len);
    if (aard__is_word(line, name_len, "Transfer-Encoding")) return take_transfer_encoding(transfer, value, value_len);
    if (!aard__is_word(line, name_len, "Location") || transfer->has_location) return true;
    transfer->has_location = true;
    aard__buf_append(&transfer->location, value, value_len);
    return true;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    aard__transfer *transfer = user;
    size_t len = size * count, kept = len;
    const char *over = is_over(transfer);
    if (over) return end_with(transfer, over);
    transfer->got_header_bytes += len;
    if (transfer->got_header_bytes > transfer->net->policy->limits.header_bytes)
        return end_with(transfer, "headers_too_large");
    while (kept && (data[kept - 1] == '\r' || data[kept - 1] == '\n')) kept--;
    bool complete = !kept && transfer->status >= 200 && !aard__transfer_is_redirect(transfer);
    if (complete && transfer->streams) aard__transfer_put_head(transfer);
    if (transfer->body_began || !kept) return len; /* trailers are nobody's */
    bool is_status = kept > 5 && !memcmp(data, "HTTP/", 5);
    if (is_status ? !take_status(transfer, data, kept) : !take_header(transfer, data, kept))
        return end_with(transfer, "bad_response");
    bool failed = transfer->got_headers.failed || transfer->location.failed || transfer->status_text.failed;
    return failed ? end_with(transfer, "out_of_memory") : len;
}

static _Atomic(aard__connect_hook) hook;

void aard__curl_transfer_set_hook(aard__connect_hook reroute) { atomic_store(&hook, reroute); }

/* The last word on an address, whoever resolved it: no connection is made but through here. */
static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    aard__transfer *transfer = user;
    aard__address address;
    if (purpose != CURLSOCKTYPE_IPCXN || !aard__address_of(&to->addr, &address) ||
        aard__network_address_refusal(transfer->net->policy, &address)) {
        transfer->refusal = "private_address";
        return CURL_SOCKET_BAD;
    }
    aard__connect_hook reroute = atomic_load(&hook);
    if (reroute) reroute(&to->addr);
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* ---- handing it over ---------------------------------------------------------------------------------------------- */

/* Appends to a list of libcurl's, behind its last item `end`: libcurl would look for that from the list's start each time.
 * False when memory is out. */
static bool append(const aard__curl *curl, struct curl_slist **list, struct curl_slist **end, aard__buf *text)
{
    aard__buf_putc(text, '\0');
    struct curl_slist *grown = text->failed ? NULL : curl->slist_append(*end, text->data);
    aard__buf_free(text);
    if (!grown) return false;
    if (!*list) *list = grown;
    *end = *end ? (*end)->next : grown;
    return true;
}

static bool make_headers(aard__transfer *transfer, const aard__curl *curl)
{
    static const char *const without[] = {"Expect:", "Content-Type:"};
    struct curl_slist *end = NULL;
    bool fits = true, typed = false;
    for (size_t i = 0; i < transfer->header_count && fits; i++) {
        aard__buf line = AARD__BUF_INIT;
        const aard__header *header = &transfer->headers[i];
        typed = typed || !strcasecmp(header->name, "Content-Type");
        aard__buf_printf(&line, header->value[0] ? "%s: %s" : "%s;", header->name, header->value);
        fits = append(curl, &transfer->sent_headers, &end, &line);
    }
    for (int i = 0; i < (typed ? 1 : 2) && fits; i++) {
        aard__buf line = AARD__BUF_INIT;
        aard__buf_puts(&line, without[i]);
        fits = append(curl, &transfer->sent_headers, &end, &line);
    }
    return fits;
}

/* "+": for a while, which is enough; without it a name that begins with "-" would be taken for one to be forgotten. */
static bool pin(aard__transfer *transfer, const aard__curl *curl, const aard__socket_address *addresses, size_t count)
{
    struct curl_slist *end = NULL;
    aard__buf line = AARD__BUF_INIT;
    aard__buf_printf(&line, "+%s:%u:", transfer->url.host, transfer->url.port);
    for (size_t i = 0; i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        bool v6 = addresses[i].any.sa_family == AF_INET6;
        const void *from = v6 ? (const void *)&addresses[i].v6.sin6_addr : (const void *)&addresses[i].v4.sin_addr;
        if (!inet_ntop(addresses[i].any.sa_family, from, text, sizeof text)) continue;
        aard__buf_printf(&line, v6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
    }
    return append(curl, &transfer->pinned, &end, &line);
}

static void set_method(const aard__transfer *transfer, const aard__curl *curl, CURL *easy)
{
    const char *method = transfer->method;
    bool bodied = transfer->has_body || !strcmp(method, "POST") || !strcmp(method, "PUT") || !strcmp(method, "PATCH");
    if (bodied) {
        curl->easy_setopt(easy, CURLOPT_POST, 1L);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.len);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body.data ? transfer->body.data : "");
    } else if (!strcmp(method, "HEAD")) {
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* A certificate says in its list of names for which it is; a common name alone is no such list.  libcurl would take it where
 * there is none: before it does, OpenSSL compares the names, by the rules of today. */
static CURLcode on_tls(CURL *easy, void *context, void *user)
{
    (void)easy;
    const aard__transfer *transfer = user;
    return aard__curl_check_names(context, transfer->url.host, transfer->url.kind != AARD__HOST_NAME)
               ? CURLE_OK
               : CURLE_SSL_CERTPROBLEM;
}

static void set_options(aard__transfer *transfer, const aard__curl *curl, CURL *easy)
{
    const aard__network_policy *policy = transfer->net->policy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(easy, CURLOPT_PROXY, ""); /* nor one of the environment */
    curl->easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl->easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (aard__curl_has_openssl()) {
        curl->easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
        curl->easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
    }
    if (policy->ca_file) {
        curl->easy_setopt(easy, CURLOPT_CAINFO, policy->ca_file);
        curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (!transfer->asks_for_range) curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "aardvark/" AARD_VERSION_STRING);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->sent_headers);
    curl->easy_setopt(easy, CURLOPT_RESOLVE, transfer->pinned);
    curl->easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    set_method(transfer, curl, easy);
}

static void forget_hop(aard__transfer *transfer)
{
    transfer->refusal = NULL;
    transfer->error[0] = '\0';
    transfer->got_header_bytes = transfer->discarded = 0;
    transfer->status = transfer->encodings = 0;
    transfer->has_location = transfer->has_length = transfer->has_transfer_encoding = transfer->body_began = false;
    aard__buf_clear(&transfer->got_headers);
    aard__buf_clear(&transfer->location);
    aard__buf_clear(&transfer->status_text);
}

const char *aard__curl_transfer_start(aard__transfer *transfer, const aard__socket_address *addresses, size_t count)
{
    const aard__curl *curl = transfer->net->curl;
    aard__buf url = AARD__BUF_INIT;
    forget_hop(transfer);
    aard__url_put(&transfer->url, &url);
    aard__buf_putc(&url, '\0');
    transfer->easy = curl->easy_init();
    bool fits = transfer->easy && !url.failed && make_headers(transfer, curl) &&
                (!count || pin(transfer, curl, addresses, count)) &&
                !curl->easy_setopt(transfer->easy, CURLOPT_URL, url.data);
    aard__buf_free(&url);
    if (fits) {
        set_options(transfer, curl, transfer->easy);
        fits = !curl->multi_add_handle(transfer->net->multi, transfer->easy);
    }
    if (!fits) aard__curl_transfer_end(transfer);
    return fits ? NULL : "out_of_memory";
}

const char *aard__curl_transfer_failure(const aard__transfer *transfer, CURLcode code)
{
    if (transfer->refusal) return transfer->refusal;
    if (code == CURLE_WRITE_ERROR && transfer->discarded > MOST_DISCARDED) return NULL;
    switch ((int)code) {
    case CURLE_OK: return NULL;
    case CURLE_OUT_OF_MEMORY: /* of a line of a header too, which libcurl gathers in 100 KB at most */
        return transfer->status && !transfer->body_began ? "headers_too_large" : "out_of_memory";
    case 100: return "headers_too_large"; /* CURLE_TOO_LARGE, which libcurl 8.6 added for these */
    case CURLE_OPERATION_TIMEDOUT: return "timed_out";
    case CURLE_COULDNT_RESOLVE_HOST: return "name_not_found";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED: return "tls_failed";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR: return "bad_response";
    default: return "connection_failed";
    }
}

void aard__curl_transfer_sizes(const aard__transfer *transfer, uint64_t *sent, uint64_t *received)
{
    curl_off_t up = 0, down = 0;
    *sent = *received = 0;
    if (!transfer->easy) return;
    transfer->net->curl->easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    transfer->net->curl->easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    *sent = up > 0 ? (uint64_t)up : 0;
    *received = down > 0 ? (uint64_t)down : 0;
}

void aard__curl_transfer_end(aard__transfer *transfer)
{
    const aard__curl *curl = transfer->net->curl;
    if (transfer->easy) {
        curl->multi_remove_handle(transfer->net->multi, transfer->easy);
        curl->easy_cleanup(transfer->easy);
        transfer->easy = NULL;
    }
    if (transfer->sent_headers) curl->slist_free_all(transfer->sent_headers);
    if (transfer->pinned) curl->slist_free_all(transfer->pinned);
    transfer->sent_headers = transfer->pinned = NULL;
}

AARD__PROCESS_KEEPS(connect_hook, "the tests' way to another address", "hook");
