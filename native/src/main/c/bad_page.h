/*
 * The record of pages that could not be read or written. Scopes, load and commit rely on its counter, because the
 * virtual machine delivers its error late.
 */
#ifndef KVMDB_BAD_PAGE_H
#define KVMDB_BAD_PAGE_H

#include "block_reader.h"

/* What is mapped where a page cannot be had. */
extern const uint8_t bad_page_zeros[KVMDB_PAGE_BYTES_MAX] __attribute__((visibility("hidden")));

/* Writes the entry, then raises the counter. Async-signal-safe. */
void bad_page_record(struct region *region, uint64_t lpn, const struct bad_page *bad);

KVMDB_EXPORT int64_t kvmdb_region_bad_count(struct region *region);
/* Copies the record of the number (from 1). 0, or -ENOENT when it does not exist or is no longer kept. */
KVMDB_EXPORT int kvmdb_region_bad_page(struct region *region, int64_t number, struct kvmdb_bad_page *out);
/* Drops the zeros mapped for bad pages, so that the next access tries again and is counted. Returns how many, or -EIO
 * when some stay and are counted now: reading them raises no fault. */
KVMDB_EXPORT int64_t kvmdb_region_unpoison(struct region *region);

#endif
