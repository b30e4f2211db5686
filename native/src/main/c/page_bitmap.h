/*
 * A set of LPNs: one bit a page, with two levels of summary above, so that finding the members of a sparse set costs
 * its size and not that of the volume. Bits change only under the page's lock. The summaries may say "perhaps" of a word
 * that is empty; whoever owns the set (one thread at a time) tidies them as it goes, and for a moment that can make them
 * say "none" to others, though never to itself.
 */
#ifndef KVMDB_PAGE_BITMAP_H
#define KVMDB_PAGE_BITMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE_BITMAP_END UINT64_MAX

struct page_bitmap {
    _Atomic uint64_t *level[3]; /* level 0: a bit a page; level n + 1: a bit a word of level n */
    uint64_t words[3];
    void *memory;
    uint64_t memory_bytes;
};

int page_bitmap_open(struct page_bitmap *bitmap, uint64_t pages);
void page_bitmap_close(struct page_bitmap *bitmap);
void page_bitmap_set(struct page_bitmap *bitmap, uint64_t page);
void page_bitmap_clear(struct page_bitmap *bitmap, uint64_t page);
/* The first member that is at least page, or PAGE_BITMAP_END. Beside an owner at work it may miss a member. */
uint64_t page_bitmap_next(struct page_bitmap *bitmap, uint64_t page);
/* The same for the owner: misses no member that was added before the call, and tidies the summaries. */
uint64_t page_bitmap_next_tidy(struct page_bitmap *bitmap, uint64_t page);

#endif
