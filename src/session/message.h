/* One message of a client, taken apart; nothing of it is copied. */
#ifndef AARD_SESSION_MESSAGE_H
#define AARD_SESSION_MESSAGE_H

#include "base/json_view.h"

/* Errors of JSON-RPC 2.0. */
enum {
    AARD__RPC_PARSE = -32700,
    AARD__RPC_REQUEST = -32600,
    AARD__RPC_METHOD = -32601,
    AARD__RPC_PARAMS = -32602,
    AARD__RPC_SERVER = -32000
};

enum { AARD__RPC_DEPTH = 1000, AARD__RPC_BATCH = 1000, AARD__RPC_WAITING = 1000 };

typedef enum aard__rpc_kind {
    AARD__RPC_REQUEST_KIND, /* a notification where there is no id */
    AARD__RPC_RESPONSE_KIND,
    AARD__RPC_WRONG_KIND
} aard__rpc_kind;

typedef struct aard__rpc_message {
    aard__rpc_kind kind;
    aard__json id, method, params; /* what is not there is empty */
    aard__json result, error;      /* of a response */
    int code;                      /* of what is wrong: */
    const char *why;
} aard__rpc_message;

/* Of one that is wrong, `id` is its own where it has one. */
aard__rpc_message aard__rpc_read(aard__json value);

/* Whether two ids are the same. */
bool aard__rpc_same_id(aard__json a, aard__json b);

/* A param that a method has. */
typedef struct aard__rpc_param {
    const char *name;
    unsigned kinds; /* bits of aard__json_kind */
    bool required;
} aard__rpc_param;

enum { AARD__RPC_PARAMS_MOST = 8 };

/* The values in the order of `params`, which ends with one that has no name.  False with the reason, which may be text of its own
 * (`why` is appended to). */
bool aard__rpc_read_params(aard__json given, const aard__rpc_param *params, aard__json values[AARD__RPC_PARAMS_MOST],
                           aard__buf *why);

#endif
