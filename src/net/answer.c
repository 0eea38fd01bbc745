/* How a request ends: its line in the ledger and the answer for the guest. */
#include <string.h>

#include "net/transfer.h"

/* What a word means, for the guest's developer. */
static const char *meaning(const char *reason)
{
    static const struct {
        const char *reason, *text;
    } meanings[] = {
        {"no_allowlist",
         "no hosts are allowed: neither the bundle's manifest nor the host lists any, or one of them lists none"},
        {"host_not_allowed", "the host is not on the list of allowed hosts"},
        {"port_not_allowed", "the port is not allowed for this host"},
        {"scheme_not_allowed", "only https may be used, or http where that is allowed too"},
        {"private_address", "the address is not one of the public Internet"},
        {"redirect_not_allowed", "the redirect leads to where requests are not allowed"},
        {"redirect_not_wanted", "the answer is a redirect, and the request says that this is an error"},
        {"credentials_in_url", "the URL holds a user name or password; send a header instead"},
        {"malformed_url", "this is not an absolute URL that can be requested"},
        {"malformed_request", "the method or a header is malformed"},
        {"method_not_allowed", "the method is not allowed"},
        {"header_not_allowed", "a header is not the guest's to set"},
        {"headers_too_large", "the headers are larger than the limit"},
        {"request_too_large", "the request's body is larger than the limit"},
        {"requests_too_large", "the bodies of the requests under way are together larger than the limit"},
        {"response_too_large", "the response's body is larger than the limit"},
        {"responses_too_large", "the unread responses are larger than the limit"},
        {"too_many_requests", "the call has made as many requests as it may"},
        {"too_many_redirects", "there are more redirects than the limit"},
        {"name_not_found", "the host's name has no address"},
        {"timed_out", "there was no answer in time"},
        {"tls_failed", "the server could not prove who it is, or no encrypted connection came about"},
        {"connection_failed", "the connection could not be made, or it broke"},
        {"bad_response", "the server's answer is malformed"},
        {"no_transport", "the host can't make requests"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (!strcmp(meanings[i].reason, reason)) return meanings[i].text;
    return reason;
}

bool aard__reason_is_violation(const char *reason)
{
    static const char *const policy[] = {
        "no_allowlist",         "host_not_allowed",   "port_not_allowed",  "scheme_not_allowed", "private_address",
        "redirect_not_allowed", "credentials_in_url", "malformed_url",     "malformed_request",  "method_not_allowed",
        "header_not_allowed",   "headers_too_large",  "request_too_large", "requests_too_large", "response_too_large",
        "responses_too_large",  "too_many_requests",  "too_many_redirects"};
    for (size_t i = 0; i < sizeof policy / sizeof *policy; i++)
        if (!strcmp(policy[i], reason)) return true;
    return false;
}

void aard__transfer_record(aard__transfer *transfer, const char *url, const char *reason, bool allowed)
{
    aard_network_attempt attempt = {.allowed = allowed,
                                    .method = transfer->method ? transfer->method : "",
                                    .url = url,
                                    .reason = reason ? reason : "",
                                    .status = transfer->status,
                                    .count = 1};
    aard__curl_transfer_sizes(transfer, &attempt.sent_bytes, &attempt.received_bytes);
    aard__ledger_attempt(transfer->net->ledger, &attempt);
    if (reason && aard__reason_is_violation(reason))
        aard__ledger_violation(transfer->net->ledger, AARD_VIOLATION_NETWORK_DENIED, reason, url, strlen(url));
}

void aard__transfer_record_url(aard__transfer *transfer, const char *reason, bool allowed)
{
    aard__buf url = AARD__BUF_INIT;
    if (transfer->url.target) aard__url_put(&transfer->url, &url);
    aard__buf_putc(&url, '\0');
    aard__transfer_record(transfer, url.failed ? "" : url.data, reason, allowed);
    aard__buf_free(&url);
}

void aard__transfer_settle(aard__transfer *transfer)
{
    aard__curl_transfer_end(transfer);
    aard__lookup_drop(transfer->lookup);
    transfer->lookup = NULL;
    aard__transfer_forget(transfer);
    transfer->phase = AARD__ANSWERED;
}

void aard__transfer_fail(aard__transfer *transfer, const char *reason)
{
    aard__buf *head = &transfer->reply.head, message = AARD__BUF_INIT;
    transfer->failed = true;
    aard__transfer_settle(transfer);
    aard__trace_end(&transfer->span, reason);
    transfer->net->held -= transfer->reply.body.len;
    aard__buf_free(&transfer->reply.body);
    if (transfer->url.target) {
        aard__url_put_origin(&transfer->url, &message);
        aard__buf_puts(&message, ": ");
    }
    aard__buf_puts(&message, meaning(reason));
    if (!strcmp(reason, "tls_failed") && transfer->error[0]) aard__buf_printf(&message, " (%s)", transfer->error);
    aard__buf_clear(head);
    aard__buf_printf(head, "{\"reason\":\"%s\",\"message\":", reason);
    aard__buf_json_string(head, message.data ? message.data : "", message.len);
    aard__buf_putc(head, '}');
    aard__buf_free(&message);
}

void aard__transfer_answer(aard__transfer *transfer)
{
    char status[16];
    snprintf(status, sizeof status, "%u", transfer->status);
    aard__transfer_put_head(transfer);
    aard__transfer_settle(transfer);
    aard__trace_end(&transfer->span, status);
}

void aard__transfer_refuse(aard__transfer *transfer, const char *reason, bool allowed)
{
    aard__transfer_record_url(transfer, reason, allowed);
    aard__transfer_fail(transfer, reason);
}
