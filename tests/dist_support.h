/* What the tests of distributions share: sources made of the staged one's files, archives, wheels, checks. */
#ifndef AARD_TESTS_DIST_SUPPORT_H
#define AARD_TESTS_DIST_SUPPORT_H

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include "base/file.h"
#include "distribution/distribution.h"
#include "isolate_support.h"

/* ---- paths and files -------------------------------------------------------------------------------------- */

/* "a/b" in one of a few rotating buffers.  Not inlined, nor is read_file: GCC 12 would warn of what can't be. */
__attribute__((noinline, unused)) static char *at(const char *dir, const char *name)
{
    static char buffers[16][1024];
    static unsigned next;
    char *out = buffers[next++ % 16];
    int n = snprintf(out, sizeof buffers[0], "%s/%s", dir, name);
    assert_true(n > 0 && (size_t)n < sizeof buffers[0]);
    return out;
}

static inline char *make_temp(void)
{
    const char *base = getenv("TMPDIR");
    char *path = strdup(at(base && *base ? base : "/tmp", "aardvark-test-XXXXXX"));
    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static inline void remove_temp(char *path)
{
    assert_null(aard__dir_remove(path));
    free(path);
}

static inline void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

__attribute__((noinline, unused)) static char *read_file(const char *path, size_t *len)
{
    char *data = NULL;
    assert_null(aard__file_read(path, 0, &data, len));
    return data;
}

static inline bool exists(const char *path) { return access(path, F_OK) == 0; }

static inline void flip_byte(const char *path, long position)
{
    int fd = open(path, O_RDWR);
    struct stat st;
    unsigned char byte;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    off_t offset = position < 0 ? st.st_size + position : position;
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* Entries of a directory that start with `prefix` ("" = all but . and ..); -1 where it isn't there. */
static inline int count_entries(const char *path, const char *prefix)
{
    DIR *dir = opendir(path);
    if (!dir) return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            count++;
    closedir(dir);
    return count;
}

/* ---- sources ---------------------------------------------------------------------------------------------- */

static const char *const core_files[] = {AARD__FILE_LOCK, AARD__FILE_GLUE, AARD__FILE_WASM, AARD__FILE_STDLIB};
#define CORE_FILES 4

/* The staged distribution whose files the tests start from: $AARDVARK_TEST_DIST, else the default one. */
static inline const char *pristine(void)
{
    static char dir[1024];
    if (!dir[0]) {
        aard_distribution *distribution = NULL;
        const char *named = getenv("AARDVARK_TEST_DIST");
        assert_ok(aard_distribution_open(named && *named ? named : NULL, &distribution));
        snprintf(dir, sizeof dir, "%s", aard_distribution_dir(distribution));
        aard_distribution_free(distribution);
    }
    return dir;
}

/* Makes `dir` a source of links to the pristine files. */
static inline void make_source(const char *dir)
{
    assert_null(aard__dir_make(dir));
    for (size_t i = 0; i < CORE_FILES; i++)
        assert_int_equal(symlink(at(pristine(), core_files[i]), at(dir, core_files[i])), 0);
}

/* Puts a copy in place of the link, to be altered. */
static inline void copy_pristine(const char *dir, const char *name)
{
    size_t len;
    char *data = read_file(at(pristine(), name), &len);
    unlink(at(dir, name));
    write_file(at(dir, name), data, len);
    free(data);
}

/* ---- archives --------------------------------------------------------------------------------------------- */

static inline struct archive *archive_start(const char *path, bool bzip2)
{
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
    assert_int_equal(bzip2 ? archive_write_add_filter_bzip2(a) : archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_set_filter_option(a, NULL, "compression-level", "1"), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    return a;
}

/* One entry; `link` is the target of a symbolic link (type AE_IFLNK) or of a hard one (type AE_IFREG). */
static inline void archive_add(struct archive *a, const char *name, unsigned type, const char *link, const void *data,
                               size_t len)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_size(entry, (la_int64_t)len);
    if (link && type == AE_IFLNK) archive_entry_set_symlink(entry, link);
    if (link && type == AE_IFREG) archive_entry_set_hardlink(entry, link);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    if (len) assert_int_equal(archive_write_data(a, data, len), (la_ssize_t)len);
    archive_entry_free(entry);
}

static inline void archive_add_file(struct archive *a, const char *name, const char *path)
{
    size_t len;
    char *data = read_file(path, &len);
    archive_add(a, name, AE_IFREG, NULL, data, len);
    free(data);
}

static inline void archive_add_core(struct archive *a, const char *top, bool with_lock)
{
    archive_add(a, top, AE_IFDIR, NULL, NULL, 0);
    for (size_t i = with_lock ? 0 : 1; i < CORE_FILES; i++)
        archive_add_file(a, at(top, core_files[i]), at(pristine(), core_files[i]));
    archive_add(a, at(top, "package.json"), AE_IFREG, NULL, "{}", 2);
}

static inline void archive_finish(struct archive *a)
{
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

/* ---- wheels and lock files -------------------------------------------------------------------------------- */

/* The lines of a RECORD for them; free(). */
static inline char *make_record(const char *const (*entries)[2], size_t count)
{
    char *text = calloc(1, count * 400 + 1);
    for (size_t i = 0; i < count; i++) {
        unsigned char hash[crypto_hash_sha256_BYTES];
        char base64[64];
        crypto_hash_sha256(hash, (const unsigned char *)entries[i][1], strlen(entries[i][1]));
        sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        sprintf(text + strlen(text), "\"%.200s\",sha256=%s,%zu\r\n", entries[i][0], base64, strlen(entries[i][1]));
    }
    return text;
}

/* A ZIP of `count` pairs of name and content; a RECORD that is empty is written. */
static inline void make_zip(const char *path, const char *const (*entries)[2], size_t count)
{
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, NULL);
    assert_non_null(zip);
    char *record = make_record(entries, count);
    for (size_t i = 0; i < count; i++) {
        bool generated = strstr(entries[i][0], ".dist-info/RECORD") && !entries[i][1][0];
        const char *content = generated ? record : entries[i][1];
        zip_source_t *source = zip_source_buffer(zip, content, strlen(content), 0);
        assert_true(zip_file_add(zip, entries[i][0], source, ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
    free(record);
}

/* DIR/<name>-<version>-py3-none-any.whl with one module; `more` is further METADATA lines.  Gives its path. */
static inline const char *make_wheel(const char *dir, const char *name, const char *version, const char *more)
{
    char *path = at(dir, "");
    char metadata[2048], info[3][256], module[256];
    snprintf(path + strlen(path), 512, "%s-%s-py3-none-any.whl", name, version);
    snprintf(metadata, sizeof metadata, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s\nA description.\n", name,
             version, more);
    snprintf(info[0], sizeof info[0], "%s-%s.dist-info/METADATA", name, version);
    snprintf(info[1], sizeof info[1], "%s-%s.dist-info/RECORD", name, version);
    snprintf(info[2], sizeof info[2], "%s-%s.dist-info/WHEEL", name, version);
    snprintf(module, sizeof module, "%s/__init__.py", name);
    const char *const entries[][2] = {
        {module, "value = 1\n"}, {info[0], metadata}, {info[1], ""}, {info[2], "Wheel-Version: 1.0\n"}};
    make_zip(path, entries, 4);
    return path;
}

/* Two wheels in DIR, tiny-pkg and tiny-base, which it depends on; stores their paths. */
static inline void make_tiny_wheels(const char *dir, const char **wheels)
{
    static const char *const tiny[][2] = {
        {"tiny_pkg/__init__.py", "from tiny_base import BASE\nVALUE = ['tiny', BASE]\n"},
        {"tiny_pkg/data/words.txt", "words\n"},
        {"tiny_pkg-2.0.dist-info/METADATA",
         "Metadata-Version: 2.1\nName: Tiny_Pkg\nVersion: 2.0\nRequires-Dist: tiny-base\n\nA description.\n"},
        {"tiny_pkg-2.0.dist-info/RECORD", ""},
        {"tiny_pkg-2.0.dist-info/WHEEL", "Wheel-Version: 1.0\n"},
    };
    static const char *const base[][2] = {
        {"tiny_base.py", "BASE = 'base'\n"},
        {"tiny_base-1.0.dist-info/METADATA",
         "Metadata-Version: 2.1\nName: tiny-base\nVersion: 1.0\n\nA description.\n"},
        {"tiny_base-1.0.dist-info/RECORD", ""},
        {"tiny_base-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n"},
    };
    wheels[0] = at(dir, "tiny_pkg-2.0-py3-none-any.whl");
    wheels[1] = at(dir, "tiny_base-1.0-py3-none-any.whl");
    make_zip(wheels[0], tiny, 5);
    make_zip(wheels[1], base, 4);
}

static inline void sha256_of(const char *path, char hex[65])
{
    size_t len;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *data = read_file(path, &len);
    crypto_hash_sha256(hash, (const unsigned char *)data, len);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
    free(data);
}

/* A lock file without packages. */
static inline json_t *make_lock(void)
{
    json_t *lock = json_load_file(at(pristine(), AARD__FILE_LOCK), 0, NULL);
    assert_non_null(lock);
    assert_int_equal(json_object_clear(json_object_get(lock, "packages")), 0);
    return lock;
}

/* Names the file DIR/`file_name` in the lock; `depends` is one name or NULL. */
static inline void lock_add(json_t *lock, const char *key, const char *name, const char *dir, const char *file_name,
                            const char *depends)
{
    char hex[65];
    sha256_of(at(dir, file_name), hex);
    json_t *entry = json_pack("{s:[s*], s:s, s:[s], s:s, s:s, s:s, s:s, s:b, s:s}", "depends", depends, "file_name",
                              file_name, "imports", key, "install_dir", "site", "name", name, "package_type", "package",
                              "sha256", hex, "unvendored_tests", 0, "version", "1.0");
    assert_non_null(entry);
    assert_int_equal(json_object_set_new(json_object_get(lock, "packages"), key, entry), 0);
}

static inline void lock_write(json_t *lock, const char *path)
{
    unlink(path);
    assert_int_equal(json_dump_file(lock, path, JSON_SORT_KEYS), 0);
}

/* ---- staging ---------------------------------------------------------------------------------------------- */

typedef struct request {
    const char *home, *archive, *version, *wheels[4];
    aard_variant variant;
    bool force;
} request;

static inline aard_error *run_stage(const request *r, aard_distribution **out, bool *already)
{
    aard_stage_options *options = NULL;
    aard_error *error = aard_stage_options_new(&options);
    if (!error) error = aard_stage_options_set_home(options, r->home);
    if (!error) error = aard_stage_options_set_archive(options, r->archive);
    if (!error && r->version) error = aard_stage_options_set_version(options, r->version);
    for (size_t i = 0; i < 4 && r->wheels[i] && !error; i++)
        error = aard_stage_options_add_wheel(options, r->wheels[i]);
    if (!error) {
        aard_stage_options_set_variant(options, r->variant);
        aard_stage_options_set_force(options, r->force);
        error = aard_distribution_stage(options, out, already);
    }
    aard_stage_options_free(options);
    return error;
}

/* Stages, verifies, and gives the distribution. */
static inline aard_distribution *stage_ok(const request *r)
{
    aard_distribution *distribution = NULL;
    bool already = true;
    assert_ok(run_stage(r, &distribution, &already));
    assert_false(already);
    assert_ok(aard_distribution_verify(distribution));
    assert_int_equal(count_entries(r->home, ".tmp-"), 0);
    return distribution;
}

/* Expects staging to be refused and to leave nothing behind. */
#define assert_stage_refused(request, ...)                                                                             \
    do {                                                                                                               \
        aard_distribution *none_ = NULL;                                                                               \
        assert_refused(run_stage(request, &none_, NULL), __VA_ARGS__, NULL);                                           \
        assert_null(none_);                                                                                            \
        assert_true(count_entries((request)->home, ".tmp-") <= 0);                                                     \
        assert_true(count_entries((request)->home, "aardvark-") <= 0);                                                 \
    } while (0)

/* What a test of staging starts from: a home that isn't there yet, and a source. */
typedef struct staging_fixture {
    char *temp, *home, *source;
} staging_fixture;

static inline int set_up_staging(void **state)
{
    staging_fixture *f = calloc(1, sizeof *f);
    f->temp = make_temp();
    f->home = strdup(at(f->temp, "a/home"));
    f->source = strdup(at(f->temp, "source"));
    make_source(f->source);
    *state = f;
    return 0;
}

static inline int tear_down_staging(void **state)
{
    staging_fixture *f = *state;
    remove_temp(f->temp);
    free(f->home);
    free(f->source);
    free(f);
    return 0;
}

static inline char *core_dir(const staging_fixture *f) { return at(f->home, "aardvark-layout2-pyodide-v0.29.4-core"); }

#define STAGING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_staging, tear_down_staging)

#endif
