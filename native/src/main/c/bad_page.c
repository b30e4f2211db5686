#define _GNU_SOURCE
#include "bad_page.h"
#include "page_evict.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

const uint8_t bad_page_zeros[KVMDB_PAGE_BYTES_MAX] __attribute__((aligned(4096)));

void bad_page_record(struct region *region, uint64_t lpn, const struct bad_page *bad)
{
    futex_lock(&region->bad_lock);
    uint64_t number = atomic_load(&region->bad_count) + 1;
    region->bad[number % KVMDB_BAD_PAGE_RING] = (struct kvmdb_bad_page){
        .number = number,
        .lpn = lpn,
        .ppn = bad->ppn,
        .cause = bad->cause,
        .detail = bad->detail,
        .thread = syscall(SYS_gettid),
    };
    atomic_store(&region->bad_count, number);
    futex_unlock(&region->bad_lock);
    COUNT(region->pool, bad_pages, 1);
}

int64_t kvmdb_region_bad_count(struct region *region)
{
    return (int64_t)atomic_load(&region->bad_count);
}

int kvmdb_region_bad_page(struct region *region, int64_t number, struct kvmdb_bad_page *out)
{
    futex_lock(&region->bad_lock);
    *out = region->bad[(uint64_t)number % KVMDB_BAD_PAGE_RING];
    futex_unlock(&region->bad_lock);
    return number > 0 && out->number == (uint64_t)number ? 0 : -ENOENT;
}

int64_t kvmdb_region_unpoison(struct region *region)
{
    int64_t dropped = 0;
    bool all = true;
    struct page_batch batch;
    batch.count = 0;
    for (uint64_t lpn = 0; (lpn = page_bitmap_next(&region->poisoned, lpn)) != PAGE_BITMAP_END; lpn++) {
        uint64_t word = page_lock(&region->words[lpn]);
        page_bitmap_clear(&region->poisoned, lpn);
        if (page_state(word) == POISONED) {
            batch_add(&batch, region, lpn, EMPTY | (word & PAGE_QUEUED), EMPTY);
            int gone = batch_drop(&batch);
            dropped += gone;
            all &= gone == 1;
        } else {
            page_unlock(&region->words[lpn], word);
        }
    }
    return all ? dropped : -EIO;
}
