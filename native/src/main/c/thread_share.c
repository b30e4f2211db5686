#define _GNU_SOURCE
#include "thread_share.h"

#include <unistd.h>

/* Each step is a factor of 1.25 (sched(7)). */
#define STEPS 10

void kvmdb_thread_give_way(void)
{
    int now = nice(STEPS); /* of each thread on Linux: nice(2), C library differences */
    (void)now;
}
