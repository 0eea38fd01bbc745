/* Hardening: what the process of a guest gives up, so that a hole in the engine opens nothing of the machine's.
 *
 * With AARD_ISOLATION_PROCESS a guest's process takes every measure that the machine permits, before it runs any code
 * of a guest.  A host that does not want to do without some of them says so in the configuration: aard_isolate_new then
 * fails where one is not in force.  docs/process-isolation.md */
#ifndef AARDVARK_HARDENING_H
#define AARDVARK_HARDENING_H

#include <stdint.h>

#include <aardvark/isolate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(constant, number, name, what it does, what it needs of the machine).  Numbers are stable, each a bit. */
#define AARD_HARDENING_MAP(X)                                                                                          \
    X(AARD_HARDEN_NO_NEW_PRIVILEGES, 0x1, "no_new_privileges", "no program that it could start has more rights",       \
      "Linux")                                                                                                         \
    X(AARD_HARDEN_LIMITS, 0x2, "limits", "no core dumps, locked memory or message queues; few descriptors",            \
      "system calls getrlimit and setrlimit, which the seccomp profile of a container may refuse")                     \
    X(AARD_HARDEN_PARENT_DEATH, 0x4, "parent_death", "ends with its host", "Linux")                                    \
    X(AARD_HARDEN_DESCRIPTORS, 0x8, "descriptors", "none but its socket, /dev/null and what tells of its own memory",  \
      "Linux 5.9, for close_range")                                                                                    \
    X(AARD_HARDEN_ENVIRONMENT, 0x10, "environment", "no variables", "nothing")                                         \
    X(AARD_HARDEN_CAPABILITIES, 0x20, "capabilities", "none of root's rights", "Linux")                                \
    X(AARD_HARDEN_NOT_DUMPABLE, 0x40, "not_dumpable", "nobody of the same user traces it or reads its memory",         \
      "Linux")                                                                                                         \
    X(AARD_HARDEN_SECCOMP, 0x80, "seccomp", "a system call that is not on the list ends it",                           \
      "Linux 4.14 with CONFIG_SECCOMP_FILTER, and a container's seccomp profile that permits the call seccomp")        \
    X(AARD_HARDEN_USER_NAMESPACE, 0x100, "user_namespace", "it is no user of the machine's",                           \
      "user namespaces: sysctls user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1 and "             \
      "kernel.apparmor_restrict_unprivileged_userns=0 where they are there, and a container's seccomp profile that "   \
      "permits the call unshare")                                                                                      \
    X(AARD_HARDEN_NETWORK_NAMESPACE, 0x200, "network_namespace", "no network, not even loopback",                      \
      "user namespaces (see user_namespace), or root; sysctl user.max_net_namespaces above 0")                         \
    X(AARD_HARDEN_IPC_NAMESPACE, 0x400, "ipc_namespace", "no shared memory or queues of others",                       \
      "user namespaces (see user_namespace), or root; sysctl user.max_ipc_namespaces above 0")                         \
    X(AARD_HARDEN_UTS_NAMESPACE, 0x800, "uts_namespace", "not the machine's name",                                     \
      "user namespaces (see user_namespace), or root; sysctl user.max_uts_namespaces above 0")                         \
    X(AARD_HARDEN_MOUNT_NAMESPACE, 0x1000, "mount_namespace", "the root directory is empty",                           \
      "Linux 5.2, and user namespaces (see user_namespace), or root; sysctl user.max_mnt_namespaces above 0")          \
    X(AARD_HARDEN_LANDLOCK, 0x2000, "landlock", "no file, no TCP connection, no signal to others",                     \
      "Linux 5.13 with CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm=; TCP from 6.7, signals from " \
      "6.12")

typedef enum aard_hardening {
#define AARD_HARDENING_ENUM(constant, number, name, text, needs) constant = number,
    AARD_HARDENING_MAP(AARD_HARDENING_ENUM)
#undef AARD_HARDENING_ENUM
        AARD_HARDEN_ALL = 0x3fff /* of this version */
} aard_hardening;

/* The text of one measure, in static storage; NULL for any other number, as for several. */
AARD_API const char *aard_hardening_name(uint32_t measure);
AARD_API const char *aard_hardening_text(uint32_t measure);
AARD_API const char *aard_hardening_needs(uint32_t measure);
/* The measure of that name; 0 where there is none. */
AARD_API uint32_t aard_hardening_by_name(const char *name);

/* Measures without which no guest runs: aard_isolate_new, and a call that needs another process, give the error
 * `hardening`, which names each measure that is missing, why, and what it needs.  An isolate in a thread has none of them.
 * 0 = none are required (the default): every measure that the machine permits is taken all the same. */
AARD_API void aard_isolate_config_set_required_hardening(aard_isolate_config *config, uint32_t measures);
AARD_API uint32_t aard_isolate_config_required_hardening(const aard_isolate_config *config);

/* Hardens this process, for good, and all of its threads: for a program that serves one guest in a thread
 * (AARD_ISOLATION_THREAD), once the isolate is made, its bundle loaded and its handlers prepared.  The guest goes on,
 * and so does the program with what it has open: standard streams, files.  It starts no other program or process, and
 * where the guest has neither mounts nor hosts that it may reach, it opens no file and makes no socket, either; what it
 * is not to do fails with EPERM or EACCES.  Takes as much of AARD_HARDEN_NO_NEW_PRIVILEGES, _LIMITS, _NOT_DUMPABLE,
 * _CAPABILITIES, _SECCOMP and _LANDLOCK as the machine permits, which the two functions below tell.  Isolates that are
 * made later may fail, and so may resets that need a new guest.  docs/process-isolation.md
 * Errors: unsupported (the guest is in a process of its own), busy, invalid_argument. */
AARD_API AARD_NODISCARD aard_error *aard_isolate_harden_process(aard_isolate *isolate);

/* The measures that are in force for the isolate's guest; for one in a thread, those of aard_isolate_harden_process.
 * As a call, while none runs. */
AARD_API uint32_t aard_isolate_hardening(const aard_isolate *isolate);
/* Why a measure is not: what the system said (errno); 0 where it is in force, or was not tried. */
AARD_API int aard_isolate_hardening_errno(const aard_isolate *isolate, uint32_t measure);

#ifdef __cplusplus
}
#endif

#endif
