/* Blocks that are compressed against a dictionary: encoded, decoded, damaged, and read by faults. */
#define _GNU_SOURCE
#include "block_codec.h"
#include "block_writer.h"
#include "crc32c.h"
#include "fake_store.h"
#include "native_memory.h"
#include "tests.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static const uint32_t lengths[] = {1, 3, 4, 7, 8, 9, 255, 4096, 65535, KVMDB_DICTIONARY_BYTES_MAX};
#define LENGTHS (sizeof lengths / sizeof *lengths)

/* Text of words from a list: what pages have in common. */
static void text_write(uint64_t seed, uint8_t *text, uint32_t bytes)
{
    static const char *const words[] = {"{\"customer\":", "\"name\":", "\"street and number\":", "\"updated\":", "null,",
        "\"balance in cents\":", "true,", "\"remarks\":[],", "},", "\"country of residence\":"};
    for (uint32_t i = 0; i < bytes;) {
        const char *word = words[random_next(&seed) % 10];
        for (; *word && i < bytes; word++)
            text[i++] = (uint8_t)*word;
        for (uint64_t digits = random_next(&seed) % 100000; digits && i < bytes; digits /= 10)
            text[i++] = (uint8_t)('0' + digits % 10);
    }
}

static void noise_write(uint64_t seed, uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_next(&seed);
}

static struct compression_dictionary *dictionary_of(const void *content, uint64_t length)
{
    int64_t handle = kvmdb_dictionary_create(content, length);
    CHECK(handle > 0 || handle < -4095);
    return (struct compression_dictionary *)handle;
}

static struct compression_dictionary *dictionary_of_text(uint64_t seed, uint32_t length)
{
    static uint8_t text[KVMDB_DICTIONARY_BYTES_MAX];
    text_write(seed, text, length);
    return dictionary_of(text, length);
}

/* Seals a block as the log does. */
static struct block_seed seal(uint8_t *block, uint32_t length)
{
    struct block_seed seed = {.salt = 17, .generation = 4, .ppn = (uint64_t)(length >> PPN_UNIT_SHIFT) << PPN_LENGTH_SHIFT,
        .lpn = 99, .family = 3};
    uint32_t crc = ~crc32c_update(crc32c_update(~0u, &seed, sizeof seed), block + 4, length - 4);
    memcpy(block, &crc, 4);
    return seed;
}

static uint8_t block[KVMDB_PAGE_BYTES_MAX + 256];

/* The block of a page, as the log has it, in block. */
static struct block_seed encode(const struct compression_dictionary *dictionary, const uint8_t *page, uint32_t shift)
{
    struct page_table tables[2];
    int32_t length;
    memset(tables, 0x5a, sizeof tables); /* that of another page, as it were */
    struct kvmdb_block_buffers buffers = {.pages = (uint64_t)page, .blocks = (uint64_t)block, .lengths = (uint64_t)&length,
        .dictionary = (uint64_t)dictionary, .table = (uint64_t)tables};
    CHECK_EQUAL(kvmdb_blocks_encode(&buffers, 1, (int)shift), length);
    CHECK_EQUAL(tables[1].places[0], 0x5a5a);
    return seal(block, (uint32_t)length);
}

static uint8_t codec_of_block(void)
{
    return block[offsetof(struct block_header, codec)];
}

static enum block_verdict decode(
    const struct block_seed *seed, uint32_t shift, const struct compression_dictionary *dictionary, uint8_t *page)
{
    return block_decode(block, seed, BLOCK_TYPE_PAGE, (uint8_t)shift, dictionary, page);
}

void a_dictionary_is_refused_that_cannot_be(void)
{
    int64_t reserved = kvmdb_memory_reserved();
    CHECK_EQUAL(kvmdb_dictionary_create("", 0), -EINVAL);
    CHECK_EQUAL(kvmdb_dictionary_create("", KVMDB_DICTIONARY_BYTES_MAX + 1), -EINVAL);
    arm_fault(1ull << KVMDB_MEMORY, 0, 1, KVMDB_EFFECT_ERROR, ENOMEM);
    CHECK_EQUAL(kvmdb_dictionary_create("abc", 3), -ENOMEM);
    CHECK_EQUAL(kvmdb_faults_disarm(), 0);
    CHECK_EQUAL(kvmdb_memory_reserved(), reserved);
    struct compression_dictionary *dictionary = dictionary_of("abc", 3);
    CHECK_EQUAL(memcmp((void *)kvmdb_dictionary_content(dictionary), "abc", 3), 0);
    CHECK_LESS(reserved, kvmdb_memory_reserved());
    CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
    CHECK_EQUAL(kvmdb_memory_reserved(), reserved);
}

static void check_page(const struct compression_dictionary *dictionary, const uint8_t *page, uint32_t shift, uint8_t codec)
{
    static uint8_t back[KVMDB_PAGE_BYTES_MAX];
    struct block_seed seed = encode(dictionary, page, shift);
    CHECK_EQUAL(codec_of_block(), codec);
    CHECK_EQUAL(decode(&seed, shift, dictionary, back), BLOCK_GOOD);
    CHECK_EQUAL(memcmp(back, page, 1u << shift), 0);
}

void pages_of_every_size_come_back_from_blocks_against_a_dictionary(void)
{
    static uint8_t text[KVMDB_PAGE_BYTES_MAX], noise[KVMDB_PAGE_BYTES_MAX], zeros[KVMDB_PAGE_BYTES_MAX];
    noise_write(1, noise, sizeof noise);
    for (uint32_t i = 0; i < LENGTHS; i++) {
        struct compression_dictionary *dictionary = dictionary_of_text(i, lengths[i]);
        for (uint32_t shift = 12; shift <= 16; shift++) {
            text_write(shift + 100, text, 1u << shift);
            check_page(dictionary, text, shift, BLOCK_CODEC_LZ4_DICTIONARY);
            check_page(dictionary, zeros, shift, BLOCK_CODEC_LZ4_DICTIONARY);
            check_page(dictionary, noise, shift, BLOCK_CODEC_RAW);
            check_page(NULL, text, shift, BLOCK_CODEC_LZ4);
        }
        CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
    }
}

void a_block_against_a_dictionary_needs_it(void)
{
    static uint8_t common[KVMDB_DICTIONARY_BYTES_MAX], page[4096], back[4096];
    noise_write(7, common, sizeof common);
    struct compression_dictionary *dictionary = dictionary_of(common, sizeof common);
    struct compression_dictionary *other = dictionary_of_text(5, sizeof common);
    struct compression_dictionary *shorter = dictionary_of(common + 60000, sizeof common - 60000);
    memcpy(page, common + 60000 - sizeof page, sizeof page); /* nothing but the dictionary compresses that */
    struct block_seed seed = encode(dictionary, page, 12);
    CHECK_EQUAL(codec_of_block(), BLOCK_CODEC_LZ4_DICTIONARY);
    CHECK_AT_MOST(ppn_length_bytes(seed.ppn), 64);
    CHECK_EQUAL(decode(&seed, 12, dictionary, back), BLOCK_GOOD);
    CHECK_EQUAL(decode(&seed, 12, NULL, back), BLOCK_BAD_CONTENT);
    CHECK_EQUAL(decode(&seed, 12, shorter, back), BLOCK_BAD_CONTENT);
    if (decode(&seed, 12, other, back) == BLOCK_GOOD) /* as long; the checksum is that of the block alone */
        CHECK(memcmp(back, page, sizeof page) != 0);
    block[offsetof(struct block_header, codec)] = BLOCK_CODEC_LZ4;
    seed = seal(block, ppn_length_bytes(seed.ppn));
    CHECK_EQUAL(decode(&seed, 12, dictionary, back), BLOCK_BAD_CONTENT);
    block[offsetof(struct block_header, codec)] = BLOCK_CODEC_LZ4_DICTIONARY;
    seed = seal(block, ppn_length_bytes(seed.ppn));
    CHECK_EQUAL(block_decode(block, &seed, BLOCK_TYPE_MAP_NODE, 12, dictionary, back), BLOCK_BAD_CONTENT);
    CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
    CHECK_EQUAL(kvmdb_dictionary_destroy(other), 0);
    CHECK_EQUAL(kvmdb_dictionary_destroy(shorter), 0);
}

/* Bytes with memory on both sides that nobody may touch; the library is not built with the sanitizer. */
static uint8_t *guarded(uint32_t bytes)
{
    uint8_t *memory = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(mprotect(memory + 4096, bytes, PROT_READ | PROT_WRITE), 0);
    return memory + 4096;
}

static void damage(uint8_t *payload, uint32_t bytes, uint64_t *seed)
{
    for (uint64_t n = 1 + random_next(seed) % 4; n > 0; n--) {
        uint64_t what = random_next(seed);
        payload[what % bytes] = what & 1ull << 40 ? (uint8_t)(what >> 48) : what & 1ull << 41 ? 0xff : 0;
    }
}

void a_damaged_payload_reaches_nothing_but_its_page(void)
{
    static uint8_t text[4096], back[4096];
    uint8_t *page = guarded(4096), *room = guarded(8192);
    struct compression_dictionary *dictionaries[LENGTHS];
    for (uint32_t i = 0; i < LENGTHS; i++)
        dictionaries[i] = dictionary_of_text(1, lengths[i]);
    uint64_t seed = 3;
    int wrong = 0;
    for (int round = 0; round < 40000; round++) {
        struct compression_dictionary *dictionary = dictionaries[round % LENGTHS];
        text_write((uint64_t)round, text, sizeof text);
        struct block_seed right = encode(dictionary, text, 12);
        struct block_header header;
        memcpy(&header, block, sizeof header);
        CHECK_EQUAL(decode(&right, 12, dictionary, back), BLOCK_GOOD);
        damage(block + sizeof header, header.payload_bytes, &seed);
        if (round % 4 == 0) { /* it ends early; the block's length says so, too */
            header.payload_bytes = 1 + (uint32_t)(random_next(&seed) % header.payload_bytes);
            memcpy(block, &header, sizeof header);
        }
        struct block_seed damaged = seal(block, (uint32_t)ppn_round_up(sizeof header + header.payload_bytes));
        wrong += decode(&damaged, 12, dictionary, page) != BLOCK_GOOD;
        /* Nothing behind its last byte either. */
        uint8_t *payload = room + 8192 - header.payload_bytes;
        memcpy(payload, block + sizeof header, header.payload_bytes);
        CHECK_AT_MOST(payload_decompress(dictionary, payload, header.payload_bytes, page, 4096), 4096);
    }
    CHECK_LESS(10000, wrong);
    for (uint32_t i = 0; i < LENGTHS; i++)
        CHECK_EQUAL(kvmdb_dictionary_destroy(dictionaries[i]), 0);
    CHECK_EQUAL(munmap(page - 4096, 4096 + 8192), 0);
    CHECK_EQUAL(munmap(room - 4096, 8192 + 8192), 0);
}

/* ---- faults ---- */

static struct store *s;

/* A dictionary that holds the first pages of a volume, so that their blocks are nothing without it. */
static struct compression_dictionary *dictionary_of_pages(const struct volume *v)
{
    static uint8_t pages[KVMDB_DICTIONARY_BYTES_MAX];
    for (uint32_t at = 0; at < sizeof pages; at += v->bytes)
        content_write(v, at / v->bytes, 1, pages + at);
    return dictionary_of(pages, sizeof pages);
}

void a_pool_keeps_the_dictionary_that_it_has(void)
{
    s = store_open(16 * MIB);
    struct compression_dictionary *one = dictionary_of_text(1, 1000), *other = dictionary_of_text(2, 1000);
    CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, one), 0);
    CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, one), 0);
    CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, other), -EBUSY);
    CHECK(pool_dictionary(s->pool) == one);
    store_close(s);
    CHECK_EQUAL(kvmdb_dictionary_destroy(one), 0);
    CHECK_EQUAL(kvmdb_dictionary_destroy(other), 0);
}

void faults_read_blocks_against_a_dictionary(void)
{
    for (uint32_t shift = 12; shift <= 16; shift++) {
        s = store_open(16 * MIB);
        struct volume *v = volume_open(s, 100, shift);
        struct compression_dictionary *dictionary = dictionary_of_pages(v);
        volume_populate(v, 0, 20); /* plain ones before there was any */
        s->dictionary = dictionary;
        volume_populate(v, 20, 100);
        volume_populate(v, 0, 2);
        /* The pool has none yet. */
        CHECK_PAGE(v, 1, 0);
        CHECK_EQUAL(last_bad_page(v).cause, KVMDB_BAD_CONTENT);
        CHECK_EQUAL(kvmdb_region_unpoison(v->region), 1);
        CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, dictionary), 0);
        uint64_t bad = (uint64_t)kvmdb_region_bad_count(v->region);
        for (uint64_t lpn = 0; lpn < v->pages; lpn++)
            CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(kvmdb_region_bad_count(v->region), bad);
        volume_close(v);
        store_close(s);
        CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
    }
}

void what_was_read_against_a_dictionary_comes_back_from_the_tier(void)
{
    s = store_open_tiered(16 * MIB, 4 * MIB);
    s->pool->eviction_clock = 2; /* as if a page had been evicted: before that the tier takes nothing */
    struct volume *v = volume_open(s, 16, 12);
    struct compression_dictionary *dictionary = dictionary_of_pages(v);
    volume_put(v, 1, 1);
    volume_put(v, 9, 1); /* lies between them, so that neither is read with the other */
    s->dictionary = dictionary;
    volume_put(v, 2, 1);
    CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, dictionary), 0);
    for (uint64_t lpn = 1; lpn <= 2; lpn++) {
        CHECK_PAGE(v, lpn, 1);
        evict_page(v, lpn);
        CHECK_PAGE(v, lpn, 1);
        CHECK_EQUAL(store_counters(s).tier_hits, lpn);
        CHECK_EQUAL(store_counters(s).tier_adds, lpn);
    }
    volume_close(v);
    store_close(s);
    CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
}

static _Atomic bool over;

static void *read_pages(void *argument)
{
    struct volume *v = argument;
    uint64_t seed = (uint64_t)pthread_self();
    while (!atomic_load(&over)) {
        uint64_t lpn = random_next(&seed) % v->pages;
        CHECK_PAGE(v, lpn, 1);
    }
    return NULL;
}

/* Every page is moved to a block against the dictionary, while readers come to it by the map. */
void a_pool_gets_its_dictionary_while_faults_go_on(void)
{
    s = store_open_tiered(8 * MIB, 2 * MIB);
    struct volume *v = volume_open(s, 8000, 12);
    volume_populate(v, 0, v->pages);
    struct compression_dictionary *dictionary = dictionary_of_pages(v);
    pthread_t threads[4];
    atomic_store(&over, false);
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, read_pages, v), 0);
    for (uint64_t begin = milliseconds(); store_counters(s).evicted_pages == 0;)
        CHECK_LESS(milliseconds() - begin, 10000);
    s->dictionary = dictionary;
    CHECK_EQUAL(kvmdb_pool_use_dictionary(s->pool, dictionary), 0);
    for (int round = 0; round < 8; round++)
        volume_populate(v, 0, v->pages);
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t lpn = 0; lpn < v->pages; lpn++)
        CHECK_PAGE(v, lpn, 1);
    CHECK_EQUAL(kvmdb_region_bad_count(v->region), 0);
    volume_close(v);
    store_close(s);
    CHECK_EQUAL(kvmdb_dictionary_destroy(dictionary), 0);
}
