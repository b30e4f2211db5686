/*
 * Faults of a thread with nothing to do for the handler (FAULTPATH rule 7): another thread was quicker, or a page is stuck, that is
 * it faults again and again although everything says that it is there. They are told apart by what comes between. Whoever loses
 * races for a busy page, be it many in a day, has other faults, too: at other addresses, or such as it resolves. A thread that is
 * stuck has none, and has them for longer than another one that has something to do there can be kept from its processor.
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
