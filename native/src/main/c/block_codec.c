#include "block_codec.h"
#include "crc32c.h"

#include <string.h>

/* A plain payload would decode with a dictionary, too, but that takes longer: 4 % of 740 ns for a page of 4 KiB. */
bool payload_decode(uint8_t codec, const struct compression_dictionary *dictionary, const uint8_t *payload,
    uint32_t payload_bytes, uint8_t *page, uint32_t page_bytes)
{
    bool against = codec == BLOCK_CODEC_LZ4_DICTIONARY;
    if (against ? !dictionary : codec != BLOCK_CODEC_LZ4)
        return false;
    return payload_decompress(against ? dictionary : NULL, payload, payload_bytes, page, page_bytes) == (int)page_bytes;
}

enum block_verdict block_decode(const uint8_t *block, const struct block_seed *seed, uint8_t type, uint8_t page_shift,
    const struct compression_dictionary *dictionary, uint8_t *page)
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
    const uint8_t *payload = block + sizeof header;
    if (header.codec == BLOCK_CODEC_RAW && header.payload_bytes == page_bytes) {
        memcpy(page, payload, page_bytes);
        return BLOCK_GOOD;
    }
    bool good = payload_decode(header.codec, dictionary, payload, header.payload_bytes, page, page_bytes);
    return good ? BLOCK_GOOD : BLOCK_BAD_CONTENT;
}
