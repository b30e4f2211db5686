/*
 * Payloads of blocks: pages in the format of LZ4 blocks, which any LZ4 library decodes. Greedy, as LZ4's own fast compressor, but
 * made for what a store compresses: pages of 4 to 64 KiB, one at a time, most of them against a dictionary.
 *
 * The dictionary's bytes are found by an index of their own, made once and never copied. It has 16,384 entries and takes each
 * byte (a stream of LZ4 has 4,096 and takes every third), and it says of most false candidates that they are, so that the bytes
 * themselves are not fetched. What is gained in size and speed is in docs/adr/0014-a-compressor-of-our-own.md.
 */
#ifndef KVMDB_PAYLOAD_COMPRESSOR_H
#define KVMDB_PAYLOAD_COMPRESSOR_H

#include <stdint.h>

struct compression_dictionary;

#define PAGE_TABLE_SHIFT 12
#define DICTIONARY_INDEX_SHIFT 14

/* Of the page that is compressed, by hash of five bytes: where they were last. */
struct page_table {
    uint16_t places[1 << PAGE_TABLE_SHIFT];
};

/* Of the dictionary, by hash of six bytes: where they are last, << 16, and more bits of the hash. An entry that was never
 * written is 0, which does no harm: what is found is compared. */
struct dictionary_index {
    uint32_t entries[1 << DICTIONARY_INDEX_SHIFT];
};

/* Makes the index of a dictionary of at most 64 KiB. */
void dictionary_index_fill(struct dictionary_index *index, const uint8_t *content, uint32_t length);

/* Compresses a page, against a dictionary or, where that is NULL, alone, with a table of the caller's own of any content. Returns
 * the bytes of the payload, or 0 when it does not fit or the page is larger than 64 KiB; some 20 bytes of the capacity may stay unused. */
int payload_compress(const struct compression_dictionary *dictionary, struct page_table *table, const uint8_t *page,
    uint32_t page_bytes, uint8_t *payload, uint32_t capacity);

#endif
