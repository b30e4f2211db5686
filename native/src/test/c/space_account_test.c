/* The space account: what a fault may promise, and where it takes it from. */
#define _GNU_SOURCE
#include "check.h"
#include "space_account.h"
#include "tests.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENT 65536
#define SEGMENTS 64
#define THREADS 4

static int64_t positions[SEGMENTS];

static struct kvmdb_space_account account_of(int segments_max)
{
    struct kvmdb_space_account account = {
        .limit_bytes = (int64_t)segments_max * SEGMENT,
        .grow_step_bytes = 2 * SEGMENT,
        .hole_bytes = SEGMENT,
        .hole_positions = (uint64_t)positions,
        .fd = memfd_create("space", MFD_CLOEXEC),
    };
    CHECK(account.fd >= 0);
    return account;
}

void growing_fills_holes_before_the_file(void)
{
    struct kvmdb_space_account account = account_of(4);
    CHECK_EQUAL(kvmdb_space_reserve(&account, 3 * SEGMENT), 0);
    CHECK_EQUAL(account.granted_bytes, 4 * SEGMENT);
    CHECK_EQUAL(kvmdb_space_reserve(&account, 2 * SEGMENT), -ENOSPC);
    CHECK_EQUAL(account.reserved_bytes, 3 * SEGMENT);

    /* A segment is taken out, punched and offered; it can be promised again though the file is at its limit. */
    kvmdb_space_release(&account, 3 * SEGMENT);
    for (int i = 0; i < 2; i++) {
        atomic_fetch_sub(&account.available_bytes, SEGMENT);
        CHECK_EQUAL(kvmdb_file_punch_hole(account.fd, (uint64_t)i * SEGMENT, SEGMENT), 0);
        CHECK_EQUAL(kvmdb_space_offer_hole(&account, i * SEGMENT), i);
    }
    int64_t before = kvmdb_file_allocated_bytes(account.fd);
    CHECK_EQUAL(before, 2 * SEGMENT);
    CHECK_EQUAL(kvmdb_space_reserve(&account, 2 * SEGMENT + 1), 0);
    CHECK_EQUAL(account.hole_count, 1);
    CHECK_EQUAL(account.granted_bytes, 4 * SEGMENT);
    CHECK_EQUAL(kvmdb_file_allocated_bytes(account.fd), 3 * SEGMENT);
    CHECK_EQUAL(kvmdb_space_grow(&account), 0);
    CHECK_EQUAL(account.hole_count, 0);
    CHECK_EQUAL(kvmdb_space_grow(&account), -ENOSPC);
    CHECK_EQUAL(account.available_bytes, 4 * SEGMENT);
    close(account.fd);
}

static void *reserve_all(void *argument)
{
    struct kvmdb_space_account *account = argument;
    intptr_t got = 0;
    while (kvmdb_space_reserve(account, 4096) == 0) {
        got++;
        CHECK_AT_MOST(atomic_load(&account->reserved_bytes), SEGMENTS * SEGMENT);
    }
    return (void *)got;
}

void reservations_beside_growth_never_exceed_what_is_available(void)
{
    struct kvmdb_space_account account = account_of(SEGMENTS);
    for (int i = 0; i < SEGMENTS / 2; i++)
        CHECK_EQUAL(kvmdb_space_offer_hole(&account, (int64_t)i * SEGMENT), i);
    atomic_store(&account.granted_bytes, SEGMENTS / 2 * SEGMENT);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, reserve_all, &account), 0);
    int64_t got = 0;
    for (int i = 0; i < THREADS; i++) {
        void *count;
        CHECK_EQUAL(pthread_join(threads[i], &count), 0);
        got += (intptr_t)count;
    }
    /* Every byte of every hole and of the rest of the file was promised once. */
    CHECK_EQUAL(got * 4096, SEGMENTS * SEGMENT);
    CHECK_EQUAL(account.available_bytes, SEGMENTS * SEGMENT);
    CHECK_EQUAL(account.hole_count, 0);
    close(account.fd);
}
