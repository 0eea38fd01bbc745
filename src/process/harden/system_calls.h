/* The system calls that a hardened child may make; every other ends it.  docs/process-isolation.md lists the same. */
#ifndef AARD_PROCESS_SYSTEM_CALLS_H
#define AARD_PROCESS_SYSTEM_CALLS_H

/* X(call, condition, reason): the call is made as it is where the condition holds, of which ALWAYS does.  A call may have
 * several rows.  The conditions are in filter.c. */
#define AARD__SYSTEM_CALL_MAP(X)                                                                                       \
    X(write, ALWAYS,                                                                                                   \
      "bodies of frames into memory descriptors; messages of last resort to stderr, which is /dev/null")               \
    X(pread64, ALWAYS, "/proc/self/statm and /proc/self/pagemap, opened before")                                       \
    X(pwrite64, ALWAYS, "the same")                                                                                    \
    X(close, ALWAYS, "descriptors of bodies")                                                                          \
    X(recvmsg, ALWAYS, "frames of the host's")                                                                         \
    X(sendmsg, ALWAYS, "frames to the host")                                                                           \
    X(shutdown, ALWAYS, "a channel that has failed")                                                                   \
    X(ppoll, ALWAYS, "waiting for a frame")                                                                            \
    X(memfd_create, IS_PLAIN_MEMFD, "large bodies, warm states")                                                       \
    X(ftruncate, ALWAYS, "warm states")                                                                                \
    X(fcntl, SEALS, "the same, and the host's, which must be sealed")                                                  \
    X(fcntl, ASKS_SEALS, "the same")                                                                                   \
    X(fcntl, DUPLICATES, "a descriptor that goes along with a frame")                                                  \
    X(fstat, ALWAYS, "how long a body is")                                                                             \
    X(newfstatat, OF_DESCRIPTOR, "the same; a name has nothing it could be looked up in")                              \
    X(newfstatat, FAILS, "fails (EACCES): the engine looks for files with news of time zones")                         \
    X(fstatfs, ALWAYS, "that a body is in memory")                                                                     \
    X(ioctl, SCANS_PAGES, "which pages a guest has written, for resets in place")                                      \
    X(brk, ALWAYS, "memory")                                                                                           \
    X(mmap, ALWAYS, "memory, of compiled code too: the engine can't do without")                                       \
    X(mprotect, ALWAYS, "the same")                                                                                    \
    X(munmap, ALWAYS, "the same")                                                                                      \
    X(mremap, ALWAYS, "large blocks of malloc")                                                                        \
    X(madvise, ALWAYS, "memory that is given back, or was never touched")                                              \
    X(futex, ALWAYS, "locks")                                                                                          \
    X(clone, IS_THREAD, "the watchdog and the engine's thread for background work; no process")                        \
    X(clone3, IS_UNKNOWN, "fails (ENOSYS): its flags can't be looked at, and the C library takes clone then")          \
    X(set_robust_list, ALWAYS, "a thread's start")                                                                     \
    X(rseq, ALWAYS, "the same")                                                                                        \
    X(sigaltstack, ALWAYS, "stacks for signals")                                                                       \
    X(rt_sigprocmask, ALWAYS, "threads that take no signals")                                                          \
    X(rt_sigaction, ALWAYS, "the handlers of faults and of the signal that ends a run")                                \
    X(rt_sigtimedwait, ALWAYS, "the thread that hears of a cancellation")                                              \
    X(rt_sigreturn, ALWAYS, "the end of a handler")                                                                    \
    X(tgkill, TO_ITSELF, "the watchdog ends a run that does not listen; abort")                                        \
    X(getpid, ALWAYS, "the same; random numbers, which look whether the process was forked")                           \
    X(gettid, ALWAYS, "the same")                                                                                      \
    X(openat, FAILS, "fails (EACCES): the engine looks for /proc/self/maps, and does without")                         \
    X(prlimit64, ASKS, "how much address space there may be")                                                          \
    X(sysinfo, FAILS, "fails (EACCES): sorting looks how much memory the machine has, once")                           \
    X(sched_yield, ALWAYS, "locks of the engine that spin")                                                            \
    X(clock_gettime, ALWAYS, "processor time of threads; the time of day where the kernel has no faster way")          \
    X(clock_nanosleep, ALWAYS, "a sender of frames that waits for room for descriptors")                               \
    X(getrandom, ALWAYS, "random numbers")                                                                             \
    X(restart_syscall, ALWAYS, "a wait that a signal has interrupted")                                                 \
    X(exit, ALWAYS, "the end of a thread")                                                                             \
    X(exit_group, ALWAYS, "the end")

/* What a template may make beside those, to fork children that harden themselves, and to boot its guest again; what is in neither
 * list fails there (EPERM).  The first row that fits decides: these come before the others. */
#define AARD__TEMPLATE_CALL_MAP(X)                                                                                     \
    X(openat, READS, "files of the distribution, what tells of its own memory")                                        \
    X(read, ALWAYS, "the same; that a child has ended")                                                                \
    X(lseek, ALWAYS, "the same")                                                                                       \
    X(newfstatat, ALWAYS, "whether files are there, and whose")                                                        \
    X(readlinkat, ALWAYS, "the same")                                                                                  \
    X(faccessat, ALWAYS, "the same")                                                                                   \
    X(getdents64, ALWAYS, "the same")                                                                                  \
    X(geteuid, ALWAYS, "the same")                                                                                     \
    X(getuid, ALWAYS, "the same")                                                                                      \
    X(eventfd2, ALWAYS, "a guest that asks for the network, which the first call does again")                          \
    X(rt_sigpending, ALWAYS, "the same")                                                                               \
    X(clone, IS_FORK, "children")                                                                                      \
    X(wait4, ALWAYS, "their ends")                                                                                     \
    X(tgkill, OF_WATCHDOG, "what children send themselves; their own filter allows no other")                          \
    X(tgkill, LAST_OF_WATCHDOG, "the same")                                                                            \
    X(tgkill, ABORTS, "the same")                                                                                      \
    X(getppid, ALWAYS, "children: hardening")                                                                          \
    X(prctl, SETS_DEATH, "the same")                                                                                   \
    X(prctl, SETS_DUMPABLE, "the same")                                                                                \
    X(fcntl, SETS_SIGNAL, "the same")                                                                                  \
    X(fcntl, SETS_OWNER, "the same")                                                                                   \
    X(fcntl, SETS_FLAGS, "the same")                                                                                   \
    X(fchdir, ALWAYS, "the same")                                                                                      \
    X(chroot, ALWAYS, "the same")                                                                                      \
    X(capset, ALWAYS, "the same")                                                                                      \
    X(prlimit64, ALWAYS, "the same")                                                                                   \
    X(close_range, ALWAYS, "the same")                                                                                 \
    X(landlock_restrict_self, ALWAYS, "the same")                                                                      \
    X(seccomp, ALWAYS, "the same")

#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif

#endif
