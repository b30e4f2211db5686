/* Device reads in a fault: what fails, comes short, or comes too late. */
#define _GNU_SOURCE
#include "device_reader.h"
#include "fake_store.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 60

enum trouble { FAILS, COMES_SHORT, IS_INTERRUPTED, IS_WRONG, ENDS_EARLY, HANGS };

/* The fault model: each read of the device has the same trouble, until it is called off. */
struct bad_device {
    struct device_hook hook;
    enum trouble trouble;
    int hanging; /* a pipe that nothing comes out of */
    int calls;
};

static int64_t troubled_read(struct device_hook *hook, int *fd, void *buffer, uint32_t bytes, uint64_t position)
{
    struct bad_device *d = (struct bad_device *)hook;
    d->calls++;
    switch (d->trouble) {
    case FAILS:
        return -EIO;
    case COMES_SHORT:
        return pread(*fd, buffer, bytes > 100 ? 100 : bytes, (off_t)position);
    case IS_INTERRUPTED:
        return d->calls % 3 ? -EINTR : pread(*fd, buffer, bytes, (off_t)position);
    case IS_WRONG:
        memset(buffer, 0x5a, bytes);
        return bytes;
    case ENDS_EARLY:
        return d->calls % 2 ? pread(*fd, buffer, bytes / 2, (off_t)position) : 0;
    case HANGS:
        *fd = d->hanging;
        return -EAGAIN;
    }
    return -ENOTSUP;
}

static struct store *s;
static struct volume *v;
static struct bad_device device;

static void begin(enum trouble trouble)
{
    s = store_open_with(4 * MIB, DEADLINE_MS);
    v = volume_open(s, 64, 12);
    volume_populate(v, 0, 64);
    device = (struct bad_device){.hook = {troubled_read}, .trouble = trouble, .hanging = -1};
    s->pool->device_hook = &device.hook;
}

static void end(void)
{
    volume_close(v);
    store_close(s);
}

static void check_bad(uint64_t lpn, enum kvmdb_bad_cause cause, int detail)
{
    CHECK_EQUAL(*(volatile uint64_t *)page_at(v, lpn), 0);
    CHECK_EQUAL(last_bad_page(v).cause, cause);
    CHECK_EQUAL(last_bad_page(v).detail, detail);
    CHECK_EQUAL(last_bad_page(v).lpn, lpn);
}

void a_read_that_fails_or_ends_early_or_lies_makes_a_bad_page(void)
{
    begin(FAILS);
    check_bad(3, KVMDB_BAD_READ, EIO);
    device.trouble = ENDS_EARLY;
    check_bad(9, KVMDB_BAD_READ, EIO);
    device.trouble = IS_WRONG;
    check_bad(20, KVMDB_BAD_CHECKSUM, 0);
    s->pool->device_hook = NULL;
    CHECK_EQUAL(kvmdb_region_unpoison(v->region), 3);
    for (uint64_t lpn = 0; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, 1);
    end();
}

void a_read_that_comes_in_pieces_is_put_together(void)
{
    begin(COMES_SHORT);
    for (uint64_t lpn = 0; lpn < 32; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_LESS(100, device.calls);
    device.trouble = IS_INTERRUPTED;
    for (uint64_t lpn = 32; lpn < 64; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    end();
}

static bool has_rings(void)
{
    return s->pool->slots[0].ring.fd >= 0;
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
    begin(HANGS);
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    device.hanging = ends[0];
    if (has_rings()) {
        uint64_t before = milliseconds();
        check_bad(3, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        CHECK_LESS(DEADLINE_MS - 5, milliseconds() - before);
        CHECK_LESS(milliseconds() - before, 10 * DEADLINE_MS);
        CHECK_EQUAL(late_slots(), 1);
        CHECK_EQUAL(kvmdb_pool_epoch_passed(s->pool, kvmdb_pool_epoch_advance(s->pool)), 1);
        s->pool->device_hook = NULL;
        for (uint64_t lpn = 4; lpn < 64; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(late_slots(), 1);
        uint8_t garbage[4096];
        memset(garbage, 0xee, sizeof garbage);
        CHECK_EQUAL(write(ends[1], garbage, sizeof garbage), (int64_t)sizeof garbage);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        for (int round = 0; round < 4; round++) {
            for (uint64_t lpn = 0; lpn < 64; lpn++) {
                CHECK_PAGE(v, lpn, 1);
                evict_page(v, lpn);
            }
        }
        wait_for_late_slots();
    }
    s->pool->device_hook = NULL;
    end();
    close(ends[0]);
    close(ends[1]);
}

void when_all_slots_are_late_faults_fail_and_recover(void)
{
    begin(HANGS);
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    device.hanging = ends[0];
    if (has_rings()) {
        for (uint64_t lpn = 0; lpn < s->pool->slot_count; lpn++)
            check_bad(lpn * 2, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        CHECK_EQUAL(late_slots(), s->pool->slot_count);
        s->pool->device_hook = NULL;
        uint64_t before = milliseconds();
        check_bad(63, KVMDB_BAD_DEADLINE, 0);
        CHECK_LESS(milliseconds() - before, 20 * DEADLINE_MS);
        close(ends[1]); /* all of them end */
        wait_for_late_slots();
        kvmdb_region_unpoison(v->region);
        for (uint64_t lpn = 0; lpn < 64; lpn++)
            CHECK_PAGE(v, lpn, 1);
    }
    s->pool->device_hook = NULL;
    end();
}

void a_pool_closes_while_a_read_hangs(void)
{
    begin(HANGS);
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    device.hanging = ends[0];
    if (has_rings()) {
        check_bad(3, KVMDB_BAD_DEADLINE, ETIMEDOUT);
        s->pool->device_hook = NULL;
        end();
    }
    close(ends[0]);
    close(ends[1]);
}

/* What the page cache does not have goes through the ring. */
void reads_that_miss_the_page_cache_go_through_the_ring(void)
{
    begin(FAILS);
    s->pool->device_hook = NULL;
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
