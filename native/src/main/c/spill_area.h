/*
 * The spill area of a region: pages that found no room in memory, each at its own offset of an unnamed file. Never durable. A
 * file gives back what it likes, so a checksum of each page stays in memory: what was spilled is about to be committed.
 * Async-signal-safe. The page is locked.
 */
#ifndef KVMDB_SPILL_AREA_H
#define KVMDB_SPILL_AREA_H

#include "pool.h"

/* Writes a page that stands still. 0 or -errno. */
int spill_write(struct region *region, uint64_t lpn, const void *page);
/* Reads it into slot->blocks, with the read deadline. 0, -EBADMSG when it is not what was written, or -errno. */
int spill_read_in_fault(struct region *region, uint64_t lpn, struct fault_slot *slot);
/* The same, without a deadline, to wherever. */
int spill_read(struct region *region, uint64_t lpn, void *page);

#endif
