/* The input is what a client of a session sends, in pieces; every answer is one line of JSON-RPC, and each request gets one.  The guest
 * is out of the way: the isolate can't be had. */
#include <aardvark/session.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_answer(aard__json value)
{
    aard__json_items items = aard__json_items_of(value);
    aard__json key, member;
    unsigned seen = 0;
    while (aard__json_next(&items, &key, &member)) {
        if (aard__json_is(key, "jsonrpc") && aard__json_is(member, "2.0"))
            seen |= 1;
        else if (aard__json_is(key, "id"))
            seen |= 2;
        else if (aard__json_is(key, "result") || aard__json_is(key, "error"))
            seen += 4;
        else
            abort();
    }
    if (seen != 7) abort();
}

static bool receive(void *user, const char *line, size_t len)
{
    size_t *answers = user;
    aard__json value = aard__json_of(line, len), one;
    if (!len || memchr(line, '\n', len) != line + len - 1 || !aard__json_valid(line, len, NULL)) abort();
    if (aard__json_kind_of(value) == AARD__JSON_ARRAY) {
        aard__json_items items = aard__json_items_of(value);
        while (aard__json_next(&items, NULL, &one)) must_be_answer(one), ++*answers;
    } else {
        must_be_answer(value);
        ++*answers;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    aard_isolate_config *config;
    aard_session *session;
    size_t answers = 0, piece = len ? 1 + data[0] % 64 : 1;
    if (aard_isolate_config_new(&config)) abort();
    aard_isolate_config_set_language(config, AARD_LANGUAGE_JAVASCRIPT);
    aard_isolate_config_set_heap_limit(config, 1); /* no guest starts in that */
    if (aard_session_new(config, NULL, receive, &answers, NULL, &session)) abort();
    aard_isolate_config_free(config);
    for (size_t at = 0; at < len; at += piece)
        aard_session_feed(session, (const char *)data + at, len - at < piece ? len - at : piece);
    aard_session_feed(session, "\n{\"jsonrpc\":\"2.0\",\"id\":\"the last\",\"method\":\"none\"}\n", 52);
    if (!aard_session_wait(session, UINT64_MAX) || !answers) abort();
    aard_session_free(session);
    return 0;
}
