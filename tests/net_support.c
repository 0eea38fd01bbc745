#include "net_support.h"

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "isolate_support.h"
#include "net/lookup.h"
#include "net/transfer.h"
#include "policy/address.h"

server net_http, net_https;

static char ca_path[256];
static SSL_CTX *tls;
static int listeners[2];
static atomic_bool over;
static atomic_int open_connections;
static _Thread_local bool serving;
static aard__buf bomb, small_gzip, twice_gzip;

static void must(bool fine, const char *what)
{
    if (fine) return;
    perror(what);
    abort();
}

/* ---- names and addresses ------------------------------------------------------------------------------------------ */

typedef struct name {
    char name[128], answers[256];
} name;

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static name names[64];
static int name_count;
static atomic_int lookups, held_lookups, private_connections;
static atomic_bool hold_lookups, release_lookups;

void net_name(const char *text, const char *answers)
{
    pthread_mutex_lock(&names_lock);
    must(name_count < 64, "names");
    snprintf(names[name_count].name, sizeof names[0].name, "%s", text);
    snprintf(names[name_count++].answers, sizeof names[0].answers, "%s", answers);
    pthread_mutex_unlock(&names_lock);
}

void net_forget_names(void)
{
    pthread_mutex_lock(&names_lock);
    name_count = 0;
    lookups = 0;
    pthread_mutex_unlock(&names_lock);
    server *const servers[] = {&net_http, &net_https};
    for (int i = 0; i < 2; i++) {
        atomic_store(&servers[i]->connections, 0);
        atomic_store(&servers[i]->requests, 0);
        atomic_store(&servers[i]->secrets, 0);
        atomic_store(&servers[i]->meeting, 0);
    }
    private_connections = 0;
}

int net_lookups(void) { return lookups; }
int net_private_connections(void) { return private_connections; }

void net_hold_lookups(bool hold)
{
    release_lookups = false;
    hold_lookups = hold;
}

void net_release_lookups(void)
{
    hold_lookups = false;
    release_lookups = true;
    while (held_lookups) usleep(1000);
}

static void hold_lookup(void)
{
    if (!hold_lookups) return;
    held_lookups++;
    while (!release_lookups) usleep(1000);
    held_lookups--;
}

static int put_addresses(char *answers, aard__socket_address *out)
{
    int count = 0;
    char *rest = answers;
    for (char *item; (item = strtok_r(rest, ",", &rest)) && count < AARD__LOOKUP_ADDRESSES;) {
        aard__socket_address address = {.v4 = {.sin_family = AF_INET}};
        if (inet_pton(AF_INET, item, &address.v4.sin_addr) != 1) {
            address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
            must(inet_pton(AF_INET6, item, &address.v6.sin6_addr) == 1, item);
        }
        out[count++] = address;
    }
    return count;
}

static bool is_public_name(const char *text)
{
    size_t len = strlen(text);
    return !strcmp(text, "public.test") || !strcmp(text, "a.test") || !strcmp(text, "b.test") ||
           (len > 12 && !strcmp(text + len - 12, ".public.test"));
}

static int answer_name(const char *text, aard__socket_address addresses[AARD__LOOKUP_ADDRESSES])
{
    char answers[256] = "";
    pthread_mutex_lock(&names_lock);
    lookups++;
    if (is_public_name(text)) strcpy(answers, PUBLIC);
    for (int i = 0; i < name_count; i++) {
        if (strcmp(names[i].name, text)) continue;
        char *bar = strchr(names[i].answers, '|');
        snprintf(answers, sizeof answers, "%.*s", bar ? (int)(bar - names[i].answers) : 255, names[i].answers);
        if (bar) memmove(names[i].answers, bar + 1, strlen(bar + 1) + 1);
    }
    pthread_mutex_unlock(&names_lock);
    hold_lookup();
    return put_addresses(answers, addresses);
}

/* What is public leads to loopback; to what is not, no test may get this far but those that allow it. */
static void reroute(struct sockaddr *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)address;
    aard__address plain;
    aard__address_of(address, &plain);
    if (aard__address_special(&plain))
        private_connections++;
    else if (address->sa_family == AF_INET)
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

typedef struct connection {
    server *server;
    int fd;
    SSL *ssl;
    char in[256 * 1024];
    size_t len;
} connection;

static bool put(connection *c, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        int n = c->ssl ? SSL_write(c->ssl, at, len > 65536 ? 65536 : (int)len)
                       : (int)send(c->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool put_text(connection *c, const char *text) { return put(c, text, strlen(text)); }

static bool get_more(connection *c)
{
    if (c->len == sizeof c->in - 1) return false;
    int room = (int)(sizeof c->in - 1 - c->len);
    int n = c->ssl ? SSL_read(c->ssl, c->in + c->len, room) : (int)recv(c->fd, c->in + c->len, (size_t)room, 0);
    if (n <= 0) return false;
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    return true;
}

static bool answer(connection *c, int status, const char *headers, const void *body, size_t len)
{
    char head[1024];
    snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n", status, len, headers);
    return put_text(c, head) && put(c, body, len);
}

static bool answer_text(connection *c, int status, const char *headers, const char *text)
{
    return answer(c, status, headers, text, strlen(text));
}

static long number_in(const char *target, const char *key)
{
    const char *at = strstr(target, key);
    return at ? atol(at + strlen(key)) : 0;
}

/* Appends what stands behind `key`, percent-decoded, and a line's end. */
static void put_decoded(char headers[900], const char *target, const char *key)
{
    size_t len = strlen(headers);
    const char *at = strstr(target, key);
    for (at = at ? at + strlen(key) : ""; *at && len < 900 - 8; at++) {
        unsigned byte = (unsigned char)*at;
        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) at += 2;
        headers[len++] = (char)byte;
    }
    strcpy(headers + len, "\r\n");
}

static bool redirect(connection *c, const char *target)
{
    char headers[900] = "Location: ";
    put_decoded(headers, target, "url=");
    return answer_text(c, (int)number_in(target, "code="), headers, "elsewhere");
}

static bool with_headers(connection *c, const char *target)
{
    char headers[900] = "";
    put_decoded(headers, target, "h=");
    const aard__buf *body = number_in(target, "n=") == 2 ? &twice_gzip : &small_gzip;
    return answer(c, 200, headers, body->data, body->len);
}

static char block[65536]; /* of "x" */

static bool many(connection *c, long count, bool chunked)
{
    char head[100];
    if (chunked)
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    else
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", count);
    bool fine = put_text(c, head);
    for (long left = count; left > 0 && fine; left -= (long)sizeof block)
        fine = put(c, block, left < (long)sizeof block ? (size_t)left : sizeof block);
    return fine && !chunked;
}

static bool wide_header(connection *c, long count)
{
    bool fine = put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
    for (long i = 0; i < count && fine; i += 1000) {
        char line[1100];
        snprintf(line, sizeof line, "X-Wide-%ld: %0990d\r\n", i, 0);
        fine = put_text(c, line);
    }
    return fine && put_text(c, "\r\nok");
}

static bool wide_line(connection *c, long count)
{
    bool fine = put_text(c, "HTTP/1.1 200 OK\r\nX: ");
    for (long left = count; left > 0 && fine; left -= (long)sizeof block)
        fine = put(c, block, left < (long)sizeof block ? (size_t)left : sizeof block);
    return fine && put_text(c, "\r\nContent-Length: 2\r\n\r\nok");
}

static bool drip(connection *c)
{
    bool fine = put_text(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (fine && !over) {
        usleep(10000);
        fine = put_text(c, "x");
    }
    return false;
}

static bool endless(connection *c, const char *first, const char *more)
{
    bool fine = put_text(c, first);
    while (fine && !over) fine = put_text(c, more);
    return false;
}

static bool wait_ms(connection *c, long ms)
{
    for (long i = 0; i < ms && !over; i += 10) usleep(10000);
    return answer_text(c, 200, "", "waited");
}

static bool meet(connection *c, long count)
{
    c->server->meeting++;
    for (long i = 0; i < 30000 && c->server->meeting < count && !over; i++) usleep(1000);
    return answer_text(c, 200, "", c->server->meeting < count ? "alone" : "met");
}

static bool echo(connection *c, const char *method, const char *target, char *headers, const char *body, size_t len)
{
    aard__buf json = AARD__BUF_INIT;
    aard__buf_puts(&json, "{\"method\":");
    aard__buf_json_string(&json, method, strlen(method));
    aard__buf_puts(&json, ",\"target\":");
    aard__buf_json_string(&json, target, strlen(target));
    aard__buf_puts(&json, ",\"headers\":{");
    char *rest = headers;
    const char *comma = "";
    for (char *line; (line = strtok_r(rest, "\r\n", &rest)); comma = ",") {
        char *colon = strchr(line, ':');
        if (!colon) continue;
        for (char *p = line; p < colon; p++) *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
        aard__buf_puts(&json, comma);
        aard__buf_json_string(&json, line, (size_t)(colon - line));
        aard__buf_putc(&json, ':');
        aard__buf_json_string(&json, colon + 2, strlen(colon + 2));
    }
    aard__buf_puts(&json, "},\"body\":");
    aard__buf_json_string(&json, body, len);
    aard__buf_putc(&json, '}');
    bool fine = answer(c, 200, "Content-Type: application/json\r\n", json.data, json.len);
    aard__buf_free(&json);
    return fine;
}

/* False where the connection ends. */
static bool serve(connection *c, const char *method, const char *target, char *headers, const char *body, size_t len)
{
    if (strstr(target, "/secret") && strncmp(target, "/to?", 4)) {
        c->server->secrets++;
        return answer_text(c, 200, "", "THROUGH");
    }
    if (!strcmp(method, "HEAD")) return put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Head: yes\r\n\r\n");
    if (!strcmp(target, "/hello")) return answer_text(c, 200, "X-One: 1\r\nX-Two: 2\r\n", "hello");
    if (!strncmp(target, "/echo", 5)) return echo(c, method, target, headers, body, len);
    if (!strncmp(target, "/status/", 8)) {
        int status = atoi(target + 8);
        return answer_text(c, status, "", status == 204 || status == 304 ? "" : "status");
    }
    if (!strncmp(target, "/to?", 4)) return redirect(c, target);
    if (!strncmp(target, "/bytes?", 7)) return many(c, number_in(target, "n="), false);
    if (!strncmp(target, "/chunks?", 8)) return many(c, number_in(target, "n="), true);
    if (!strncmp(target, "/header?", 8)) return wide_header(c, number_in(target, "n="));
    if (!strcmp(target, "/gzip")) return answer(c, 200, "Content-Encoding: gzip\r\n", small_gzip.data, small_gzip.len);
    if (!strncmp(target, "/with?", 6)) return with_headers(c, target);
    if (!strcmp(target, "/bomb")) return answer(c, 200, "Content-Encoding: gzip\r\n", bomb.data, bomb.len);
    if (!strncmp(target, "/wait?", 6)) return wait_ms(c, number_in(target, "ms="));
    if (!strncmp(target, "/meet?", 6)) return meet(c, number_in(target, "n="));
    if (!strncmp(target, "/line?", 6)) return wide_line(c, number_in(target, "n="));
    if (!strcmp(target, "/drip")) return drip(c);
    if (!strcmp(target, "/hints")) return endless(c, "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    if (!strcmp(target, "/trailers"))
        return endless(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X: yyyyyyyyyy\r\n");
    if (!strcmp(target, "/close")) return false;
    if (!strcmp(target, "/garbage")) return put_text(c, "this is no HTTP at all\r\n\r\n") && false;
    if (!strncmp(target, "/raw?", 5)) {
        char text[900] = "";
        put_decoded(text, target, "r=");
        return put_text(c, text) && false;
    }
    if (!strcmp(target, "/loop")) return answer_text(c, 302, "Location: /loop\r\n", "");
    if (!strcmp(target, "/cookies")) {
        char *cookie = strcasestr(headers, "\r\ncookie:"), none[] = "none";
        return answer_text(c, 200, "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n",
                           cookie ? strtok(cookie + 2, "\r\n") : none);
    }
    return answer_text(c, 404, "", "there is nothing here");
}

static bool one_request(connection *c)
{
    char *end, method[32] = "", target[4096] = "";
    while (!(end = c->len ? strstr(c->in, "\r\n\r\n") : NULL))
        if (!get_more(c) || c->in[0] == 0x16) return false; /* TLS, where there is none */
    size_t head = (size_t)(end - c->in) + 4;
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t body = length && length < end ? (size_t)atol(length + 17) : 0;
    while (c->len < head + body)
        if (!get_more(c)) return false;
    c->server->requests++;
    sscanf(c->in, "%31s %4095s", method, target);
    char *headers = strdup(strstr(c->in, "\r\n"));
    headers[c->in + head - strstr(c->in, "\r\n")] = '\0';
    bool goes_on = serve(c, method, target, headers, c->in + head, body);
    free(headers);
    memmove(c->in, c->in + head + body, c->len - head - body + 1);
    c->len -= head + body;
    return goes_on;
}

static void *run_connection(void *argument)
{
    connection *c = argument;
    serving = true;
    if (c->server == &net_https) {
        c->ssl = SSL_new(tls);
        SSL_set_fd(c->ssl, c->fd);
    }
    if (!c->ssl || SSL_accept(c->ssl) == 1)
        while (one_request(c)) continue;
    if (c->ssl) SSL_free(c->ssl);
    close(c->fd);
    free(c);
    open_connections--;
    return NULL;
}

static void *run_listener(void *argument)
{
    server *s = argument;
    int fd = listeners[s == &net_https];
    serving = true;
    while (!over) {
        struct pollfd event = {.fd = fd, .events = POLLIN};
        if (poll(&event, 1, 20) != 1) continue;
        connection *c = calloc(1, sizeof *c);
        pthread_t thread;
        c->server = s;
        if ((c->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) < 0) {
            free(c);
            continue;
        }
        struct timeval most = {20, 0};
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* answers are written in pieces */
        s->connections++;
        open_connections++;
        must(!pthread_create(&thread, NULL, run_connection, c), "thread");
        pthread_detach(thread);
    }
    close(fd);
    return NULL;
}

static void start_server(server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof address;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 64) &&
             !getsockname(fd, (struct sockaddr *)&address, &len),
         "listen");
    listeners[s == &net_https] = fd;
    s->port = ntohs(address.sin_port);
    must(!pthread_create(&thread, NULL, run_listener, s), "thread");
    pthread_detach(thread);
}

/* ---- certificates and archives ------------------------------------------------------------------------------------ */

static void add_extension(X509 *certificate, X509 *issuer, int which, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    must(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

/* `alternatives` are the names that it is for; NULL = it has none but its common name. */
static X509 *make_certificate(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *common_name,
                              const char *alternatives, long serial)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    add_extension(certificate, issuer ? issuer : certificate, NID_basic_constraints,
                  issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (alternatives) add_extension(certificate, issuer, NID_subject_alt_name, alternatives);
    must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "sign");
    return certificate;
}

static SSL_CTX *tls_nameless, *tls_mail;

static int choose_certificate(SSL *ssl, int *alert, void *user)
{
    (void)alert;
    (void)user;
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (asked && !strcmp(asked, "nameless.test")) SSL_set_SSL_CTX(ssl, tls_nameless);
    if (asked && !strcmp(asked, "mail.test")) SSL_set_SSL_CTX(ssl, tls_mail);
    return SSL_TLSEXT_ERR_OK;
}

static void make_certificates(void)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = make_certificate(ca_key, NULL, ca_key, "Aardvark's tests", NULL, 1);
    X509 *own = make_certificate(key, ca, ca_key, "public.test",
                                 "DNS:public.test,DNS:*.public.test,DNS:a.test,DNS:b.test", 2);
    X509 *nameless = make_certificate(key, ca, ca_key, "nameless.test", NULL, 3);
    X509 *mail = make_certificate(key, ca, ca_key, "mail.test", "email:a@mail.test", 4);
    const char *temp = getenv("TMPDIR");
    snprintf(ca_path, sizeof ca_path, "%s/aardvark-ca-XXXXXX", temp && *temp ? temp : "/tmp");
    int fd = mkstemp(ca_path);
    must(fd >= 0, "mkstemp");
    FILE *file = fdopen(fd, "w");
    must(PEM_write_X509(file, ca) == 1 && !fclose(file), "ca");
    tls = SSL_CTX_new(TLS_server_method());
    must(SSL_CTX_use_certificate(tls, own) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1, "tls");
    tls_nameless = SSL_CTX_new(TLS_server_method());
    must(SSL_CTX_use_certificate(tls_nameless, nameless) == 1 && SSL_CTX_use_PrivateKey(tls_nameless, key) == 1, "tls");
    tls_mail = SSL_CTX_new(TLS_server_method());
    must(SSL_CTX_use_certificate(tls_mail, mail) == 1 && SSL_CTX_use_PrivateKey(tls_mail, key) == 1, "tls");
    SSL_CTX_set_tlsext_servername_callback(tls, choose_certificate);
    X509_free(nameless);
    X509_free(mail);
    X509_free(ca);
    X509_free(own);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

const char *net_ca_file(void) { return ca_path; }

static la_ssize_t take(struct archive *archive, void *user, const void *data, size_t len)
{
    (void)archive;
    aard__buf_append(user, data, len);
    return (la_ssize_t)len;
}

static void gzip(const char *text, size_t len, size_t times, aard__buf *out)
{
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_add_filter_gzip(archive);
    archive_write_set_format_raw(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_open(archive, out, NULL, take, NULL);
    archive_write_header(archive, entry);
    for (size_t i = 0; i < times; i++) archive_write_data(archive, text, len);
    archive_entry_free(entry);
    archive_write_free(archive);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

void net_start(void)
{
    static const char zeros[65536];
    signal(SIGPIPE, SIG_IGN); /* of the servers; OpenSSL has no way around it */
    memset(block, 'x', sizeof block);
    make_certificates();
    gzip("hello", 5, 1, &small_gzip);
    gzip(small_gzip.data, small_gzip.len, 1, &twice_gzip);
    gzip(zeros, sizeof zeros, 1024, &bomb);
    start_server(&net_http);
    start_server(&net_https);
    aard__lookup_set_hook(answer_name);
    aard__curl_transfer_set_hook(reroute);
}

bool net_is_server(void) { return serving; }

void net_wait_for_quiet(void)
{
    for (int i = 0; i < 10000 && open_connections; i++) usleep(1000);
}

void net_stop(void)
{
    over = true;
    net_wait_for_quiet();
    usleep(50000);
    unlink(ca_path);
    SSL_CTX_free(tls);
    SSL_CTX_free(tls_nameless);
    SSL_CTX_free(tls_mail);
    aard__buf_free(&bomb);
    aard__buf_free(&small_gzip);
    aard__buf_free(&twice_gzip);
    aard__lookup_set_hook(NULL);
    aard__curl_transfer_set_hook(NULL);
}

/* ---- guests --------------------------------------------------------------------------------------------------------- */

const char *net_text(const char *text)
{
    static char out[8192];
    size_t len = 0;
    for (const char *c = text; *c && len < sizeof out - 64; c++) {
        char what = c[0] == '$' ? c[1] : '\0';
        const server *to = what == 'S' || what == 'T' ? &net_https : &net_http;
        if (what == 'H' || what == 'S')
            len += (size_t)sprintf(out + len, "%s://public.test:%d", to == &net_https ? "https" : "http", to->port);
        else if (what == 'P' || what == 'T')
            len += (size_t)sprintf(out + len, "%d", to->port);
        else
            out[len++] = *c;
        if (what && strchr("HSPT", what)) c++;
    }
    out[len] = '\0';
    return out;
}

aard_isolate_config *net_config(aard_language language)
{
    aard_isolate_config *config = config_of(language);
    assert_ok(aard_isolate_config_allow_host(config, "public.test"));
    assert_ok(aard_isolate_config_allow_host(config, "a.test"));
    assert_ok(aard_isolate_config_set_ca_file(config, net_ca_file()));
    aard_isolate_config_set_https_only(config, false);
    return config;
}
