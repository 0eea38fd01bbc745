/* What the tests of the engine share: a vm with a realm, and short ways to run code in it. */
#ifndef AARD_TESTS_ENGINE_SUPPORT_H
#define AARD_TESTS_ENGINE_SUPPORT_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

#define TEXT(literal) literal, sizeof literal - 1

typedef struct fixture {
    aard__vm *vm; /* entered by whoever opened it; its user is the fixture */
    aard__realm *realm;
    aard__result result; /* of the last run */
} fixture;

void open_fixture(fixture *f);
void close_fixture(fixture *f);

/* Runs code as the script "test"; gives &f->result. */
aard__result *run(fixture *f, const char *code);

/* What an expression gives, which must be an object; aard__ref_free. */
aard__ref *object(fixture *f, const char *expression);
aard__ref *function(fixture *f, const char *expression);

void string_is(const aard__result *result, const char *text, size_t len);

/* The result is an exception; `text` NULL = any; `stack` is a part of the stack. */
void threw(const aard__result *result, const char *type, const char *text, const char *stack);

/* A buffer's contents with a NUL behind them, in storage that the next call reuses. */
const char *text_of(const aard__buf *buf);

#endif
