/*
 * Device reads on the fault path, with a deadline: no device may hang a fault for ever (docs/architecture.md, rule 2).
 *
 * What the page cache has is read at once, unless the read is to go past it. Only a read that would wait goes through the
 * slot's ring and may be given up; the slot is then late: it is not used again before the kernel is done with its buffer, for a read that comes
 * in after all would overwrite another fault's block.
 */
#ifndef KVMDB_DEVICE_READER_H
#define KVMDB_DEVICE_READER_H

#include "pool.h"

/* Opens the slots' rings when reads have a deadline and the kernel lets us; without, they wait as long as they take. */
void device_reader_open(struct pool *pool);
void device_reader_close(struct pool *pool);
/* Makes a file one that blocks are read from; opens a descriptor past the page cache, if that is possible. */
void device_attach(const struct pool *pool, struct read_device *device, int fd);
/* Closes what was opened for it. */
void device_detach(struct read_device *device);
/* Whether reads of the file can wait for a device; those of a file in memory cannot. */
bool device_waits(int fd);
/* Reads into slot->blocks; slot->wanted is where it begins. 0, -ETIMEDOUT, or -errno; less than was asked for is -EIO. Async-signal-safe.
 * past_cache: beneath the page cache where there is a way, for what is wrong there would come again. */
int device_read(struct pool *pool, const struct read_device *device, struct fault_slot *slot, uint32_t bytes, uint64_t position,
    bool past_cache);

#endif
