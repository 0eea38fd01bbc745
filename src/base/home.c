#include "base/home.h"

#include <pwd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/trust.h"

/* A user without $HOME (a service, say) has one in the password file. */
static bool put_user_home(aard__buf *out)
{
    const char *home = aard__trusted_variable("HOME");
    if (home) {
        aard__buf_puts(out, home);
        return true;
    }
    struct passwd entry, *found = NULL;
    char text[4096];
    if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) != 0 || !found || entry.pw_dir[0] != '/') return false;
    aard__buf_puts(out, entry.pw_dir);
    return true;
}

aard_error *aard__home(const char *name, char **out)
{
    aard__buf path = AARD__BUF_INIT;
    const char *own = aard__trusted_variable("AARDVARK_HOME"), *data = aard__trusted_variable("XDG_DATA_HOME");
    if (own) {
        aard__buf_printf(&path, "%s/%s", own, name);
    } else if (data && data[0] == '/') { /* the XDG specification has relative ones ignored */
        aard__buf_printf(&path, "%s/aardvark/%s", data, name);
    } else {
        if (!put_user_home(&path))
            return aard__error(AARD_ERR_IO, "there is no home directory to keep distributions in: set AARDVARK_HOME");
        aard__buf_printf(&path, "/.local/share/aardvark/%s", name);
    }
    char *home = aard__buf_take(&path, NULL);
    if (!home) return aard__error_no_memory();
    *out = home;
    return NULL;
}
