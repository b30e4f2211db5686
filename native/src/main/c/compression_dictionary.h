/*
 * What blocks of pages may be compressed against: bytes that many pages have in common. A store has one or none, and it
 * never changes, so that every block of BLOCK_CODEC_LZ4_DICTIONARY means the same content.
 *
 * LZ4 begins a page as if the content had gone before it. An index of what it holds is made once, for all pages
 * (payload_compressor.h); of what it holds several times the index knows the last.
 */
#ifndef KVMDB_COMPRESSION_DICTIONARY_H
#define KVMDB_COMPRESSION_DICTIONARY_H

#include "device_io.h"
#include "kernel.h"
#include "payload_compressor.h"

#include <stdint.h>

#define KVMDB_DICTIONARY_BYTES_MAX (64 << 10) /* LZ4 looks back no farther */

struct compression_dictionary {
    struct dictionary_index index;
    uint64_t length;
    uint8_t content[];
};

/* Decompresses a payload that was made against a dictionary or, where that is NULL, against none. Returns the bytes of the page,
 * or less than 0. Wrong ones are safe, whatever they refer to. Async-signal-safe. */
int payload_decompress(const struct compression_dictionary *dictionary, const uint8_t *payload, uint32_t payload_bytes,
    uint8_t *page, uint32_t page_bytes);

/* Copies the content. The handle, or -errno: -EINVAL for a length out of range, -ENOSYS without an LZ4 library. */
KVMDB_EXPORT int64_t kvmdb_dictionary_create(const void *content, uint64_t length);
/* Where the copy is: as long as the dictionary. */
KVMDB_EXPORT int64_t kvmdb_dictionary_content(const struct compression_dictionary *dictionary);
/* No pool and nobody else uses it any more. */
KVMDB_EXPORT int kvmdb_dictionary_destroy(struct compression_dictionary *dictionary);
/* As payload_compress, with a table of its own. -ENOMEM when there is no memory for that. */
KVMDB_EXPORT int kvmdb_dictionary_compress(
    const struct compression_dictionary *dictionary, const uint8_t *page, int page_bytes, uint8_t *payload, int capacity);
/* As payload_decompress. */
KVMDB_EXPORT int kvmdb_dictionary_decompress(const struct compression_dictionary *dictionary, const uint8_t *payload,
    int payload_bytes, uint8_t *page, int page_bytes);

#endif
