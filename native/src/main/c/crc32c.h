/* CRC32C (Castagnoli) by the processor's instruction; the same function as java.util.zip.CRC32C. */
#ifndef KVMDB_CRC32C_H
#define KVMDB_CRC32C_H

#include <nmmintrin.h>
#include <stdint.h>
#include <string.h>

/* Continues an unfinished checksum: start with ~0u, finish with ~. The length is a multiple of 4. */
static inline uint32_t crc32c_update(uint32_t crc, const void *data, uint32_t length)
{
    const char *p = data;
    uint64_t c = crc;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = _mm_crc32_u64(c, v);
    }
    if (length >= 4) {
        uint32_t v;
        memcpy(&v, p, 4);
        c = _mm_crc32_u32((uint32_t)c, v);
    }
    return (uint32_t)c;
}

#endif
