#define _GNU_SOURCE
#include "native_memory.h"
#include "kernel_call.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

static _Atomic int64_t reserved;

int64_t kvmdb_memory_reserve(uint64_t length)
{
    int64_t address = kernel_call(KVMDB_MEMORY, -1, NULL, length, 0);
    if (address < 0)
        return address;
    void *p = (void *)address;
    static const int advice[] = {MADV_DONTFORK, MADV_DONTDUMP, MADV_NOHUGEPAGE};
    for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
        /* A kernel without transparent huge pages refuses the last one, and needs it not. */
        if (madvise(p, length, advice[i]) < 0 && advice[i] != MADV_NOHUGEPAGE) {
            int failed = errno;
            munmap(p, length);
            return -failed;
        }
    }
    atomic_fetch_add(&reserved, (int64_t)length);
    return address;
}

int kvmdb_memory_discard(void *address, uint64_t length)
{
    return madvise(address, length, MADV_DONTNEED) < 0 ? -errno : 0;
}

int kvmdb_memory_release(void *address, uint64_t length)
{
    if (munmap(address, length) < 0)
        return -errno;
    atomic_fetch_sub(&reserved, (int64_t)length);
    return 0;
}

int64_t kvmdb_memory_reserved(void)
{
    return atomic_load(&reserved);
}
