#include "crc32c.h"

#include <nmmintrin.h>
#include <string.h>

/*
 * The instruction takes three cycles to give its result and can start every cycle, so three strips of the data are done
 * at once, and their checksums put together: that of A followed by B is A's, moved on over as many zeros as B is long,
 * xor B's (begun at 0). Moving on is linear, so four look-ups by the bytes of the checksum do it.
 */
#define LONG_STRIP 512
#define SHORT_STRIP 64

static uint32_t over_long[4][256];
static uint32_t over_short[4][256];

static void fill_table(uint32_t table[4][256], int strip)
{
    for (int byte = 0; byte < 4; byte++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint64_t crc = value << (8 * byte);
            for (int i = 0; i < strip / 8; i++)
                crc = _mm_crc32_u64(crc, 0);
            table[byte][value] = (uint32_t)crc;
        }
    }
}

__attribute__((constructor)) static void fill_tables(void)
{
    fill_table(over_long, LONG_STRIP);
    fill_table(over_short, SHORT_STRIP);
}

static inline uint64_t move_over(const uint32_t table[4][256], uint64_t crc)
{
    return table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^ table[3][crc >> 24 & 0xff];
}

static inline uint64_t word_at(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint64_t three_strips(const uint32_t table[4][256], int strip, uint64_t crc, const char *p)
{
    uint64_t second = 0;
    uint64_t third = 0;
    for (int i = 0; i < strip; i += 8) {
        crc = _mm_crc32_u64(crc, word_at(p + i));
        second = _mm_crc32_u64(second, word_at(p + strip + i));
        third = _mm_crc32_u64(third, word_at(p + 2 * strip + i));
    }
    crc = move_over(table, crc) ^ second;
    return move_over(table, crc) ^ third;
}

uint32_t crc32c_update(uint32_t initial, const void *data, uint32_t length)
{
    const char *p = data;
    uint64_t crc = initial;
    for (; length >= 3 * LONG_STRIP; length -= 3 * LONG_STRIP, p += 3 * LONG_STRIP)
        crc = three_strips(over_long, LONG_STRIP, crc, p);
    for (; length >= 3 * SHORT_STRIP; length -= 3 * SHORT_STRIP, p += 3 * SHORT_STRIP)
        crc = three_strips(over_short, SHORT_STRIP, crc, p);
    for (; length >= 8; length -= 8, p += 8)
        crc = _mm_crc32_u64(crc, word_at(p));
    if (length >= 4) {
        uint32_t last;
        memcpy(&last, p, sizeof last);
        crc = _mm_crc32_u32((uint32_t)crc, last);
    }
    return (uint32_t)crc;
}
