#define _GNU_SOURCE
#include "check.h"
#include "tests.h"
#include "thread_share.h"

#include <pthread.h>
#include <sys/resource.h>

static void *give_way(void *argument)
{
    int before = *(int *)argument, wanted = before + 10 < 19 ? before + 10 : 19;
    bool is_allowed = setpriority(PRIO_PROCESS, 0, before) == 0; /* some containers do not */
    kvmdb_thread_give_way();
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), is_allowed ? wanted : before);
    return NULL;
}

void a_thread_gives_way_and_others_do_not(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, give_way, &before), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), before);
}
