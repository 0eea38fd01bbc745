/* The head of an answer, as guests get it. */
#include <strings.h>

#include "net/transfer.h"

static bool names_encoding(const aard__buf *headers)
{
    static const char name[] = "[\"content-encoding\",";
    for (size_t i = 0; headers->data && i + sizeof name - 1 <= headers->len; i++)
        if (!strncasecmp(headers->data + i, name, sizeof name - 1)) return true;
    return false;
}

void aard__transfer_put_head(aard__transfer *transfer)
{
    aard__buf *head = &transfer->reply.head, url = AARD__BUF_INIT;
    bool has_body = transfer->body_began || transfer->streams;
    bool decoded = !transfer->asks_for_range && has_body && names_encoding(&transfer->got_headers);
    if (head->len) return;
    aard__url_put(&transfer->url, &url);
    aard__buf_printf(head, "{\"status\":%u,\"statusText\":", transfer->status);
    aard__buf_json_string(head, transfer->status_text.data ? transfer->status_text.data : "",
                          transfer->status_text.len);
    aard__buf_puts(head, ",\"url\":");
    aard__buf_json_string(head, url.data ? url.data : "", url.len);
    aard__buf_printf(head, ",\"redirected\":%s,\"decoded\":%s,\"headers\":[", transfer->hops ? "true" : "false",
                     decoded ? "true" : "false");
    aard__buf_append(head, transfer->got_headers.data, transfer->got_headers.len);
    aard__buf_puts(head, "]}");
    aard__buf_free(&url);
}
