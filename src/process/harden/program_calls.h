/* The system calls of a program that serves one guest in a thread, and has hardened itself. */
#ifndef AARD_PROCESS_PROGRAM_CALLS_H
#define AARD_PROCESS_PROGRAM_CALLS_H

/* What it may make beside those of children (system_calls.h), whose rows come after these: what its threads wait with, and how
 * it shows what came of the call.  What is in neither list fails (EPERM).  X(call, condition, reason) */
#define AARD__PROGRAM_CALL_MAP(X)                                                                                      \
    X(read, ALWAYS, "descriptors that it has")                                                                         \
    X(writev, ALWAYS, "the outcome, to stdout, stderr and the trace")                                                  \
    X(lseek, ALWAYS, "the same")                                                                                       \
    X(fsync, ALWAYS, "the same")                                                                                       \
    X(ioctl, ASKS_TERMINAL, "whether that is a terminal")                                                              \
    X(ioctl, ASKS_WINDOW, "and how wide")                                                                              \
    X(fcntl, ASKS_FLAGS, "the same")                                                                                   \
    X(eventfd2, ALWAYS, "a guest that asks for the network, which is refused")                                         \
    X(openat, FAILS, "fails (EACCES)")                                                                                 \
    X(epoll_pwait, ALWAYS, "threads of the engine that wait")                                                          \
    X(epoll_ctl, ALWAYS, "the same")                                                                                   \
    X(nanosleep, ALWAYS, "the same")                                                                                   \
    X(membarrier, ALWAYS, "the same")                                                                                  \
    X(rt_sigpending, ALWAYS, "whether Ctrl-C was pressed")                                                             \
    X(getuid, ALWAYS, "who it is")                                                                                     \
    X(geteuid, ALWAYS, "the same")                                                                                     \
    X(getgid, ALWAYS, "the same")                                                                                      \
    X(getegid, ALWAYS, "the same")                                                                                     \
    X(getppid, ALWAYS, "the same")                                                                                     \
    X(uname, ALWAYS, "what it runs on")                                                                                \
    X(sysinfo, ALWAYS, "the same")                                                                                     \
    X(sched_getaffinity, ALWAYS, "the same")                                                                           \
    X(getrusage, ALWAYS, "what it has used")                                                                           \
    X(times, ALWAYS, "the same")                                                                                       \
    X(clock_getres, ALWAYS, "the same")                                                                                \
    X(gettimeofday, ALWAYS, "the same, where the kernel has no faster way")

/* What is refused (EPERM) to a program that opens files and sockets for its guest, which may make all others: programs and
 * processes, other processes' memory, what is for administrators, and what of the kernel nobody needs here. */
#define AARD__OPENER_CALL_MAP(X)                                                                                       \
    X(clone, IS_THREAD, "threads are fine")                                                                            \
    X(clone, REFUSED, "processes")                                                                                     \
    X(clone3, IS_UNKNOWN, "the same: its flags can't be looked at, and the C library takes clone then")                \
    X(execve, REFUSED, "programs")                                                                                     \
    X(execveat, REFUSED, "programs")                                                                                   \
    X(ptrace, REFUSED, "memory of other processes")                                                                    \
    X(process_vm_readv, REFUSED, "the same")                                                                           \
    X(process_vm_writev, REFUSED, "the same")                                                                          \
    X(kcmp, REFUSED, "the same")                                                                                       \
    X(pidfd_getfd, REFUSED, "descriptors of other processes")                                                          \
    X(setns, REFUSED, "namespaces")                                                                                    \
    X(unshare, REFUSED, "the same")                                                                                    \
    X(mount, REFUSED, "file systems")                                                                                  \
    X(umount2, REFUSED, "the same")                                                                                    \
    X(pivot_root, REFUSED, "the same")                                                                                 \
    X(chroot, REFUSED, "the same")                                                                                     \
    X(open_tree, REFUSED, "the same")                                                                                  \
    X(move_mount, REFUSED, "the same")                                                                                 \
    X(fsopen, REFUSED, "the same")                                                                                     \
    X(fspick, REFUSED, "the same")                                                                                     \
    X(fsmount, REFUSED, "the same")                                                                                    \
    X(mknodat, REFUSED, "devices")                                                                                     \
    X(name_to_handle_at, REFUSED, "files without their paths")                                                         \
    X(open_by_handle_at, REFUSED, "the same")                                                                          \
    X(bpf, REFUSED, "code in the kernel")                                                                              \
    X(init_module, REFUSED, "the same")                                                                                \
    X(finit_module, REFUSED, "the same")                                                                               \
    X(delete_module, REFUSED, "the same")                                                                              \
    X(kexec_load, REFUSED, "the same")                                                                                 \
    X(perf_event_open, REFUSED, "what holes of the kernel were made of")                                               \
    X(userfaultfd, REFUSED, "the same")                                                                                \
    X(io_uring_setup, REFUSED, "the same; no filter sees what goes through it")                                        \
    X(io_uring_enter, REFUSED, "the same")                                                                             \
    X(io_uring_register, REFUSED, "the same")                                                                          \
    X(add_key, REFUSED, "keys of the kernel")                                                                          \
    X(request_key, REFUSED, "the same")                                                                                \
    X(keyctl, REFUSED, "the same")                                                                                     \
    X(personality, REFUSED, "other layouts of addresses")                                                              \
    X(setuid, REFUSED, "other users")                                                                                  \
    X(setgid, REFUSED, "the same")                                                                                     \
    X(setresuid, REFUSED, "the same")                                                                                  \
    X(setresgid, REFUSED, "the same")                                                                                  \
    X(setgroups, REFUSED, "the same")                                                                                  \
    X(reboot, REFUSED, "the machine")                                                                                  \
    X(swapon, REFUSED, "the same")                                                                                     \
    X(swapoff, REFUSED, "the same")                                                                                    \
    X(sethostname, REFUSED, "the same")                                                                                \
    X(settimeofday, REFUSED, "the same")                                                                               \
    X(clock_settime, REFUSED, "the same")                                                                              \
    X(syslog, REFUSED, "the same")                                                                                     \
    X(acct, REFUSED, "the same")

/* Calls that only older machines have. */
#ifdef __x86_64__
#define AARD__OLD_PROGRAM_CALL_MAP(X)                                                                                  \
    X(poll, ALWAYS, "threads of the engine that wait")                                                                 \
    X(epoll_wait, ALWAYS, "the same")                                                                                  \
    X(open, FAILS, "fails (EACCES)")
#define AARD__OLD_OPENER_CALL_MAP(X)                                                                                   \
    X(fork, REFUSED, "processes")                                                                                      \
    X(vfork, REFUSED, "the same")                                                                                      \
    X(mknod, REFUSED, "devices")                                                                                       \
    X(iopl, REFUSED, "the machine")                                                                                    \
    X(ioperm, REFUSED, "the same")                                                                                     \
    X(modify_ldt, REFUSED, "the same")
#else
#define AARD__OLD_PROGRAM_CALL_MAP(X)
#define AARD__OLD_OPENER_CALL_MAP(X)
#endif

/* Of the headers of older kernels. */
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif

#endif
