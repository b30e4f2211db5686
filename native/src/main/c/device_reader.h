/* Device reads on the fault path: with a deadline, since nothing may hang a fault for ever (FAULTPATH rule 5). */
#ifndef KVMDB_DEVICE_READER_H
#define KVMDB_DEVICE_READER_H

#include "pool.h"

/* Fills slot->blocks. 0, -ETIMEDOUT, or -errno; less than was asked for is -EIO. Async-signal-safe. */
int device_read(struct pool *pool, int fd, struct fault_slot *slot, uint32_t bytes, uint64_t position);

#endif
