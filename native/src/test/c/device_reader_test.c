/* Device reads in a fault: what fails, comes short, comes twice, or comes too late. */
#define _GNU_SOURCE
#include "device_reader.h"
#include "fake_store.h"
#include "fault_plan.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 60
#define PATIENT_MS 20000 /* where nothing is to be late, not even on a machine that is busy */

#define CACHED (1ull << KVMDB_READ_CACHED)
#define SUBMIT (1ull << KVMDB_READ_SUBMIT)
#define COMPLETE (1ull << KVMDB_READ_COMPLETE)
#define PLAIN (1ull << KVMDB_READ)

static struct store *s;
static struct volume *v;

static void begin_with(uint64_t deadline_ms)
{
    s = store_open_with(4 * MIB, deadline_ms);
    v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
}

static void begin(void)
{
    begin_with(PATIENT_MS);
}

static void end(void)
{
    volume_close(v);
    store_close(s);
}

static bool has_rings(void)
{
    return s->pool->slots[0].ring.fd >= 0;
}

/* Nothing is in the page cache, and what is read through the ring has the effect. */
static void arm_ring_fault(uint64_t operations, uint64_t first, uint64_t times, enum kvmdb_effect effect, int64_t value)
{
    const struct kvmdb_fault_rule rules[] = {
        {.operations = CACHED, .effect = KVMDB_EFFECT_ERROR, .value = EAGAIN},
        {.operations = operations, .first = first, .times = times, .effect = effect, .value = value},
    };
    CHECK_EQUAL(kvmdb_faults_arm(rules, 2), 0);
}

/* Nothing goes through the ring, and all reads have the effect. */
static void arm_plain_fault(uint64_t first, uint64_t times, enum kvmdb_effect effect, int64_t value)
{
    const struct kvmdb_fault_rule rules[] = {
        {.operations = SUBMIT, .effect = KVMDB_EFFECT_ERROR, .value = EAGAIN},
        {.operations = CACHED | PLAIN, .first = first, .times = times, .effect = effect, .value = value},
    };
    CHECK_EQUAL(kvmdb_faults_arm(rules, 2), 0);
}

static void check_bad(uint64_t lpn, enum kvmdb_bad_cause cause, int detail)
{
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, lpn), 0);
    CHECK_EQUAL(last_bad_page(v).cause, cause);
    CHECK_EQUAL(last_bad_page(v).detail, detail);
    CHECK_EQUAL(last_bad_page(v).lpn, lpn);
}

/* Each by a fault and a read of its own. */
static void check_all_good(void)
{
    for (uint64_t i = 0; i < 64; i++) {
        CHECK_PAGE(v, i * 37 % 64, 1);
        evict_page(v, i * 37 % 64);
    }
}

void a_read_that_fails_or_ends_early_or_lies_makes_a_bad_page(void)
{
    begin();
    arm_plain_fault(0, 0, KVMDB_EFFECT_ERROR, EIO);
    check_bad(3, KVMDB_BAD_READ, EIO);
    kvmdb_faults_disarm();
    const struct kvmdb_fault_rule ends_early[] = {
        {.operations = SUBMIT, .effect = KVMDB_EFFECT_ERROR, .value = EAGAIN},
        {.operations = CACHED | PLAIN, .times = 2, .effect = KVMDB_EFFECT_SHORT, .value = 16},
        {.operations = CACHED | PLAIN, .first = 2, .effect = KVMDB_EFFECT_SHORT, .value = 0},
    };
    CHECK_EQUAL(kvmdb_faults_arm(ends_early, 3), 0);
    check_bad(9, KVMDB_BAD_READ, EIO);
    kvmdb_faults_disarm();
    arm_plain_fault(0, 0, KVMDB_EFFECT_FLIP, 1001);
    check_bad(20, KVMDB_BAD_CHECKSUM, 0);
    kvmdb_faults_disarm();
    arm_plain_fault(0, 0, KVMDB_EFFECT_MISPLACE, 64);
    check_bad(30, KVMDB_BAD_CHECKSUM, 0);
    kvmdb_faults_disarm();
    arm_plain_fault(0, 0, KVMDB_EFFECT_SKIP, 0); /* what the buffer holds from before is another page */
    check_bad(40, KVMDB_BAD_CHECKSUM, 0);
    kvmdb_faults_disarm();
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 5);
    check_all_good();
    end();
}

void a_read_that_is_wrong_once_is_read_again(void)
{
    const enum kvmdb_effect effects[] = {KVMDB_EFFECT_FLIP, KVMDB_EFFECT_MISPLACE, KVMDB_EFFECT_SKIP};
    begin();
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_PAGE(v, 50 + i, 1); /* what a buffer holds from before is another page */
        arm_plain_fault(0, 1, effects[i], 64);
        CHECK_PAGE(v, 20 + 10 * i, 1);
        kvmdb_faults_disarm();
    }
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 0);
    check_all_good();
    end();
}

void a_read_that_comes_in_pieces_is_put_together(void)
{
    begin();
    arm_plain_fault(0, 0, KVMDB_EFFECT_SHORT, 100);
    check_all_good();
    CHECK_LESS(100, kvmdb_faults_hits(1));
    kvmdb_faults_disarm();
    for (uint64_t first = 0; first < 8; first++) {
        arm_plain_fault(first, 50, KVMDB_EFFECT_ERROR, first % 2 ? EINTR : EAGAIN);
        check_all_good();
        CHECK_EQUAL(kvmdb_faults_hits(1), 50);
        kvmdb_faults_disarm();
    }
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    end();
}

void a_read_that_is_to_be_tried_again_for_ever_is_given_up(void)
{
    begin();
    refuse_forever(CACHED | PLAIN | SUBMIT, EAGAIN);
    check_bad(3, KVMDB_BAD_READ, EAGAIN);
    kvmdb_faults_disarm();
    refuse_forever(CACHED | PLAIN | SUBMIT, EINTR);
    check_bad(9, KVMDB_BAD_READ, EINTR);
    kvmdb_faults_disarm();
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 2);
    check_all_good();
    end();
}

/* Whatever the ring does to a read that the disk has done right, the page is right. */
void odd_completions_are_not_seen(void)
{
    begin();
    if (has_rings()) {
        static const struct {
            uint64_t operations;
            enum kvmdb_effect effect;
            int64_t value;
        } odd[] = {
            {COMPLETE, KVMDB_EFFECT_SHORT, 100},
            {COMPLETE, KVMDB_EFFECT_REPEAT, 0},
            {COMPLETE, KVMDB_EFFECT_ERROR, EAGAIN},
            {COMPLETE, KVMDB_EFFECT_ERROR, EINTR},
            {COMPLETE, KVMDB_EFFECT_DELAY, 1},
            {SUBMIT, KVMDB_EFFECT_SHORT, 300},
            {SUBMIT, KVMDB_EFFECT_ERROR, EBUSY},
            {SUBMIT, KVMDB_EFFECT_ERROR, EINTR},
            {SUBMIT, KVMDB_EFFECT_DELAY, 1},
        };
        for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
            for (uint64_t first = 0; first < 3; first++) {
                arm_ring_fault(odd[i].operations, first, first ? 1 : 50, odd[i].effect, odd[i].value);
                check_all_good();
                CHECK_EQUAL(kvmdb_faults_hits(1), first ? 1 : 50);
                kvmdb_faults_disarm();
                check_all_good();
            }
        }
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    }
    end();
}

void a_completion_that_is_wrong_makes_a_bad_page(void)
{
    begin();
    if (has_rings()) {
        arm_ring_fault(COMPLETE, 0, 0, KVMDB_EFFECT_ERROR, EIO);
        check_bad(3, KVMDB_BAD_READ, EIO);
        kvmdb_faults_disarm();
        arm_ring_fault(COMPLETE, 0, 0, KVMDB_EFFECT_SHORT, 0);
        check_bad(9, KVMDB_BAD_READ, EIO);
        kvmdb_faults_disarm();
        arm_ring_fault(COMPLETE, 0, 0, KVMDB_EFFECT_FLIP, 77);
        check_bad(20, KVMDB_BAD_CHECKSUM, 0);
        kvmdb_faults_disarm();
        arm_ring_fault(SUBMIT, 0, 0, KVMDB_EFFECT_MISPLACE, -64);
        check_bad(30, KVMDB_BAD_CHECKSUM, 0);
        kvmdb_faults_disarm();
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 4);
        check_all_good();
    }
    end();
}

static uint32_t late_slots(void)
{
    uint32_t late = 0;
    for (uint32_t i = 0; i < s->pool->slot_count; i++)
        late += atomic_load(&s->pool->slots[i].state) == SLOT_LATE;
    return late;
}

/* Late slots are looked after when they are wanted. */
static void wait_for_late_slots(void)
{
    for (uint64_t until = milliseconds() + 2000; late_slots();) {
        CHECK_LESS(milliseconds(), until);
        struct fault_slot *slots[64];
        for (uint32_t i = 0; i < s->pool->slot_count; i++) {
            slots[i] = slot_acquire(s->pool);
            CHECK(slots[i] != NULL);
        }
        for (uint32_t i = 0; i < s->pool->slot_count; i++)
            slot_release(s->pool, slots[i]);
    }
}

/* A read that comes in after all finds its slot still its own, and the pool works on meanwhile. */
void a_read_beyond_the_deadline_makes_a_bad_page_and_harms_no_later_one(void)
{
    begin_with(DEADLINE_MS);
    if (has_rings()) {
        arm_ring_fault(SUBMIT, 0, 1, KVMDB_EFFECT_HANG, 0);
        uint64_t before = milliseconds();
        check_bad(3, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        CHECK_LESS(DEADLINE_MS - 5, milliseconds() - before);
        CHECK_LESS(milliseconds() - before, 10 * DEADLINE_MS);
        CHECK_EQUAL(late_slots(), 1);
        CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, kvmdb_pool_epoch_advance(s->pool)), 1);
        for (uint64_t lpn = 4; lpn < 64; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(late_slots(), 1);
        kvmdb_faults_disarm(); /* the read brings garbage */
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        for (int round = 0; round < 4; round++)
            check_all_good();
        wait_for_late_slots();
    }
    end();
}

void when_all_slots_are_late_faults_fail_and_recover(void)
{
    begin_with(DEADLINE_MS);
    if (has_rings()) {
        arm_ring_fault(SUBMIT, 0, s->pool->slot_count, KVMDB_EFFECT_HANG, 0);
        for (uint64_t lpn = 0; lpn < s->pool->slot_count; lpn++)
            check_bad(lpn * 2, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        CHECK_EQUAL(late_slots(), s->pool->slot_count);
        uint64_t before = milliseconds();
        check_bad(63, KVMDB_BAD_DEADLINE, 0);
        CHECK_LESS(milliseconds() - before, 20 * DEADLINE_MS);
        kvmdb_faults_disarm(); /* all of them end */
        wait_for_late_slots();
        kvmdb_region_unpoison(v->region);
        check_all_good();
    }
    end();
}

void a_completion_that_never_comes_costs_a_page_and_a_slot(void)
{
    begin_with(DEADLINE_MS);
    if (has_rings()) {
        arm_ring_fault(COMPLETE, 0, 1, KVMDB_EFFECT_SKIP, 0);
        check_bad(3, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        kvmdb_faults_disarm();
        CHECK_EQUAL(late_slots(), 1);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        check_all_good();
        CHECK_EQUAL(late_slots(), 1);
    }
    end();
}

void a_pool_closes_while_a_read_hangs(void)
{
    begin_with(DEADLINE_MS);
    if (has_rings()) {
        arm_ring_fault(SUBMIT, 0, 0, KVMDB_EFFECT_HANG, 0);
        check_bad(3, KVMDB_BAD_DEADLINE, ETIMEDOUT);
    }
    end();
    kvmdb_faults_disarm();
}

/* What the page cache does not have goes through the ring. */
void reads_that_miss_the_page_cache_go_through_the_ring(void)
{
    begin();
    int file = kvmdb_file_open("/var/tmp", KVMDB_FILE_UNNAMED);
    if (file < 0)
        file = kvmdb_file_open("/tmp", KVMDB_FILE_UNNAMED);
    CHECK(file >= 0);
    uint8_t *copy = malloc(2 * MIB);
    int64_t bytes = kvmdb_file_read(s->device, copy, 2 * MIB, 0);
    CHECK_EQUAL(kvmdb_file_write(file, copy, (uint64_t)bytes, 0), 0);
    CHECK_EQUAL(kvmdb_pool_device(s->pool, 0, file), 0);
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(kvmdb_file_flush(file), 0);
        CHECK_EQUAL(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
        for (uint64_t i = 0; i < 64; i++)
            CHECK_PAGE(v, i * 37 % 64, 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        for (uint64_t lpn = 0; lpn < 64; lpn++)
            evict_page(v, lpn);
    }
    free(copy);
    end();
    close(file);
}

/* ---- past the page cache ---- */

static bool begin_direct(uint32_t shift)
{
    s = store_open_direct(32 * MIB, 5000, 0);
    v = volume_open(s, 200, shift);
    volume_populate(v, 0, 200);
    return s->pool->devices[0].is_direct; /* not every file system has such reads */
}

void direct_reads_bring_blocks_that_no_sector_begins_with(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        if (!begin_direct(shift))
            printf(" [not past the page cache here]");
        for (uint64_t i = 0; i < 400; i++) /* in runs first, then one by one */
            CHECK_PAGE(v, i < 200 ? i : i * 37 % 200, 1);
        for (uint64_t i = 0; i < 200; i++) {
            evict_page(v, i);
            CHECK_PAGE(v, i, 1);
        }
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        content_write(v, 7, 2, page_at(v, 7)); /* what is written through the page cache is read past it */
        CHECK_EQUAL(commit_all(v), 1);
        evict_page(v, 7);
        CHECK_PAGE(v, 7, 2);
        end();
    }
}

void a_direct_read_that_cannot_be_goes_through_the_page_cache(void)
{
    if (begin_direct(12)) {
        s->pool->devices[0].direct_align = 64; /* a block's: the kernel refuses it */
        for (uint64_t i = 0; i < 200; i++)
            CHECK_PAGE(v, i * 37 % 200, 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        s->pool->devices[0].direct_align = 512;
        arm_ring_fault(COMPLETE, 0, 0, KVMDB_EFFECT_ERROR, EIO);
        evict_page(v, 5);
        check_bad(5, KVMDB_BAD_READ, EIO); /* both ways were tried */
        CHECK_LESS(1, kvmdb_faults_hits(1));
        CHECK_EQUAL(kvmdb_faults_disarm(), 0);
    }
    end();
}

/* ---- a second look ---- */

/* Whatever comes out of the page cache is wrong, as behind a bad memory cell, and the device is right. */
void what_is_wrong_in_the_page_cache_is_read_from_the_device(void)
{
    for (uint32_t shift = 12; shift <= 16; shift += 2) {
        s = store_open_on_disk(32 * MIB, PATIENT_MS);
        v = volume_open(s, 220, shift);
        volume_populate(v, 0, 220); /* the file goes on behind what is read, as those of stores do */
        CHECK(!s->pool->devices[0].is_direct);
        if (s->pool->devices[0].direct_fd < 0 || !has_rings()) {
            printf(" [not past the page cache here]");
        } else {
            arm_fault(CACHED, 0, 0, KVMDB_EFFECT_FLIP, 1001);
            for (uint64_t i = 0; i < 200; i++)
                CHECK_PAGE(v, i * 37 % 200, 1);
            CHECK_LESS(0, kvmdb_faults_hits(0));
            kvmdb_faults_disarm();
            CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
        }
        end();
    }
}

/* Without a way past it the page cache is asked again, and with one a first look still goes through it. */
void only_a_second_look_goes_past_the_page_cache(void)
{
    s = store_open_on_disk(32 * MIB, PATIENT_MS);
    v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    if (has_rings()) {
        arm_fault(SUBMIT, 0, 0, KVMDB_EFFECT_NONE, 0);
        check_all_good();
        CHECK_EQUAL(kvmdb_faults_seen(0), 0);
        kvmdb_faults_disarm();
    }
    device_detach(&s->pool->devices[0]);
    arm_fault(CACHED | PLAIN, 0, 1, KVMDB_EFFECT_FLIP, 1001);
    CHECK_PAGE(v, 7, 1);
    CHECK_EQUAL(kvmdb_faults_hits(0), 1);
    kvmdb_faults_disarm();
    arm_fault(CACHED | PLAIN, 0, 0, KVMDB_EFFECT_FLIP, 1001);
    check_bad(9, KVMDB_BAD_CHECKSUM, 0);
    kvmdb_faults_disarm();
    end();
}
