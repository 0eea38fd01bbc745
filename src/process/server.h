/* The template's side of its socket: boots the guest that it is told to, and forks. */
#ifndef AARD_PROCESS_SERVER_H
#define AARD_PROCESS_SERVER_H

/* Serves until the host closes the socket.  The process's exit status. */
int aard__server_run(int socket);

#endif
