/* The functions of the host that guests may call. */
#include "settings/functions.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "settings/config.h"

enum { LONGEST_NAME = 63, MOST_DEPTH = 1000 };

struct aard__function {
    aard__user user;
    char name[LONGEST_NAME + 1]; /* lower case */
    aard_host_function call;
};

struct aard_reply {
    aard__buf text;
    bool failed;
};

static void release(aard__function *function)
{
    if (aard__user_release(&function->user)) aard__free(function);
}

void aard__functions_free(aard__functions *functions)
{
    for (size_t i = 0; i < functions->count; i++) release(functions->list[i]);
    aard__free(functions->list);
    *functions = (aard__functions){0};
}

aard_error *aard__functions_copy(const aard__functions *from, aard__functions *out)
{
    if (!from->count) return NULL;
    aard__function **list = aard__calloc(from->count, sizeof *list);
    if (!list) return aard__error_no_memory();
    for (size_t i = 0; i < from->count; i++) {
        list[i] = from->list[i];
        aard__user_retain(&list[i]->user);
    }
    *out = (aard__functions){list, from->count};
    return NULL;
}

static bool set_name(const char *name, char out[LONGEST_NAME + 1])
{
    size_t len = strlen(name);
    if (!len || len > LONGEST_NAME || !isalpha((unsigned char)*name)) return false;
    for (size_t i = 0; i <= len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c && !isalnum(c) && c != '_') return false;
        out[i] = (char)tolower(c);
    }
    return true;
}

static aard_error *add(aard__functions *functions, aard__function *made)
{
    for (size_t i = 0; i < functions->count; i++) {
        if (strcmp(functions->list[i]->name, made->name) != 0) continue;
        release(functions->list[i]);
        functions->list[i] = made;
        return NULL;
    }
    aard__function **list = aard__realloc(functions->list, (functions->count + 1) * sizeof *list);
    if (!list) return aard__error_no_memory();
    functions->list = list;
    list[functions->count++] = made;
    return NULL;
}

aard_error *aard_isolate_config_add_function(aard_isolate_config *config, const char *name, aard_host_function function,
                                             void *user, aard_finalizer finalizer)
{
    aard_error *error = NULL;
    aard__function *made = aard__calloc(1, sizeof *made);
    if (!made)
        error = aard__error_no_memory();
    else if (!config || !name)
        error = aard__error_argument(__func__, "neither 'config' nor 'name' may be NULL");
    else if (!function || !set_name(name, made->name))
        error = aard__error(
            AARD_ERR_INVALID_ARGUMENT,
            "'%s' is not a valid name of a host function; give a letter and up to %d letters, digits and "
            "underscores, and a function",
            name, LONGEST_NAME - 1);
    else
        error = add(&config->hooks.functions, made);
    if (error) {
        aard__free(made);
        if (finalizer) finalizer(user);
        return error;
    }
    aard__user_init(&made->user, user, finalizer);
    made->call = function;
    return NULL;
}

bool aard__function_name_valid(const char *name)
{
    char lower[LONGEST_NAME + 1];
    return set_name(name, lower) && !strcmp(name, lower);
}

const char *aard__function_name(const aard__function *function) { return function->name; }

void aard_reply_set_json(aard_reply *reply, const char *json, size_t len)
{
    if (!reply) return;
    aard__buf_clear(&reply->text);
    aard__buf_append(&reply->text, json, json ? len : 0);
    reply->failed = false;
}

void aard_reply_fail(aard_reply *reply, const char *message)
{
    if (!reply) return;
    aard_reply_set_json(reply, message, message ? strlen(message) : 0);
    reply->failed = true;
}

bool aard__functions_call(const aard__functions *functions, const aard_call_context *context, const char *name,
                          const char *input, size_t len, aard__buf *answer)
{
    aard_reply reply = {AARD__BUF_INIT, false};
    size_t i = 0;
    while (i < functions->count && strcmp(functions->list[i]->name, name) != 0) i++;
    if (i == functions->count) return false;
    bool deep;
    if (!aard__json_valid_to(input, len, MOST_DEPTH, &deep, NULL)) { /* whoever wrote it: the host is promised JSON */
        aard__buf_printf(answer, deep ? "!the input is nested to more than %d levels" : "!the input is not JSON",
                         MOST_DEPTH);
        return true;
    }
    functions->list[i]->call(context, functions->list[i]->user.pointer, input, len, &reply);
    if (reply.text.failed) {
        aard__buf_puts(answer, "!out of memory");
    } else if (reply.failed) {
        aard__buf_putc(answer, '!');
        aard__buf_append(answer, reply.text.data, reply.text.len);
    } else if (!reply.text.len) {
        aard__buf_puts(answer, "=null");
    } else if (aard__json_valid(reply.text.data, reply.text.len, NULL)) {
        aard__buf_putc(answer, '=');
        aard__buf_append(answer, reply.text.data, reply.text.len);
    } else {
        aard__buf_printf(answer, "!the host's reply is not JSON");
    }
    aard__buf_free(&reply.text);
    return true;
}

const char *aard__functions_result(bool found, const aard__buf *answer)
{
    if (!found) return "not_found";
    return answer->len && answer->data[0] == '!' ? "failed" : "";
}

size_t aard_isolate_config_function_count(const aard_isolate_config *config)
{
    return config ? config->hooks.functions.count : 0;
}

const char *aard_isolate_config_function(const aard_isolate_config *config, size_t index)
{
    return config && index < config->hooks.functions.count ? config->hooks.functions.list[index]->name : NULL;
}
