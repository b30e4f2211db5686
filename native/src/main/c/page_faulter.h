/*
 * The fault path: a SIGBUS raised by userfaultfd in the thread that touched a missing or protected page, resolved in
 * that thread. Async-signal-safe throughout; waits for nothing that only Java can finish; at most 16 KiB of stack.
 */
#ifndef KVMDB_PAGE_FAULTER_H
#define KVMDB_PAGE_FAULTER_H

#include "page_fill.h"

/* Regions start on multiples of this, so that the handler finds the region of an address with one load. */
#define REGION_GRANULE_SHIFT 34
#define REGION_GRANULE_BYTES (1ull << REGION_GRANULE_SHIFT)

/* Installs the handler, once a process, in front of whoever has one. 0 or -errno. */
KVMDB_EXPORT int kvmdb_faulter_install(void);
/* 1 while SIGBUS still comes to us. */
KVMDB_EXPORT int kvmdb_faulter_is_installed(void);

/* The region at an address, held against being closed until it is left; or NULL. Async-signal-safe. */
struct region *region_enter(uint64_t address);
void region_leave(struct region *region);

/* Makes the region known to the handler, or forgotten. */
void faulter_add(struct region *region);
void faulter_remove(struct region *region);

/* Brings a page, and up to pages - 1 behind it that lie with it, into memory for reading. 0, or -EIO (recorded in the
 * region's ring if asked). */
int bring_in(struct region *region, uint64_t lpn, uint32_t pages, bool record);

/* Makes a locked page that is in memory dirty and writable: sets a frozen copy aside, reserves space. 0 or -errno. */
int dirty_locked_page(struct region *region, uint64_t lpn, uint64_t *word, uint32_t part);

#endif
