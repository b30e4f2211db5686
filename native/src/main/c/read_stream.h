/*
 * What a thread reads next, told from where it faults: pages one after another, or at equal distances, forwards or
 * backwards. Each thread follows a few streams at a time; faults at random begin none.
 *
 * In the beginning the faults of a stream fill runs that double. When runs have grown to the most, windows of pages ahead
 * are asked for, which double in turn. The first page of a window is left out: the reader's fault there is the only sign
 * of where it is, and asks for the next window, so that there is always one that it has not come to.
 */
#ifndef KVMDB_READ_STREAM_H
#define KVMDB_READ_STREAM_H

#include "pool.h"

/* So many pages, from the first on, each stride pages behind the one before. */
struct page_steps {
    uint64_t first;
    int64_t stride;
    uint32_t pages;
};

/* A fault of the current thread on a page that is missing. */
struct stream_fault {
    const struct region *region;
    uint64_t lpn;
    uint32_t run_pages;      /* most that it may fill */
    uint32_t window_pages;   /* most that may be asked for at a time */
    uint32_t evictions_ago;  /* when the page was evicted; UINT32_MAX for never */
};

/* What is to be done about it. */
struct stream_plan {
    uint32_t pages; /* to be filled at once, at least 1 */
    uint32_t used;  /* read ahead, and reached by the reader now */
    struct page_steps ahead; /* to be asked for, if any */
    struct page_steps rest;  /* asked for before, and not reached yet */
};

void stream_fault(const struct stream_fault *fault, struct stream_plan *plan);

#endif
