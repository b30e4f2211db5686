#include "block_codec.h"
#include "crc32c.h"
#include "kernel.h"

#include <string.h>

enum block_verdict block_decode(
    const uint8_t *block, const struct block_seed *seed, uint8_t type, uint8_t page_shift, uint8_t *page)
{
    struct block_header header;
    memcpy(&header, block, sizeof header);
    uint32_t length = ppn_length_bytes(seed->ppn);
    uint32_t page_bytes = 1u << page_shift;
    uint32_t crc = crc32c_update(~0u, seed, sizeof *seed);
    crc = ~crc32c_update(crc, block + sizeof header.crc32c, length - (uint32_t)sizeof header.crc32c);
    if (crc != header.crc32c)
        return BLOCK_BAD_CHECKSUM;
    if (header.type != type || header.version != BLOCK_VERSION || header.page_shift != page_shift
        || header.payload_bytes > page_bytes || ppn_round_up(sizeof header + header.payload_bytes) != length)
        return BLOCK_BAD_CONTENT;
    const char *payload = (const char *)block + sizeof header;
    if (header.codec == BLOCK_CODEC_RAW && header.payload_bytes == page_bytes) {
        memcpy(page, payload, page_bytes);
        return BLOCK_GOOD;
    }
    if (header.codec != BLOCK_CODEC_LZ4
        || lz4_decompress_safe(payload, (char *)page, (int)header.payload_bytes, (int)page_bytes) != (int)page_bytes)
        return BLOCK_BAD_CONTENT;
    return BLOCK_GOOD;
}
