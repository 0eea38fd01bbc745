#include "distribution/requirement.h"

#include <stdlib.h>
#include <string.h>

#include "distribution/lock.h"

#define VALUE_MAX 200
#define DEPTH_MAX 32

/* A marker on its way through: `bad` sticks. */
typedef struct marker {
    const char *at, *end;
    const char *python; /* its version */
    int depth;
    bool bad;
} marker;

typedef struct operand {
    char text[VALUE_MAX + 1];
    bool version; /* a variable whose values are versions */
} operand;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-_.", c));
}

static void skip_space(marker *m)
{
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t')) m->at++;
}

/* Takes `token` where it comes next; a word must end there. */
static bool take(marker *m, const char *token)
{
    skip_space(m);
    size_t len = strlen(token);
    if ((size_t)(m->end - m->at) < len || memcmp(m->at, token, len) != 0) return false;
    if (is_word(token[0]) && m->at + len < m->end && is_word(m->at[len])) return false;
    m->at += len;
    return true;
}

int aard__version_compare(const char *a, const char *b)
{
    while ((*a >= '0' && *a <= '9') || (*b >= '0' && *b <= '9')) {
        unsigned long x = strtoul(a, (char **)&a, 10), y = strtoul(b, (char **)&b, 10);
        if (x != y) return x < y ? -1 : 1;
        if (*a == '.') a++;
        if (*b == '.') b++;
    }
    return 0;
}

/* The value of an environment marker variable in Pyodide; NULL for no such variable. */
static const char *variable(const char *name, const char *python, bool *version)
{
    static const char *const values[][2] = {
        {"os_name", "posix"},
        {"sys_platform", "emscripten"},
        {"platform_system", "Emscripten"},
        {"platform_machine", "wasm32"},
        {"platform_python_implementation", "CPython"},
        {"implementation_name", "cpython"},
        {"platform_release", ""},
        {"platform_version", ""},
        {"extra", ""},
    };
    *version = false;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(values[i][0], name) == 0) return values[i][1];
    *version = true;
    if (strcmp(name, "python_full_version") == 0 || strcmp(name, "implementation_version") == 0) return python;
    return NULL;
}

static void take_operand(marker *m, operand *out)
{
    char name[VALUE_MAX + 1];
    *out = (operand){0};
    skip_space(m);
    char quote = m->at < m->end && (*m->at == '"' || *m->at == '\'') ? *m->at++ : '\0';
    const char *start = m->at;
    while (m->at < m->end && (quote ? *m->at != quote : is_word(*m->at))) m->at++;
    size_t len = (size_t)(m->at - start);
    m->bad |= len > VALUE_MAX || (quote ? m->at == m->end : !len);
    if (m->bad) return;
    if (quote) {
        memcpy(out->text, start, len);
        m->at++;
        return;
    }
    memcpy(name, start, len);
    name[len] = '\0';
    if (strcmp(name, "python_version") == 0) { /* the first two numbers */
        const char *dot = strchr(strchr(m->python, '.') + 1, '.');
        memcpy(out->text, m->python, (size_t)(dot - m->python));
        out->version = true;
        return;
    }
    const char *value = variable(name, m->python, &out->version);
    m->bad |= !value;
    if (value) strcpy(out->text, value);
}

typedef enum comparison {
    LESS_EQUAL,
    GREATER_EQUAL,
    NOT_EQUAL,
    EQUAL,
    COMPATIBLE,
    LESS,
    GREATER,
    IN,
    NOT_IN
} comparison;

static comparison take_comparison(marker *m)
{
    static const char *const tokens[] = {"<=", ">=", "!=", "==", "~=", "<", ">", "in"};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (take(m, tokens[i])) return (comparison)i;
    m->bad |= !take(m, "not") || !take(m, "in");
    return NOT_IN;
}

/* Whether `version` starts as the pattern "3.13.*" does. */
static bool matches(const char *version, const char *pattern)
{
    size_t len = strlen(pattern);
    if (len < 2 || strcmp(pattern + len - 2, ".*") != 0) return aard__version_compare(version, pattern) == 0;
    len -= 2;
    return strncmp(version, pattern, len) == 0 && (!version[len] || version[len] == '.');
}

/* "~= 3.9" is ">= 3.9, == 3.*". */
static bool compatible(const char *version, const char *with)
{
    const char *dot = strrchr(with, '.');
    size_t len = dot ? (size_t)(dot - with) : 0;
    return dot && aard__version_compare(version, with) >= 0 && strncmp(version, with, len) == 0 &&
           (!version[len] || version[len] == '.');
}

static bool compare(marker *m)
{
    operand left, right;
    take_operand(m, &left);
    comparison how = take_comparison(m);
    take_operand(m, &right);
    if (m->bad) return false;
    if (how == IN) return strstr(right.text, left.text) != NULL;
    if (how == NOT_IN) return strstr(right.text, left.text) == NULL;
    bool versions = left.version || right.version;
    int order = versions ? aard__version_compare(left.text, right.text) : strcmp(left.text, right.text);
    bool same = left.version ? matches(left.text, right.text) : order == 0;
    switch (how) {
    case LESS_EQUAL: return order <= 0;
    case GREATER_EQUAL: return order >= 0;
    case LESS: return order < 0;
    case GREATER: return order > 0;
    case EQUAL: return same;
    case NOT_EQUAL: return !same;
    default: return compatible(left.text, right.text);
    }
}

static bool any_of(marker *m);

static bool one(marker *m)
{
    if (!take(m, "(")) return compare(m);
    if (++m->depth > DEPTH_MAX) m->bad = true;
    bool value = !m->bad && any_of(m);
    m->depth--;
    m->bad |= !take(m, ")");
    return value;
}

static bool all_of(marker *m)
{
    bool value = one(m);
    while (!m->bad && take(m, "and")) value &= one(m);
    return value;
}

static bool any_of(marker *m)
{
    bool value = all_of(m);
    while (!m->bad && take(m, "or")) value |= all_of(m);
    return value;
}

bool aard__requirement_key(const char *text, size_t len, const char *python, char *key)
{
    const char *semicolon = memchr(text, ';', len);
    size_t start = 0;
    while (start < len && (text[start] == ' ' || text[start] == '\t')) start++;
    size_t end = start;
    while (end < len && is_word(text[end])) end++;
    if (!aard__package_key(text + start, end - start, key)) return false;
    if (!semicolon) return true;
    marker m = {.at = semicolon + 1, .end = text + len, .python = python};
    bool value = any_of(&m);
    skip_space(&m);
    return value && !m.bad && m.at == m.end;
}
