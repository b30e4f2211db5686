#include "compression_dictionary.h"
#include "native_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t memory_bytes(uint64_t length)
{
    return (sizeof(struct compression_dictionary) + length + 4095) & ~4095ull;
}

int64_t kvmdb_dictionary_create(const void *content, uint64_t length)
{
    if (length == 0 || length > KVMDB_DICTIONARY_BYTES_MAX)
        return -EINVAL;
    if (!kernel_open_lz4())
        return -ENOSYS;
    int64_t memory = kvmdb_memory_reserve(memory_bytes(length));
    if (memory < 0 && memory > -4096)
        return memory;
    struct compression_dictionary *dictionary = (struct compression_dictionary *)memory;
    dictionary->length = length;
    memcpy(dictionary->content, content, length);
    dictionary_index_fill(&dictionary->index, dictionary->content, (uint32_t)length);
    return memory;
}

int64_t kvmdb_dictionary_content(const struct compression_dictionary *dictionary)
{
    return (int64_t)dictionary->content;
}

int kvmdb_dictionary_destroy(struct compression_dictionary *dictionary)
{
    return kvmdb_memory_release(dictionary, memory_bytes(dictionary->length));
}

int payload_decompress(const struct compression_dictionary *dictionary, const uint8_t *payload, uint32_t payload_bytes,
    uint8_t *page, uint32_t page_bytes)
{
    const char *from = (const char *)payload;
    char *to = (char *)page;
    if (!dictionary)
        return lz4_decompress_safe(from, to, (int)payload_bytes, (int)page_bytes);
    return lz4_decompress_safe_using_dict(
        from, to, (int)payload_bytes, (int)page_bytes, (const char *)dictionary->content, (int)dictionary->length);
}

int kvmdb_dictionary_compress(
    const struct compression_dictionary *dictionary, const uint8_t *page, int page_bytes, uint8_t *payload, int capacity)
{
    struct page_table *table = malloc(sizeof *table);
    if (!table)
        return -ENOMEM;
    int n = payload_compress(dictionary, table, page, (uint32_t)page_bytes, payload, (uint32_t)capacity);
    free(table);
    return n;
}

int kvmdb_dictionary_decompress(const struct compression_dictionary *dictionary, const uint8_t *payload, int payload_bytes,
    uint8_t *page, int page_bytes)
{
    return payload_decompress(dictionary, payload, (uint32_t)payload_bytes, page, (uint32_t)page_bytes);
}
