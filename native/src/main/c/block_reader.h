/*
 * From LPN to page content: the overlay, the map, the device, the checksum, the codec. Async-signal-safe.
 */
#ifndef KVMDB_BLOCK_READER_H
#define KVMDB_BLOCK_READER_H

#include "pool.h"

/* Why a page cannot be had. */
struct bad_page {
    enum kvmdb_bad_cause cause;
    int detail;
    uint64_t ppn;
};

/*
 * Reads a run of pages to where there is room for them, by way of a slot. pages is the most that is wanted; the run ends early where the blocks do not
 * lie together in the log. Returns how many pages were read, at least 1, or 0 with the first page's failure in bad.
 * Only the first page's failure counts; a bad page behind it ends the run.
 */
uint32_t block_read_run(struct region *region, struct fault_slot *slot, uint64_t lpn, uint32_t pages, uint8_t *to,
    struct bad_page *bad);

/* Bytes of a page's block in the log; 0 for a page that has none. The caller holds a slot. */
uint32_t block_length(struct region *region, uint64_t lpn);

/* Where the block of a page lies. */
struct block_place {
    uint32_t device;
    uint32_t bytes;
    uint64_t position;
};

/* Says where it lies now; the caller holds a slot. False when there is no block that could be read, or need be: the tier has it. */
bool block_to_read(struct region *region, uint64_t lpn, struct block_place *out);

#endif
