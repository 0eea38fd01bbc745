/* For programs whose tests share a guest without a bundle, which is reset before each of them. */
#ifndef AARD_TESTS_ONE_GUEST_H
#define AARD_TESTS_ONE_GUEST_H

#include "isolate_support.h"

static aard_isolate *guest;

static inline int start_python(void **state)
{
    (void)state;
    guest = boot(config_of(AARD_LANGUAGE_PYTHON), NULL);
    return 0;
}

static inline int start_javascript(void **state)
{
    (void)state;
    guest = boot(config_of(AARD_LANGUAGE_JAVASCRIPT), NULL);
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    aard_isolate_free(guest);
    return 0;
}

static inline int fresh(void **state)
{
    (void)state;
    assert_ok(aard_isolate_reset(guest));
    return 0;
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

#endif
