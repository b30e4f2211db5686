/*
 * Reading ahead of streams (read_stream.h): faults put requests into a small ring, threads that do nothing else take them out
 * and fill the pages. Requests are hints: no fault waits for one, one that finds the ring full is dropped, one that comes
 * late finds its pages filled by the reader itself. What goes wrong with a page is not recorded; its fault will meet it.
 */
#ifndef KVMDB_READ_AHEAD_H
#define KVMDB_READ_AHEAD_H

#include "read_stream.h"

/* Asks for pages of a region. Async-signal-safe. */
void read_ahead_ask(struct region *region, const struct page_steps *steps);
/* Fills the first run of the steps that nobody has filled or is filling; waits for no page's lock. Async-signal-safe. */
void read_ahead_help(struct region *region, const struct page_steps *steps);

/* Begins to read the blocks of every step-th page of [first, end) that is missing, in large pieces. Returns the stages (read_stage.h)
 * that they come to. */
uint32_t read_ahead_stage(struct region *region, uint64_t first, uint64_t end, uint64_t step);

/* Begins to read what bytes of a region that are about to be asked for by calls need of the log, in large pieces (read_stage.h), as far as there
 * are stages for it. Returns the offset behind it. */
KVMDB_EXPORT uint64_t kvmdb_region_read_ahead(struct region *region, uint64_t offset, uint64_t bytes);

/* Waits for a request, at most so long, and serves all there are. Returns the pages brought in. */
KVMDB_EXPORT int64_t kvmdb_pool_read_ahead(struct pool *pool, int64_t timeout_ms);

#endif
