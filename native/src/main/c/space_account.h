/*
 * How much may still become dirty. The first write to a page reserves the worst case of its commit here, in the fault
 * (docs/architecture.md, rule 8). So the account lies in memory that the handler and Java share, and growing the
 * store's file is C too: a fault must not wait for Java (rule 1).
 *
 * Invariant: when a reservation succeeds, reserved <= available. Only space that the file system has already
 * granted (fallocate) is available; the journal takes segments out of it and gives freed ones back.
 *
 * A segment whose space was returned to the file system is a hole. The journal offers holes here, as a stack; growing
 * takes the one that was offered last before it makes the file longer, so that a store at its largest size reaches
 * all of its space from within a fault. The journal learns from hole_count which ones were taken.
 */
#ifndef KVMDB_SPACE_ACCOUNT_H
#define KVMDB_SPACE_ACCOUNT_H

#include "device_io.h"

#include <stdatomic.h>
#include <stdint.h>

struct kvmdb_space_account {
    _Atomic int64_t available_bytes; /* free and granted by the file system, less the journal's own reserve */
    _Atomic int64_t reserved_bytes;  /* promised to pages that are dirty */
    _Atomic int64_t granted_bytes;   /* how far the file is allocated, from its start */
    _Atomic int64_t limit_bytes;     /* granted_bytes never exceeds it */
    int64_t grow_step_bytes;         /* a whole number of segments */
    int32_t fd;                      /* < 0: the account cannot grow */
    _Atomic uint32_t lock;           /* held while growing: 0 free, 1 held, 2 held and awaited (futex) */
    _Atomic int64_t growths;         /* how often it grew: changed only under the lock */
    uint64_t hole_positions;         /* address: int64_t positions in the file, room for all segments; may be 0 */
    int64_t hole_bytes;              /* length of every hole */
    _Atomic int64_t hole_count;      /* changed only under the lock */
    _Atomic int64_t refusal;         /* errno of the last try to grow; 0 when it grew */
};

/* Reserves bytes; grows the file when needed. 0, or -ENOSPC with nothing changed. Async-signal-safe. */
KVMDB_EXPORT int kvmdb_space_reserve(struct kvmdb_space_account *account, int64_t bytes);
KVMDB_EXPORT void kvmdb_space_release(struct kvmdb_space_account *account, int64_t bytes);
/* Fills one hole, or grows the file by one step (or by what the limit still allows). 0, or -errno with nothing changed. */
KVMDB_EXPORT int kvmdb_space_grow(struct kvmdb_space_account *account);
/* Offers a hole to growing; returns how many lie beneath it. One thread at a time offers. */
KVMDB_EXPORT int64_t kvmdb_space_offer_hole(struct kvmdb_space_account *account, int64_t position);

#endif
