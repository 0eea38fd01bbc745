/* Run by the build: writes the start-up snapshot of JavaScript guests to the file it is given. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "guest/javascript/javascript.h"
#include "guest/snapshot.h"

int main(int argc, char **argv)
{
    aard__buf blob = AARD__BUF_INIT;
    if (argc != 2) return 2;
    aard_error *error = aard__javascript_snapshot_make(&aard__javascript, &blob);
    if (error) {
        fprintf(stderr, "make_snapshot: %s\n", aard_error_message(error));
        return 1;
    }
    FILE *file = fopen(argv[1], "wb");
    if (!file || fwrite(blob.data, 1, blob.len, file) != blob.len || fclose(file)) {
        perror(argv[1]);
        return 1;
    }
    _exit(0); /* V8 keeps things to the end of the process that a leak checker would name */
}
