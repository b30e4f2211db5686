/*
 * Runs a command for which some system calls fail, as a container's seccomp profile makes them fail.
 * usage: deny_calls ERRNO CALL[,CALL...] COMMAND [ARGUMENT...]
 * CALL: userfaultfd, userfaultfd-device (its ioctl), io_uring, process_madvise
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#define USERFAULTFD_IOC_NEW 0xAA00
#define FILTER_LENGTH_MAX 64

static struct sock_filter filter[FILTER_LENGTH_MAX];
static unsigned short length;

static void add(unsigned short code, unsigned int value, unsigned char if_true, unsigned char if_false)
{
    if (length == FILTER_LENGTH_MAX) {
        fprintf(stderr, "deny_calls: too many calls\n");
        exit(2);
    }
    filter[length++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(unsigned int offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void deny(unsigned int call, unsigned int result)
{
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    add(BPF_RET | BPF_K, result, 0, 0);
}

static void deny_ioctl(unsigned int request, unsigned int result)
{
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3);
    load(offsetof(struct seccomp_data, args[1]));
    add(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 1);
    add(BPF_RET | BPF_K, result, 0, 0);
}

static void deny_named(const char *call, unsigned int result)
{
    if (!strcmp(call, "userfaultfd"))
        deny(SYS_userfaultfd, result);
    else if (!strcmp(call, "userfaultfd-device"))
        deny_ioctl(USERFAULTFD_IOC_NEW, result);
    else if (!strcmp(call, "io_uring"))
        deny(SYS_io_uring_setup, result);
    else if (!strcmp(call, "process_madvise"))
        deny(SYS_process_madvise, result);
    else {
        fprintf(stderr, "deny_calls: unknown call %s\n", call);
        exit(2);
    }
}

int main(int count, char **arguments)
{
    if (count < 4) {
        fprintf(stderr, "usage: deny_calls ERRNO CALL[,CALL...] COMMAND [ARGUMENT...]\n");
        return 2;
    }
    unsigned int result = SECCOMP_RET_ERRNO | ((unsigned int)atoi(arguments[1]) & SECCOMP_RET_DATA);
    for (char *call = strtok(arguments[2], ","); call; call = strtok(NULL, ","))
        deny_named(call, result);
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("deny_calls: seccomp");
        return 2;
    }
    execvp(arguments[3], &arguments[3]);
    perror(arguments[3]);
    return 2;
}
