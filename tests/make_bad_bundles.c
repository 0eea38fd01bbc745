/* Writes every malformed bundle of bad_bundles.c to a directory as CASE.zip, and expected.tsv with a line
 * "CASE<TAB>name of the error" for each. */
#include <stdio.h>
#include <stdlib.h>

#include "bad_bundles.h"

static FILE *create(const char *dir, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void finish(FILE *file, const char *name)
{
    if (fclose(file) == 0) return;
    perror(name);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_bad_bundles DIR\n");
        return 2;
    }
    FILE *expected = create(argv[1], "expected", ".tsv");
    for (size_t i = 0; i < bad_bundle_count(); i++) {
        const bad_bundle *bad = bad_bundle_at(i);
        zb_bytes bytes = bad_bundle_make(i);
        FILE *file = create(argv[1], bad->name, ".zip");
        fwrite(bytes.data, 1, bytes.len, file);
        finish(file, bad->name);
        free(bytes.data);
        fprintf(expected, "%s\t%s\n", bad->name, aard_error_code_name(bad->code));
    }
    finish(expected, "expected.tsv");
    return 0;
}
