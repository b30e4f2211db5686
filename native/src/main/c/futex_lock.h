/*
 * A mutex for code that runs in signal handlers: 0 free, 1 held, 2 held and awaited. Spins for at most a
 * microsecond, then sleeps in the kernel. Never held while region memory is touched.
 */
#ifndef KVMDB_FUTEX_LOCK_H
#define KVMDB_FUTEX_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KVMDB_SPINS 40 /* pauses of some 20 ns: about a microsecond */

static inline void futex_wait(_Atomic uint32_t *word, uint32_t seen, const struct timespec *timeout)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, timeout, NULL, 0);
}

static inline void futex_wake(_Atomic uint32_t *word, int waiters)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, waiters, NULL, NULL, 0);
}

static inline bool futex_try_lock(_Atomic uint32_t *lock)
{
    uint32_t free_value = 0;
    return atomic_compare_exchange_strong(lock, &free_value, 1);
}

static inline void futex_lock(_Atomic uint32_t *lock)
{
    for (int i = 0; i < KVMDB_SPINS; i++) {
        if (futex_try_lock(lock))
            return;
        __builtin_ia32_pause();
    }
    while (atomic_exchange(lock, 2) != 0)
        futex_wait(lock, 2, NULL);
}

static inline void futex_unlock(_Atomic uint32_t *lock)
{
    if (atomic_exchange(lock, 0) == 2)
        futex_wake(lock, 1);
}

#endif
