/*
 * Writing by a call, past the old content.
 *
 * A write fault brings the page in first: it cannot know how much of it will be written. Who writes by a call tells, so for a
 * page that is written whole, and is not in memory, nothing has to be looked up, read or decompressed: it comes into memory
 * with its new content, DIRTY, as if it had been there. Its old block may even be bad.
 */
#ifndef KVMDB_PAGE_WRITE_H
#define KVMDB_PAGE_WRITE_H

#include "pool.h"

/*
 * Writes those pages of a range of bytes that lie in it whole and are EMPTY; the source is no memory of a region. Returns a
 * set of those that it wrote: bit 0 is the page of the first byte, and there are at most 64. All others are left to be
 * written in memory, which reports what goes wrong.
 */
KVMDB_EXPORT int64_t kvmdb_region_write_missing(struct region *region, uint64_t offset, uint64_t bytes, const uint8_t *source);

#endif
