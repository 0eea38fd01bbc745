/* Runs a program on a machine that refuses some system calls: make_refusal NAME=ERRNO… -- PROGRAM [ARGUMENT…] */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif

static const struct {
    const char *name;
    int number, flag; /* of the first argument; 0 = whatever that is */
} calls[] = {{"unshare", __NR_unshare, 0},
             {"unshare_user", __NR_unshare, 0x10000000},
             {"unshare_network", __NR_unshare, 0x40000000},
             {"seccomp", __NR_seccomp, 0},
             {"landlock", __NR_landlock_create_ruleset, 0},
             {"fsopen", 430, 0},
             {"prlimit", __NR_prlimit64, 0}};

enum { CALLS = sizeof calls / sizeof *calls, MOST = 8 * CALLS + 2 };

static struct sock_filter code[MOST];
static unsigned short count;

static void add(uint16_t operation, uint32_t k, uint8_t yes, uint8_t no)
{
    code[count++] = (struct sock_filter){operation, yes, no, k};
}

static void refuse(const char *text)
{
    size_t i = 0, len = strcspn(text, "=");
    while (i < CALLS && (strlen(calls[i].name) != len || strncmp(calls[i].name, text, len) != 0)) i++;
    if (i == CALLS || !text[len]) {
        fprintf(stderr, "make_refusal: unknown call '%s'\n", text);
        exit(2);
    }
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, 0, 3);
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args), 0, 0);
    add(BPF_JMP | (calls[i].flag ? BPF_JSET : BPF_JGE) | BPF_K, (uint32_t)calls[i].flag, 0, 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)atoi(text + len + 1), 0, 0);
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0 && count + 6 < MOST; at++) refuse(argv[at]);
    if (at + 1 >= argc) return 2;
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    struct sock_fprog program = {count, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("make_refusal");
        return 2;
    }
    execv(argv[at + 1], argv + at + 1);
    perror(argv[at + 1]);
    return 2;
}
