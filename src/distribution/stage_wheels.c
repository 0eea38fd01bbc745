/* Wheels that are added while staging, and the lock file that then names them. */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "distribution/stage.h"
#include "distribution/wheel.h"

static aard_error *take_wheel(aard__file_set *set, const char *path, const aard__wheel *wheel)
{
    AARD__TRY(aard__file_set_drop(set, wheel->file_name)); /* the release's own of that very name */
    int fd = -1;
    AARD__TRY(aard__file_open(path, &fd));
    aard_error *error = aard__file_set_copy(set, wheel->file_name, fd, path, NULL, NULL);
    close(fd);
    return error;
}

/* Whether a package of that key is in the lock or among the wheels. */
static bool is_known(const aard__lock *lock, const aard__wheel *wheels, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(wheels[i].key, key) == 0) return true;
    return aard__lock_find(lock, key) != NULL;
}

static json_t *text_array(char *const *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++) json_array_append_new(array, json_string(items[i]));
    return array;
}

static json_t *depends_of(const aard__lock *lock, const aard__wheel *wheels, size_t count, const aard__wheel *wheel)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < wheel->require_count; i++) {
        const char *key = wheel->requires[i];
        if (strcmp(key, wheel->key) != 0 && is_known(lock, wheels, count, key))
            json_array_append_new(array, json_string(key));
    }
    return array;
}

static aard_error *add_entries(aard__lock *lock, const aard__wheel *wheels, size_t count, const aard__file_set *set)
{
    json_t *packages = json_object_get(lock->root, "packages");
    for (size_t i = 0; i < count; i++) {
        const aard__wheel *wheel = &wheels[i];
        json_t *entry = json_pack(
            "{s:o, s:s, s:o, s:s, s:s, s:s, s:s, s:b, s:s}", "depends", depends_of(lock, wheels, count, wheel),
            "file_name", wheel->file_name, "imports", text_array(wheel->imports, wheel->import_count), "install_dir",
            "site", "name", wheel->name, "package_type", "package", "sha256",
            aard__file_set_find(set, wheel->file_name)->sha256, "unvendored_tests", 0, "version", wheel->version);
        if (!entry)
            return aard__error(AARD_ERR_WHEEL_INVALID, "the wheel '%s' has a METADATA that is not UTF-8",
                               wheel->file_name);
        if (json_object_set_new(packages, wheel->key, entry) < 0) return aard__error_no_memory();
    }
    return NULL;
}

static int append(const char *text, size_t len, void *user)
{
    aard__buf_append(user, text, len);
    return 0;
}

/* The lock as upstream's own tool writes it; equal wheels in any order give equal bytes. */
static aard_error *write_lock(const aard__lock *lock, aard__file_set *set, aard__lock **out)
{
    aard__buf text = AARD__BUF_INIT;
    aard_error *error = NULL;
    if (json_dump_callback(lock->root, append, &text, JSON_SORT_KEYS | JSON_ENSURE_ASCII) < 0 || text.failed)
        error = aard__error_no_memory();
    if (!error) error = aard__file_set_drop(set, AARD__FILE_LOCK);
    if (!error) error = aard__file_set_put(set, AARD__FILE_LOCK, text.data, text.len);
    if (!error)
        error = aard__lock_parse(text.data, text.len, "the lock file with the wheels added", AARD_ERR_WHEEL_INVALID,
                                 out);
    aard__buf_free(&text);
    return error;
}

static aard_error *read_wheels(const aard_stage_options *options, const aard__line *line, aard__file_set *set,
                               aard__wheel *wheels, size_t *count)
{
    for (size_t i = 0; i < options->wheel_count; i++) {
        const char *path = options->wheels[i];
        if (options->progress) options->progress(options->user, "adding wheels", i, options->wheel_count);
        AARD__TRY(aard__wheel_read(path, line->pins, &wheels[i]));
        ++*count;
        for (size_t k = 0; k < i; k++)
            if (strcmp(wheels[k].key, wheels[i].key) == 0)
                return aard__error(AARD_ERR_WHEEL_INVALID, "the wheels '%s' and '%s' are of the same package: give one",
                                   options->wheels[k], path);
        AARD__TRY(take_wheel(set, path, &wheels[i]));
    }
    return NULL;
}

aard_error *aard__stage_wheels(const aard_stage_options *options, const aard__line *line, aard__file_set *set,
                               aard__lock **lock)
{
    size_t count = 0;
    aard__lock *edited = NULL;
    aard__wheel *wheels = aard__calloc(options->wheel_count, sizeof *wheels);
    if (!wheels) return aard__error_no_memory();
    aard_error *error = read_wheels(options, line, set, wheels, &count);
    if (!error) error = add_entries(*lock, wheels, count, set);
    if (!error) error = write_lock(*lock, set, &edited);
    if (!error) {
        aard__lock_free(*lock);
        *lock = edited;
    }
    for (size_t i = 0; i < count; i++) aard__wheel_free(&wheels[i]);
    aard__free(wheels);
    return error;
}
