/* CRC32C (Castagnoli) by the processor's instruction; the same function as java.util.zip.CRC32C. */
#ifndef KVMDB_CRC32C_H
#define KVMDB_CRC32C_H

#include <stdint.h>

/* Continues an unfinished checksum: start with ~0u, finish with ~. The length is a multiple of 4. Async-signal-safe. */
uint32_t crc32c_update(uint32_t crc, const void *data, uint32_t length);

#endif
