#include "crc32c.h"
#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bit by bit, by the definition: reflected polynomial 0x82f63b78. */
static uint32_t naive(uint32_t crc, const uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

void crc32c_agrees_with_its_definition_at_every_length(void)
{
    static uint8_t data[8192];
    srandom(42);
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random();
    CHECK_EQUAL(~crc32c_update(~0u, "12345678", 8), 0x6087809au);
    for (uint32_t length = 0; length <= sizeof data; length += length < 2048 ? 4 : 508)
        CHECK_EQUAL(crc32c_update(~length, data, length), naive(~length, data, length));
}
