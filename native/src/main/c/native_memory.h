/* Sparse private memory: address space that costs nothing until it is touched. */
#ifndef KVMDB_NATIVE_MEMORY_H
#define KVMDB_NATIVE_MEMORY_H

#include "device_io.h"

/* Zero-filled, page-aligned, without huge pages, absent from core dumps and forked children. Address or -errno. */
KVMDB_EXPORT int64_t kvmdb_memory_reserve(uint64_t length);
/* Gives back the memory of a page-aligned range; it reads as zeros afterwards. */
KVMDB_EXPORT int kvmdb_memory_discard(void *address, uint64_t length);
KVMDB_EXPORT int kvmdb_memory_release(void *address, uint64_t length);
/* What is reserved and not released, in the whole process. */
KVMDB_EXPORT int64_t kvmdb_memory_reserved(void);

#endif
