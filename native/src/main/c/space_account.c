#define _GNU_SOURCE
#include "space_account.h"
#include "futex_lock.h"

#include <errno.h>
#include <stddef.h>

_Static_assert(sizeof(struct kvmdb_space_account) == 88, "shared with SpaceAccount");

static int fill_hole(struct kvmdb_space_account *account)
{
    int64_t top = atomic_load(&account->hole_count) - 1;
    int64_t position = ((const int64_t *)account->hole_positions)[top];
    int result = kvmdb_file_allocate(account->fd, (uint64_t)position, (uint64_t)account->hole_bytes);
    if (result == 0) {
        atomic_store(&account->hole_count, top);
        atomic_fetch_add(&account->available_bytes, account->hole_bytes);
    }
    return result;
}

static int grow_file(struct kvmdb_space_account *account)
{
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
    return result;
}

/* Grows by a hole or a step, unless somebody did since growths_seen was loaded. */
static int grow_from(struct kvmdb_space_account *account, int64_t growths_seen)
{
    if (account->fd < 0)
        return -ENOSPC;
    int result = 0;
    futex_lock(&account->lock);
    if (atomic_load(&account->growths) == growths_seen) {
        result = atomic_load(&account->hole_count) > 0 ? fill_hole(account) : grow_file(account);
        if (result == 0)
            atomic_fetch_add(&account->growths, 1);
        atomic_store(&account->refusal, -result);
    }
    futex_unlock(&account->lock);
    return result;
}

int kvmdb_space_grow(struct kvmdb_space_account *account)
{
    return grow_from(account, atomic_load(&account->growths));
}

int64_t kvmdb_space_offer_hole(struct kvmdb_space_account *account, int64_t position)
{
    futex_lock(&account->lock);
    int64_t index = atomic_load(&account->hole_count);
    ((int64_t *)account->hole_positions)[index] = position;
    atomic_store(&account->hole_count, index + 1);
    futex_unlock(&account->lock);
    return index;
}

int kvmdb_space_reserve(struct kvmdb_space_account *account, int64_t bytes)
{
    for (;;) {
        int64_t growths = atomic_load(&account->growths);
        /* Compared before it is added: a reservation that fails must not make a smaller one fail beside it. */
        int64_t reserved = atomic_load(&account->reserved_bytes);
        while (reserved + bytes <= atomic_load(&account->available_bytes)) {
            if (atomic_compare_exchange_weak(&account->reserved_bytes, &reserved, reserved + bytes))
                return 0;
        }
        if (grow_from(account, growths) != 0) {
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
