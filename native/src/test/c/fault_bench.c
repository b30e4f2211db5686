/*
 * What one fault costs: random reads of pages that are in the device's page cache, from a volume larger than the
 * budget, so that each brings its share of eviction; and the device read alone, with a read deadline and without. Not
 * part of the tests.
 * usage: run.sh OUTPUT_DIR --bench [read deadline in ms] [directory of the device file; memory if it is not given]
 */
#define _GNU_SOURCE
#include "device_reader.h"
#include "fake_store.h"

#include <time.h>

#define PAGES 65536
#define FAULTS 100000

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void use_file(struct store *s, const char *directory)
{
    int file = kvmdb_file_open(directory, KVMDB_FILE_UNNAMED);
    CHECK(file >= 0);
    uint8_t *buffer = malloc(MIB);
    for (uint64_t at = 0; at < s->head + MIB; at += MIB) {
        int64_t n = kvmdb_file_read(s->device, buffer, MIB, at);
        CHECK_EQUAL(kvmdb_file_write(file, buffer, (uint64_t)n, at), 0);
    }
    free(buffer);
    CHECK_EQUAL(kvmdb_pool_device(s->pool, 0, file), 0);
}

struct result {
    uint64_t fault_ns;
    uint64_t read_ns;
};

static void keep_best(uint64_t *best, uint64_t value)
{
    *best = value < *best ? value : *best;
}

static void measure(struct volume *v, struct result *best)
{
    struct store *s = v->store;
    uint64_t seed = 1;
    uint64_t faults = store_counters(s).read_faults;
    uint64_t begin = nanoseconds();
    for (int i = 0; i < FAULTS; i++)
        (void)*(volatile uint64_t *)page_at(v, random_next(&seed) % PAGES);
    keep_best(&best->fault_ns, (nanoseconds() - begin) / (store_counters(s).read_faults - faults));
    struct fault_slot *slot = slot_acquire(s->pool);
    begin = nanoseconds();
    for (int i = 0; i < FAULTS; i++)
        CHECK_EQUAL(device_read(s->pool, &s->pool->devices[0], slot, 1024,
            MIB + random_next(&seed) % MIB), 0);
    keep_best(&best->read_ns, (nanoseconds() - begin) / FAULTS);
    slot_release(s->pool, slot);
}

int main(int argc, char **argv)
{
    struct store *s = store_open_with(32 * MIB, argc > 1 ? strtoull(argv[1], NULL, 10) : 0);
    struct volume *v = volume_open(s, PAGES, 12);
    volume_populate(v, 0, PAGES);
    if (argc > 2)
        use_file(s, argv[2]);
    struct result direct = {UINT64_MAX, UINT64_MAX}, limited = direct;
    for (int round = 0; round < 8; round++) { /* in turn, so that what else goes on meets both */
        s->pool->devices[0].waits = false;
        measure(v, &direct);
        s->pool->devices[0].waits = device_waits(s->pool->devices[0].fd);
        measure(v, &limited);
    }
    printf("best of 8            fault  device read of 1 KiB\n");
    printf("without a deadline  %5" PRIu64 "ns %5" PRIu64 " ns\n", direct.fault_ns, direct.read_ns);
    printf("with a deadline     %5" PRIu64 "ns %5" PRIu64 " ns\n", limited.fault_ns, limited.read_ns);
    volume_close(v);
    store_close(s);
    return 0;
}
