/* Making errors. */
#ifndef AARD_BASE_ERROR_H
#define AARD_BASE_ERROR_H

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A new error with a formatted message.  Never NULL: when memory is out it is the shared no_memory error. */
aard_error *aard__error(aard_error_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with ": <strerror(errnum)>" behind the message. */
aard_error *aard__error_errno(aard_error_code code, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The shared no_memory error; aard_error_free leaves it alone. */
aard_error *aard__error_no_memory(void);

/* Puts "<formatted>: " in front of the message of `error` (taken) and gives the new error. */
aard_error *aard__error_prefix(aard_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The armor of the public interface: a pointer that must be there, or another condition that the caller must keep.  Every
 * public function that can fail checks what it is given first, in every build; those that can't give NULL, 0 or false. */
aard_error *aard__error_argument(const char *function, const char *what);

#define AARD__NEED(argument) AARD__NEED_THAT(argument, "the argument '" #argument "' is NULL; it must not be")

#define AARD__NEED_THAT(condition, otherwise)                                                                          \
    do {                                                                                                               \
        if (!(condition)) return aard__error_argument(__func__, otherwise);                                            \
    } while (0)

#define AARD__TRY(expression)                                                                                          \
    do {                                                                                                               \
        aard_error *try_error_ = (expression);                                                                         \
        if (try_error_) return try_error_;                                                                             \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
