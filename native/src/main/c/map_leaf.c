#include "map_leaf.h"
#include "block_codec.h"
#include "kernel.h"

#include <limits.h>
#include <string.h>

#define PPN_FLAGS 0x7f
#define LEAF_SHIFT 12
_Static_assert(1u << LEAF_SHIFT == MAP_FANOUT * sizeof(uint64_t), "a leaf is its entries");

struct segments {
    const struct segment_entry *entries;
    uint64_t count;
    uint64_t bytes;
    uint64_t header_bytes;
};

static const struct segment_entry *segment_of(const struct segments *segments, uint64_t ppn)
{
    uint64_t offset = ppn_offset_bytes(ppn);
    uint64_t length = ppn_length_bytes(ppn);
    if ((ppn & PPN_FLAGS) != 0 || ppn_segment(ppn) >= segments->count || length < sizeof(struct block_header)
        || offset < segments->header_bytes || offset + length > segments->bytes)
        return NULL;
    const struct segment_entry *segment = &segments->entries[ppn_segment(ppn)];
    return segment->state == SEGMENT_FREE || segment->generation == 0 ? NULL : segment;
}

static bool are_plausible(const uint64_t *entries, uint64_t pages, const struct segments *segments)
{
    for (uint32_t i = 0; i < MAP_FANOUT; i++)
        if (entries[i] != 0 && (i >= pages || !segment_of(segments, entries[i])))
            return false;
    return true;
}

int kvmdb_map_leaf_load(uint64_t node, uint64_t block, uint64_t ppn, uint64_t lpn, uint64_t family, uint64_t pages,
    uint64_t segment_table, uint64_t segment_count, uint64_t segment_bytes,
    uint64_t header_bytes)
{
    struct segments segments = {(const struct segment_entry *)segment_table, segment_count, segment_bytes, header_bytes};
    const struct segment_entry *segment = segment_of(&segments, ppn);
    if (!segment || !kernel_open_lz4())
        return 0;
    struct block_seed seed = {segment->salt, segment->generation, ppn, lpn, family};
    struct block_header header;
    memcpy(&header, (const void *)block, sizeof header);
    if (header.birth_epoch != 0 && header.birth_epoch <= INT_MAX
        && block_decode((const uint8_t *)block, &seed, BLOCK_TYPE_MAP_NODE, LEAF_SHIFT, NULL, (uint8_t *)node) == BLOCK_GOOD
        && are_plausible((const uint64_t *)node, pages, &segments))
        return (int)header.birth_epoch;
    memset((void *)node, 0, 1u << LEAF_SHIFT);
    return 0;
}
