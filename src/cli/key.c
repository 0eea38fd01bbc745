/* The host's key, which signs warm states and images: the file that AARDVARK_KEY_FILE names. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

#define VARIABLE "AARDVARK_KEY_FILE"

static const char *key_file(void)
{
    const char *path = secure_getenv(VARIABLE);
    return path && *path ? path : NULL;
}

bool cli_has_key(void) { return key_file() != NULL; }

int cli_set_key(aard_distribution *distribution)
{
    const char *path = key_file();
    struct stat st;
    cli_text key;
    if (!path) return CLI_OK;
    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        return cli_fail_code(AARD_ERR_UNTRUSTED,
                             "the key '%s' (" VARIABLE ") can be read or written by others than its owner: chmod 600",
                             path);
    int status = cli_read(path, "the key (" VARIABLE ")", &key);
    if (status) return status;
    status = cli_fail(aard_distribution_set_key(distribution, key.data, key.len));
    memset(key.data, 0, key.len);
    free(key.data);
    return status;
}
