/*
 * Faults by plan, for tests and crash harnesses: which operations on the kernel (kernel_call.h) go wrong, from which
 * on, how often, and how. One plan a process, in plain memory, set by C tests and by Java (IoFaults). Nothing here is used
 * while no plan is armed. Async-signal-safe but for arming and disarming.
 */
#ifndef KVMDB_FAULT_PLAN_H
#define KVMDB_FAULT_PLAN_H

#include "device_io.h"
#include "kernel_call.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define KVMDB_RULES_MAX 8

enum kvmdb_effect {
    KVMDB_EFFECT_NONE,        /* is only counted */
    KVMDB_EFFECT_ERROR,       /* is not done; value: the errno. A completion has it as its result */
    KVMDB_EFFECT_SHORT,       /* transfers at most value bytes; a read of 0 is the end of the file */
    KVMDB_EFFECT_FLIP,        /* the bit of that number, of what was read, is the other one */
    KVMDB_EFFECT_MISPLACE,    /* transfers at a position value bytes off */
    KVMDB_EFFECT_SKIP,        /* is not done, and says that it was; a completion never comes */
    KVMDB_EFFECT_REPEAT,      /* a completion comes twice */
    KVMDB_EFFECT_DELAY,       /* is done after value ms */
    KVMDB_EFFECT_HANG,        /* is not done before the plan is disarmed; a submitted read then brings garbage */
    KVMDB_EFFECT_KILL_BEFORE, /* SIGKILL to this process */
    KVMDB_EFFECT_KILL_AFTER,  /* the same when it is done */
    KVMDB_EFFECTS
};

/* Which descriptors: a file that has no name (any more) is one of the spill area, or a device in memory. */
enum kvmdb_fault_files { KVMDB_FILES_ALL, KVMDB_FILES_NAMED, KVMDB_FILES_UNNAMED };

/* 8-byte fields only: Java fills them in. */
struct kvmdb_fault_rule {
    uint64_t operations; /* mask: 1 << enum kvmdb_operation */
    uint64_t first;      /* index of the first that goes wrong, among those that the rule is about */
    uint64_t times;      /* how many in a row; 0: all from there on */
    uint64_t effect;
    int64_t value;
    uint64_t files;
    uint64_t inode;      /* not 0: only operations on this file ... */
    uint64_t device;     /* ... of this file system */
    uint64_t begin;      /* end not 0: only those that begin at a position (or address) in [begin, end) */
    uint64_t end;
};

extern _Atomic uint32_t fault_plan_state;

static inline bool fault_plan_is_armed(void)
{
    return atomic_load_explicit(&fault_plan_state, memory_order_relaxed) != 0;
}

/* The operation as the plan has it: of the rules that are about it, the first whose turn it is has its effect. */
int64_t fault_plan_call(enum kvmdb_operation operation, int fd, void *buffer, uint64_t bytes, uint64_t position);

/* A read that is about to be submitted; may change where, how much and what it reads. 0, or -errno not to submit it. */
int fault_plan_submit(int *fd, uint64_t *position, uint32_t *bytes);

/* What becomes of a completion. */
enum fault_completion { COMPLETION_COMES, COMPLETION_IS_LOST, COMPLETION_STAYS };
enum fault_completion fault_plan_complete(int fd, void *buffer, int64_t *result);

/* Arms a plan. 0; -EBUSY when one is armed; -EINVAL when a rule makes no sense. Rules may be 0 in number. */
KVMDB_EXPORT int kvmdb_faults_arm(const struct kvmdb_fault_rule *rules, int count);
/* Disarms it, lets go what hangs, and returns when no operation is in the plan's hands any more. */
KVMDB_EXPORT int kvmdb_faults_disarm(void);
/* Operations that the rule was about, and those that it had its effect on, since it was armed; also after disarming. */
KVMDB_EXPORT int64_t kvmdb_faults_seen(int rule);
KVMDB_EXPORT int64_t kvmdb_faults_hits(int rule);

#endif
