/* Pages on their way to the log: each becomes a block, all but its checksum, which needs the place that only the log knows. */
#ifndef KVMDB_BLOCK_WRITER_H
#define KVMDB_BLOCK_WRITER_H

#include "write_back.h"

/*
 * Where pages become blocks. The pages must be private copies of the caller: a page that changes while it is compressed
 * gives a block that does not decode (docs/architecture.md, rule 5). 8-byte fields only.
 */
struct kvmdb_block_buffers {
    uint64_t pages;   /* address: count pages, one after the other */
    uint64_t blocks;  /* address: blocks, one after the other; room for all of them as they are */
    uint64_t lengths; /* address: int32_t, bytes of each block */
    uint64_t dictionary; /* what pages are compressed against; 0: nothing */
    uint64_t table;   /* address: a struct page_table, of these buffers alone */
};

/* Makes a block of each page, compressed or, where that saves nothing, as it is. Returns the bytes of all blocks. */
KVMDB_EXPORT int64_t kvmdb_blocks_encode(const struct kvmdb_block_buffers *buffers, int64_t count, int page_shift);
/* Copies frozen pages out, as kvmdb_region_copy_out does, and makes blocks of them. -errno, or the bytes of all blocks. */
KVMDB_EXPORT int64_t kvmdb_region_encode(
    struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, const struct kvmdb_block_buffers *buffers);

#endif
