/* Log lines. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hooks.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 1000 };

const char *aard_log_level_name(aard_log_level level)
{
    static const char *const names[] = {"none", "error", "warning", "info", "debug"};
    return level >= AARD_LOG_NONE && level <= AARD_LOG_DEBUG ? names[level] : "unknown";
}

bool aard__log_wanted(aard_log_level level) { return aard__hooks.log && level <= aard__hooks.log_level; }

/* One line, cut between two characters. */
static void send(aard_log_level level, char line[LINE_MAX_BYTES + 1])
{
    size_t len = strlen(line);
    while (len && !aard__utf8_valid(line, len)) len--;
    line[len] = '\0';
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    aard__hooks.log(aard__hooks.user, level, line);
}

void aard__log(aard_log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES + 1];
    if (!aard__log_wanted(level)) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    send(level, line);
}

void aard__log_error(aard_log_level level, aard_error *error, const char *format, ...)
{
    char line[LINE_MAX_BYTES + 1];
    if (error && aard__log_wanted(level)) {
        va_list arguments;
        va_start(arguments, format);
        int len = vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        if (len >= 0 && (size_t)len < sizeof line)
            snprintf(line + len, sizeof line - (size_t)len, ": %s", aard_error_message(error));
        send(level, line);
    }
    aard_error_free(error);
}
