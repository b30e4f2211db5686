/* What a thread gets of the processors. */
#ifndef KVMDB_THREAD_SHARE_H
#define KVMDB_THREAD_SHARE_H

#include "layout.h"

/*
 * Lets other threads go before the calling one, for good: it gets a tenth of what each of them gets where processors are short,
 * and all that is left over. Where that is forbidden, to no effect.
 */
KVMDB_EXPORT void kvmdb_thread_give_way(void);

#endif
