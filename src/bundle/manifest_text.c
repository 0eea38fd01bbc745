#include "bundle/manifest_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }

static void lower_all(char *text)
{
    for (; text && *text; text++) *text = lower(*text);
}

const char *aard__text_plain(const char *text, size_t len, char **out)
{
    aard__text_trim(&text, &len);
    if (!len) return "is empty";
    *out = aard__memdup0(text, len);
    return NULL;
}

const char *aard__text_entrypoint(const char *text, size_t len, char **out)
{
    static const char form[] = "must be 'module:export' with exactly one colon, as in \"main:handler\"";
    const char *colon = memchr(text, ':', len);
    if (!colon || memchr(colon + 1, ':', len - (size_t)(colon + 1 - text))) return form;
    const char *module = text, *export = colon + 1;
    size_t module_len = (size_t)(colon - text), export_len = len - module_len - 1;
    aard__text_trim(&module, &module_len);
    aard__text_trim(&export, &export_len);
    if (!module_len || !export_len) return "must name a module before the colon and an export behind it";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 && !aard__is_space(text[i])) return "has a control character in it";
    char *joined = aard__malloc(module_len + export_len + 2);
    if (!joined) return NULL;
    memcpy(joined, module, module_len);
    joined[module_len] = ':';
    memcpy(joined + module_len + 1, export, export_len);
    joined[module_len + export_len + 1] = '\0';
    *out = joined;
    return NULL;
}

static bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

void aard__text_package_key(const char *name, size_t len, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_separator(name[i]))
            out[used++] = lower(name[i]);
        else if (!used || out[used - 1] != '-')
            out[used++] = '-';
    }
    out[used] = '\0';
}

const char *aard__text_package(const char *text, size_t len, char **out)
{
    aard__text_trim(&text, &len);
    if (!len) return "is empty; name a package or leave the entry out";
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(text[i]) && !is_separator(text[i]))
            return "is not a package name; give the name alone, of letters, digits, '-', '_', '.'";
    if (is_separator(text[0]) || is_separator(text[len - 1]))
        return "is not a package name; it must begin and end with a letter or digit";
    char *name = aard__malloc(len + 1);
    if (!name) return NULL;
    aard__text_package_key(text, len, name);
    *out = name;
    return NULL;
}

const char *aard__text_module(const char *text, size_t len, char **out)
{
    static const char form[] = "is not a module name; give names separated by dots, as in \"xml.dom\"";
    aard__text_trim(&text, &len);
    if (!len) return "is empty; name a module or leave the entry out";
    bool fresh = true; /* at the start of a component */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.') {
            if (fresh) return form;
            fresh = true;
            continue;
        }
        if (!is_alnum(text[i]) && c != '_' && c < 0x80) return form;
        if (fresh && c >= '0' && c <= '9') return form;
        fresh = false;
    }
    if (fresh) return form;
    *out = aard__memdup0(text, len);
    return NULL;
}

const char *aard__text_profile(const char *text, size_t len, char **out)
{
    aard__text_trim(&text, &len);
    if (!len) return "is empty; name a profile or leave the key out";
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(text[i]) && text[i] != '_' && text[i] != '-')
            return "must be made of lower-case ASCII letters, digits, '_' and '-'";
    *out = aard__memdup0(text, len);
    lower_all(*out);
    return NULL;
}

const char *aard__text_capability(const char *text, size_t len, char **out)
{
    aard__text_trim(&text, &len);
    if (!len) return "is empty; name a capability or leave the entry out";
    for (size_t i = 0; i < len; i++)
        if (aard__is_space(text[i]) || (unsigned char)text[i] < 0x20)
            return "has white space or a control character in it";
    *out = aard__memdup0(text, len);
    lower_all(*out);
    return NULL;
}
