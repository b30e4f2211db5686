#define _GNU_SOURCE
#include "page_bitmap.h"
#include "native_memory.h"

int page_bitmap_open(struct page_bitmap *bitmap, uint64_t pages)
{
    uint64_t total = 0;
    uint64_t bits = pages;
    for (int i = 0; i < 3; i++) {
        bitmap->words[i] = (bits + 63) / 64;
        bits = bitmap->words[i];
        total += bitmap->words[i];
    }
    bitmap->memory_bytes = total * 8;
    int64_t memory = kvmdb_memory_reserve(bitmap->memory_bytes);
    if (memory < 0 && memory > -4096)
        return (int)memory;
    bitmap->memory = (void *)memory;
    _Atomic uint64_t *at = bitmap->memory;
    for (int i = 0; i < 3; i++) {
        bitmap->level[i] = at;
        at += bitmap->words[i];
    }
    return 0;
}

void page_bitmap_close(struct page_bitmap *bitmap)
{
    if (bitmap->memory)
        kvmdb_memory_release(bitmap->memory, bitmap->memory_bytes);
    bitmap->memory = 0;
}

/* Sets the bit of a level and those that summarize it. */
static void set_from_level(struct page_bitmap *bitmap, int level, uint64_t index)
{
    for (int i = level; i < 3; i++, index >>= 6) {
        uint64_t bit = 1ull << (index & 63);
        if (!(atomic_load(&bitmap->level[i][index >> 6]) & bit))
            atomic_fetch_or(&bitmap->level[i][index >> 6], bit);
    }
}

void page_bitmap_set(struct page_bitmap *bitmap, uint64_t page)
{
    set_from_level(bitmap, 0, page);
}

void page_bitmap_clear(struct page_bitmap *bitmap, uint64_t page)
{
    atomic_fetch_and(&bitmap->level[0][page >> 6], ~(1ull << (page & 63)));
}

/* Takes an empty word's bit out of its summary, unless the word filled meanwhile. */
static void summary_clear(struct page_bitmap *bitmap, int level, uint64_t word)
{
    _Atomic uint64_t *summary = &bitmap->level[level + 1][word >> 6];
    atomic_fetch_and(summary, ~(1ull << (word & 63)));
    if (atomic_load(&bitmap->level[level][word]) != 0)
        set_from_level(bitmap, level + 1, word);
}

/* The first set bit of a level that is at least index, and is set in all summaries above; END when there is none. */
static uint64_t next_in_level(struct page_bitmap *bitmap, int level, uint64_t index, bool tidy)
{
    for (;;) {
        uint64_t word = index >> 6;
        if (word >= bitmap->words[level])
            return PAGE_BITMAP_END;
        uint64_t rest = atomic_load(&bitmap->level[level][word]) >> (index & 63);
        if (rest)
            return index + (uint64_t)__builtin_ctzll(rest);
        if (level == 2) {
            index = (word + 1) << 6;
            continue;
        }
        if (tidy && (index & 63) == 0)
            summary_clear(bitmap, level, word);
        uint64_t above = next_in_level(bitmap, level + 1, word + 1, tidy);
        if (above == PAGE_BITMAP_END)
            return PAGE_BITMAP_END;
        index = above << 6;
    }
}

uint64_t page_bitmap_next(struct page_bitmap *bitmap, uint64_t page)
{
    return next_in_level(bitmap, 0, page, false);
}

uint64_t page_bitmap_next_tidy(struct page_bitmap *bitmap, uint64_t page)
{
    return next_in_level(bitmap, 0, page, true);
}
