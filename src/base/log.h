/* Log lines, to the host's hook (aardvark/hooks.h). */
#ifndef AARD_BASE_LOG_H
#define AARD_BASE_LOG_H

#include <aardvark/hooks.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

bool aard__log_wanted(aard_log_level level);

/* One line; what would not fit into 1000 bytes is cut off, and newlines become spaces. */
void aard__log(aard_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees an error that was worked around, and logs "<formatted>: <its message>".  NULL is fine: nothing was. */
void aard__log_error(aard_log_level level, aard_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
