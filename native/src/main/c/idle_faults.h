/*
 * Faults that leave the handler nothing to do: either another thread was faster, or a page is stuck, that is, it faults
 * again and again although everything says that it is in memory. The faults in between tell the two apart. A thread
 * that loses races for a busy page, even many in a day, also has other faults, at other addresses or ones that it
 * resolves. A stuck thread has no others, and it faults for longer than another thread with work on that page can be
 * kept from its processor.
 */
#ifndef KVMDB_IDLE_FAULTS_H
#define KVMDB_IDLE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_FAULTS_MAX 100000
#define IDLE_FAULTS_NS 60000000000ull /* more than that apart from the first is another story */
#define IDLE_FAULTS_STUCK_NS 5000000000ull

/* Those of one thread at one address, in a row. */
struct idle_faults {
    uint64_t address;
    uint64_t since_ns;
    uint32_t count;
};

/* One more. Returns whether the thread is stuck. */
static inline bool idle_faults_add(struct idle_faults *idle, uint64_t address, uint64_t now_ns)
{
    if (idle->count == 0 || idle->address != address || now_ns - idle->since_ns > IDLE_FAULTS_NS)
        *idle = (struct idle_faults){address, now_ns, 0};
    return ++idle->count > IDLE_FAULTS_MAX && now_ns - idle->since_ns > IDLE_FAULTS_STUCK_NS;
}

/* The thread resolved a fault. */
static inline void idle_faults_end(struct idle_faults *idle)
{
    idle->count = 0;
}

#endif
