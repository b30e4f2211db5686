/*
 * Copies of pages whose lock the thread holds. A frame may turn out to be bad under the copy, and the fault of that must not wait for the
 * page's lock: it ends the copy instead.
 */
#ifndef KVMDB_FRAME_COPY_H
#define KVMDB_FRAME_COPY_H

#include "pool.h"

/* Copies a page that is in memory. 0, or -EHWPOISON, recorded, when its frame cannot be read. */
int frame_copy(struct region *region, uint64_t lpn, void *destination);

/* In a fault: whether this thread is at such a copy of that page. */
bool frame_copy_is_of(const struct region *region, uint64_t lpn);

/* In a fault on the page of the copy: has the copy return -EHWPOISON. Does not return. */
_Noreturn void frame_copy_abandon(void);

#endif
