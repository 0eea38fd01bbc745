/* aardvark-guest: the program of the processes that guests run in.  The library starts it; it is of no use by itself. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "process/helper.h"
#include "process/server.h"

/* Whoever starts it by hand has no socket for it. */
static int has_socket(void)
{
    int type;
    socklen_t len = sizeof type;
    return !getsockopt(AARD__HELPER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_SEQPACKET;
}

int main(void)
{
    if (!has_socket()) {
        fputs("aardvark-guest: this program is started by the library, for guests in processes of their own\n", stderr);
        return 2;
    }
    fcntl(AARD__HELPER_SOCKET, F_SETFD, FD_CLOEXEC);
    return aard__server_run(AARD__HELPER_SOCKET);
}
