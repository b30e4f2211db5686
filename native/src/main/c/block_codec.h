/* Verifies and decodes blocks that are in memory. Async-signal-safe. */
#ifndef KVMDB_BLOCK_CODEC_H
#define KVMDB_BLOCK_CODEC_H

#include "compression_dictionary.h"
#include "layout.h"

#include <stdbool.h>
#include <stdint.h>

enum block_verdict { BLOCK_GOOD, BLOCK_BAD_CHECKSUM, BLOCK_BAD_CONTENT };

/*
 * Decompresses a payload of a codec into a whole page; false when it is not one. The dictionary is the store's; NULL: none, and
 * what was made against one is wrong then.
 */
bool payload_decode(uint8_t codec, const struct compression_dictionary *dictionary, const uint8_t *payload,
    uint32_t payload_bytes, uint8_t *page, uint32_t page_bytes);

/*
 * Decodes a block, as long as its PPN says, into a page of 1 << page_shift bytes. Verifies before it decompresses: the
 * decoder accepts most mutated blocks. A page whose block is bad may hold anything.
 */
enum block_verdict block_decode(const uint8_t *block, const struct block_seed *seed, uint8_t type, uint8_t page_shift,
    const struct compression_dictionary *dictionary, uint8_t *page);

#endif
