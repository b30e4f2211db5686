#define _GNU_SOURCE
#include "space_account.h"
#include "futex_lock.h"

#include <errno.h>
#include <stddef.h>

_Static_assert(sizeof(struct kvmdb_space_account) == 48, "shared with SpaceAccountDescriptor");

int kvmdb_space_grow(struct kvmdb_space_account *account)
{
    if (account->fd < 0)
        return -ENOSPC;
    futex_lock(&account->lock);
    int64_t granted = atomic_load(&account->granted_bytes);
    int64_t step = account->grow_step_bytes;
    int64_t room = atomic_load(&account->limit_bytes) - granted;
    if (step > room)
        step = room;
    int result = step <= 0 ? -ENOSPC : kvmdb_file_allocate(account->fd, (uint64_t)granted, (uint64_t)step);
    if (result == 0) {
        atomic_fetch_add(&account->granted_bytes, step);
        atomic_fetch_add(&account->available_bytes, step);
    }
    futex_unlock(&account->lock);
    return result;
}

int kvmdb_space_reserve(struct kvmdb_space_account *account, int64_t bytes)
{
    for (;;) {
        int64_t reserved = atomic_fetch_add(&account->reserved_bytes, bytes) + bytes;
        if (reserved <= atomic_load(&account->available_bytes))
            return 0;
        atomic_fetch_sub(&account->reserved_bytes, bytes);
        if (kvmdb_space_grow(account) != 0) {
            /* Somebody else may have grown it, or given space back, meanwhile. */
            if (atomic_load(&account->reserved_bytes) + bytes <= atomic_load(&account->available_bytes))
                continue;
            return -ENOSPC;
        }
    }
}

void kvmdb_space_release(struct kvmdb_space_account *account, int64_t bytes)
{
    atomic_fetch_sub(&account->reserved_bytes, bytes);
}
