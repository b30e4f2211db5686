#define _GNU_SOURCE
#include "device_reader.h"

#include <errno.h>

int device_read(struct pool *pool, int fd, struct fault_slot *slot, uint32_t bytes, uint64_t position)
{
    (void)pool;
    int64_t n = kvmdb_file_read(fd, slot->blocks, bytes, position);
    return n < 0 ? (int)n : n < bytes ? -EIO : 0;
}
