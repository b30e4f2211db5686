#include "block_writer.h"
#include "compression_dictionary.h"
#include "kernel.h"
#include "layout.h"

#include <string.h>

static uint32_t block_bytes(uint32_t payload_bytes)
{
    uint32_t unit = 1u << PPN_UNIT_SHIFT;
    return ((uint32_t)sizeof(struct block_header) + payload_bytes + unit - 1) & ~(unit - 1);
}

/* A payload that is shorter by less than a unit saves nothing. */
static uint32_t compress(const struct kvmdb_block_buffers *buffers, const uint8_t *page, uint32_t page_bytes, uint8_t *payload)
{
    const struct compression_dictionary *dictionary = (const struct compression_dictionary *)buffers->dictionary;
    uint32_t most = block_bytes(page_bytes) - (1u << PPN_UNIT_SHIFT) - (uint32_t)sizeof(struct block_header);
    return (uint32_t)payload_compress(dictionary, (struct page_table *)buffers->table, page, page_bytes, payload, most);
}

static uint32_t encode(const struct kvmdb_block_buffers *buffers, const uint8_t *page, uint32_t page_shift, uint8_t *block)
{
    uint8_t *payload = block + sizeof(struct block_header);
    struct block_header header = {
        .payload_bytes = compress(buffers, page, 1u << page_shift, payload),
        .codec = buffers->dictionary ? BLOCK_CODEC_LZ4_DICTIONARY : BLOCK_CODEC_LZ4,
        .type = BLOCK_TYPE_PAGE,
        .page_shift = (uint8_t)page_shift,
        .version = BLOCK_VERSION,
    };
    if (header.payload_bytes == 0) {
        header.codec = BLOCK_CODEC_RAW;
        header.payload_bytes = 1u << page_shift;
        memcpy(payload, page, header.payload_bytes);
    }
    memcpy(block, &header, sizeof header);
    uint32_t end = (uint32_t)sizeof header + header.payload_bytes;
    uint32_t length = block_bytes(header.payload_bytes);
    memset(block + end, 0, length - end);
    return length;
}

int64_t kvmdb_blocks_encode(const struct kvmdb_block_buffers *buffers, int64_t count, int page_shift)
{
    const uint8_t *pages = (const uint8_t *)buffers->pages;
    uint8_t *blocks = (uint8_t *)buffers->blocks;
    int32_t *lengths = (int32_t *)buffers->lengths;
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        lengths[i] = (int32_t)encode(buffers, pages + (i << page_shift), (uint32_t)page_shift, blocks + at);
        at += lengths[i];
    }
    return at;
}

int64_t kvmdb_region_encode(
    struct region *region, int64_t epoch, const uint64_t *lpns, int64_t count, const struct kvmdb_block_buffers *buffers)
{
    int r = kvmdb_region_copy_out(region, epoch, lpns, count, (uint8_t *)buffers->pages);
    return r ? r : kvmdb_blocks_encode(buffers, count, (int)region->page_shift);
}
