#include "process/warm_copy.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sealed.h"
#include "guest/python/warm_state.h"
#include "warm/state.h"

aard_error *aard__warm_seal(const aard_warm_state *warm, int *out)
{
    int fd = memfd_create("aardvark-warm", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return aard__error_errno(AARD_ERR_IO, errno, "a warm state can't be handed to another process");
    aard_error *error = aard__image_write(warm->image, fd, NULL);
    if (!error && !aard__seal(fd))
        error = aard__error_errno(AARD_ERR_IO, errno, "a warm state can't be handed to another process");
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

aard_error *aard__warm_unseal(int fd, const aard_isolate_config *config, aard_warm_state **out)
{
    if (!aard__is_sealed(fd))
        return aard__error(AARD_ERR_ENGINE, "a warm state came from another process in a way that lets it be changed");
    return aard__warm_state_open_sealed(fd, config->distribution, config->catalog, out);
}
