/* The set of LPNs against a naive one, and its summaries while others set and clear. */
#include "fake_store.h"
#include "page_bitmap.h"
#include "tests.h"

#include <string.h>

#define PAGES 40000

static uint64_t naive_next(const uint8_t *set, uint64_t pages, uint64_t from)
{
    for (; from < pages; from++) {
        if (set[from])
            return from;
    }
    return PAGE_BITMAP_END;
}

void bitmap_agrees_with_a_naive_set(void)
{
    struct page_bitmap bitmap = {0};
    uint8_t *set = calloc(PAGES, 1);
    uint64_t seed = 7;
    CHECK_EQUAL(page_bitmap_open(&bitmap, PAGES), 0);
    CHECK_EQUAL(page_bitmap_next(&bitmap, 0), PAGE_BITMAP_END);
    for (int i = 0; i < 200000; i++) {
        /* Fills and empties in turn, so that the summaries come and go. */
        uint64_t page = random_next(&seed) % PAGES;
        bool add = random_next(&seed) % 16 < (i / 20000 % 2 ? 1u : 9u);
        if (add)
            page_bitmap_set(&bitmap, page);
        else
            page_bitmap_clear(&bitmap, page);
        set[page] = add;
        if (i % 8 == 0) {
            uint64_t from = random_next(&seed) % (PAGES + 100);
            CHECK_EQUAL(page_bitmap_next(&bitmap, from), naive_next(set, PAGES, from));
            CHECK_EQUAL(page_bitmap_next_tidy(&bitmap, from), naive_next(set, PAGES, from));
        }
    }
    page_bitmap_close(&bitmap);
    free(set);
}

static struct page_bitmap shared;
static _Atomic bool over;

static void *set_and_clear(void *argument)
{
    uint64_t seed = (uint64_t)argument;
    uint64_t first = (uint64_t)argument * 64;
    while (!atomic_load(&over)) {
        uint64_t page = first + random_next(&seed) % 64;
        page_bitmap_set(&shared, page);
        if (page_bitmap_next(&shared, page) != page) {
            fprintf(stderr, "a page that was just added is missing: %" PRIu64 "\n", page);
            abort();
        }
        page_bitmap_clear(&shared, page);
    }
    return NULL;
}

static void *look_all_over(void *unused)
{
    while (!atomic_load(&over))
        page_bitmap_next(&shared, 0);
    return unused;
}

/* The owner scans from the start, tidying as it goes, and must find what was there before it began. */
void bitmap_never_hides_a_member_from_its_owner(void)
{
    memset(&shared, 0, sizeof shared);
    CHECK_EQUAL(page_bitmap_open(&shared, PAGES), 0);
    atomic_store(&over, false);
    pthread_t threads[3];
    CHECK_EQUAL(pthread_create(&threads[0], NULL, set_and_clear, (void *)1), 0);
    CHECK_EQUAL(pthread_create(&threads[1], NULL, set_and_clear, (void *)2), 0);
    CHECK_EQUAL(pthread_create(&threads[2], NULL, look_all_over, NULL), 0);
    uint64_t seed = 3;
    for (uint64_t end = milliseconds() + 700; milliseconds() < end;) {
        for (int i = 0; i < 1000; i++) {
            uint64_t mine = 192 + random_next(&seed) % (PAGES - 192);
            page_bitmap_set(&shared, mine);
            uint64_t found = page_bitmap_next_tidy(&shared, 192);
            CHECK_EQUAL(found, mine);
            page_bitmap_clear(&shared, mine);
            page_bitmap_next_tidy(&shared, 0);
        }
    }
    atomic_store(&over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(page_bitmap_next_tidy(&shared, 0), PAGE_BITMAP_END);
    page_bitmap_close(&shared);
}
