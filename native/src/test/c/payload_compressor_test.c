/* Payloads of pages: what any LZ4 library makes of them, how short they are, and what is touched to make them. */
#define _GNU_SOURCE
#include "compression_dictionary.h"
#include "fake_store.h"
#include "tests.h"

#include <dlfcn.h>
#include <string.h>

#define PAGE_MAX 65536
#define ROUNDS 30

static uint8_t content[KVMDB_DICTIONARY_BYTES_MAX];
static uint8_t payload[2 * PAGE_MAX];
static struct page_table table;

/* Mostly copies of something that came before, in the page or in the dictionary, as far back as may be; with runs and noise. */
static void page_write(uint64_t *seed, uint8_t *page, uint32_t bytes, uint32_t content_bytes)
{
    uint64_t style = random_next(seed);
    for (uint32_t at = 0; at < bytes;) {
        uint32_t count = 1 + (uint32_t)(random_next(seed) % (style & 1 ? 12 : 700));
        uint64_t what = random_next(seed) % (style & 2 ? 4 : 3);
        uint32_t source = (uint32_t)(random_next(seed) % (content_bytes + at + 1));
        for (uint8_t value = (uint8_t)random_next(seed); count > 0 && at < bytes; count--, at++, source++) {
            if (what == 0 && source < content_bytes)
                page[at] = content[source];
            else if (what <= 1 && source >= content_bytes && source - content_bytes < at)
                page[at] = page[source - content_bytes];
            else
                page[at] = what == 2 ? value : (uint8_t)(random_next(seed) >> 20);
        }
    }
}

/* Compresses into so much room and no more, and decodes. Returns the bytes of the payload. */
static int check_payload(const struct compression_dictionary *dictionary, const uint8_t *page, uint32_t bytes, uint32_t capacity)
{
    static uint8_t back[PAGE_MAX];
    memset(payload + capacity, 0x77, 64);
    int length = payload_compress(dictionary, &table, page, bytes, payload, capacity);
    CHECK_AT_MOST(length, capacity);
    for (int i = 0; i < 64; i++)
        CHECK_EQUAL(payload[capacity + i], 0x77);
    if (length > 0) {
        memset(back, 0xee, bytes);
        CHECK_EQUAL(payload_decompress(dictionary, payload, (uint32_t)length, back, bytes), bytes);
        CHECK_EQUAL(memcmp(back, page, bytes), 0);
    }
    return length;
}

static struct compression_dictionary *dictionary_made(uint64_t *seed, uint32_t length)
{
    page_write(seed, content, length, 0);
    int64_t handle = kvmdb_dictionary_create(content, length);
    CHECK(handle > 0 || handle < -4095);
    return (struct compression_dictionary *)handle;
}

/* The page lies alone in its memory, so that a sanitizer sees a byte read too much. */
static void check_pages(struct compression_dictionary *dictionary, uint32_t content_bytes, uint64_t *seed)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        uint32_t bytes = 1u << shift;
        uint8_t *page = malloc(bytes);
        page_write(seed, page, bytes, content_bytes);
        int length = check_payload(dictionary, page, bytes, bytes + bytes / 128 + 64);
        CHECK_LESS(0, length);
        check_payload(dictionary, page, bytes, (uint32_t)(random_next(seed) % bytes));
        check_payload(dictionary, page, bytes, (uint32_t)length - 1);
        CHECK_EQUAL(check_payload(dictionary, page, bytes, (uint32_t)length + 32), length);
        free(page);
    }
}

void payloads_of_any_page_are_decoded_by_lz4(void)
{
    static const uint32_t lengths[] = {1, 7, 8, 12, 100, 4096, 16384, 65535, 65536};
    uint64_t seed = 11;
    CHECK(kernel_open_lz4());
    for (int round = 0; round < ROUNDS; round++) {
        check_pages(NULL, 0, &seed);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            struct compression_dictionary *dictionary = dictionary_made(&seed, lengths[i]);
            check_pages(dictionary, lengths[i], &seed);
            CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
        }
    }
    static uint8_t too_large[PAGE_MAX + 1];
    CHECK_EQUAL(payload_compress(NULL, &table, too_large, sizeof too_large, payload, PAGE_MAX), 0);
}

/* A dictionary that begins with zeros: what an empty entry of the index points to is no match for anything else. */
void what_no_entry_of_the_index_knows_is_no_match(void)
{
    static uint8_t page[4096];
    uint64_t seed = 5;
    memset(content, 0, sizeof content);
    for (uint32_t length = 1; length < 40; length++) {
        struct compression_dictionary *dictionary = (struct compression_dictionary *)kvmdb_dictionary_create(content, length);
        memset(page, 0, sizeof page);
        CHECK_LESS(0, check_payload(dictionary, page, sizeof page, sizeof page));
        for (uint32_t i = 0; i < sizeof page; i++)
            page[i] = (uint8_t)(random_next(&seed) % 2);
        CHECK_LESS(0, check_payload(dictionary, page, sizeof page, sizeof page));
        CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
    }
}

/* The same words in another order in each page, as records have them. */
static void records_write(uint64_t seed, uint8_t *page, uint32_t bytes)
{
    static const char *const words[] = {"order=", "customer ", "shipped on ", "\"quantity\":", "street ", "unknown", "\n",
        "article number ", "2026-11-", "total amount "};
    for (uint32_t at = 0; at < bytes;) {
        const char *word = words[random_next(&seed) % 10];
        for (; *word && at < bytes; word++)
            page[at++] = (uint8_t)*word;
        for (int digits = (int)(random_next(&seed) % 5); digits > 0 && at < bytes; digits--)
            page[at++] = (uint8_t)('0' + random_next(&seed) % 10);
    }
}

/* Nobody would take it for LZ4's otherwise: of the same pages no more than a twentieth longer, by the sum. */
void payloads_are_as_short_as_those_of_lz4(void)
{
    void *library = dlopen("liblz4.so.1", RTLD_NOW);
    CHECK(library != NULL);
    int (*theirs)(const char *, char *, int, int);
    *(void **)&theirs = dlsym(library, "LZ4_compress_default");
    CHECK(theirs != NULL);
    static uint8_t page[PAGE_MAX];
    records_write(1, content, 16384);
    struct compression_dictionary *dictionary = (struct compression_dictionary *)kvmdb_dictionary_create(content, 16384);
    for (uint32_t shift = 12; shift <= 16; shift++) {
        int64_t alone = 0, against = 0, lz4 = 0;
        for (uint64_t seed = 2; seed < 40; seed++) {
            records_write(seed, page, 1u << shift);
            alone += check_payload(NULL, page, 1u << shift, PAGE_MAX);
            against += check_payload(dictionary, page, 1u << shift, PAGE_MAX);
            lz4 += theirs((const char *)page, (char *)payload, 1 << shift, PAGE_MAX);
        }
        CHECK_AT_MOST(alone, lz4 + lz4 / 20);
        CHECK_LESS(against, alone);
    }
    CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
}
