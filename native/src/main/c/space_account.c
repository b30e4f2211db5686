#define _GNU_SOURCE
#include "space_account.h"
#include "futex_lock.h"

#include <errno.h>
#include <stddef.h>

_Static_assert(sizeof(struct kvmdb_space_account) == 48, "shared with SpaceAccountDescriptor");

/* Grows by a step, unless somebody did since granted_seen was loaded. */
static int grow_from(struct kvmdb_space_account *account, int64_t granted_seen)
{
    if (account->fd < 0)
        return -ENOSPC;
    futex_lock(&account->lock);
    int64_t granted = atomic_load(&account->granted_bytes);
    if (granted != granted_seen) {
        futex_unlock(&account->lock);
        return 0;
    }
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

int kvmdb_space_grow(struct kvmdb_space_account *account)
{
    return grow_from(account, atomic_load(&account->granted_bytes));
}

int kvmdb_space_reserve(struct kvmdb_space_account *account, int64_t bytes)
{
    for (;;) {
        int64_t granted = atomic_load(&account->granted_bytes);
        /* Compared before it is added: a reservation that fails must not make a smaller one fail beside it. */
        int64_t reserved = atomic_load(&account->reserved_bytes);
        while (reserved + bytes <= atomic_load(&account->available_bytes)) {
            if (atomic_compare_exchange_weak(&account->reserved_bytes, &reserved, reserved + bytes))
                return 0;
        }
        if (grow_from(account, granted) != 0) {
            /* Somebody else may have given space back meanwhile. */
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
