/* What all tests share: cmocka with what it needs, and failures that stand where the test stands. */
#ifndef AARD_TESTS_SUPPORT_H
#define AARD_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* A place in a test.  A check that is a function gets its caller's from a macro of its name, and fails there. */
typedef struct test_place {
    const char *file;
    int line;
} test_place;
#define HERE ((test_place){__FILE__, __LINE__})

#define fail_at(here, ...)                                                                                             \
    do {                                                                                                               \
        test_place at_ = here;                                                                                         \
        print_error("ERROR: " __VA_ARGS__);                                                                            \
        print_error("\n");                                                                                             \
        _fail(at_.file, at_.line);                                                                                     \
    } while (0)

#endif
