/*
 * What the journal (Java) writes and the fault handler reads: PPN, block, segment table, map node. The Java classes of
 * the same names (Ppn, BlockDescriptor, SegmentTableDescriptor, MapNodeDescriptor) draw them; kvmdb_layout exports the
 * sizes and offsets below, and Java compares all of them when the library is loaded. Little endian.
 */
#ifndef KVMDB_LAYOUT_H
#define KVMDB_LAYOUT_H

#include "device_io.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PPN_UNIT_SHIFT 6
#define PPN_LENGTH_SHIFT 7
#define PPN_OFFSET_SHIFT 18
#define PPN_SEGMENT_SHIFT 36

static inline uint32_t ppn_segment(uint64_t ppn) { return (uint32_t)(ppn >> PPN_SEGMENT_SHIFT); }
static inline uint32_t ppn_offset_bytes(uint64_t ppn) { return (uint32_t)(ppn >> PPN_OFFSET_SHIFT & 0x3ffff) << PPN_UNIT_SHIFT; }
static inline uint32_t ppn_length_bytes(uint64_t ppn) { return (uint32_t)(ppn >> PPN_LENGTH_SHIFT & 0x7ff) << PPN_UNIT_SHIFT; }
static inline uint64_t ppn_round_up(uint64_t bytes) { return (bytes + (1u << PPN_UNIT_SHIFT) - 1) & -(uint64_t)(1u << PPN_UNIT_SHIFT); }

enum { BLOCK_CODEC_RAW = 1, BLOCK_CODEC_LZ4 = 2, BLOCK_CODEC_LZ4_DICTIONARY = 3 };
enum { BLOCK_TYPE_PAGE = 1, BLOCK_TYPE_MAP_NODE = 2 };
enum { BLOCK_VERSION = 1 };

struct block_header {
    uint32_t crc32c;
    uint32_t payload_bytes;
    uint8_t codec;
    uint8_t type;
    uint8_t page_shift;
    uint8_t version;
    uint32_t birth_epoch;
};
_Static_assert(sizeof(struct block_header) == 16, "block header");

/* What a block's checksum starts with; not stored. */
struct block_seed {
    uint64_t salt;
    uint64_t generation;
    uint64_t ppn;
    uint64_t lpn;
    uint64_t family;
};
_Static_assert(sizeof(struct block_seed) == 40, "block seed");

/* The others are in use, when they have a generation. */
enum { SEGMENT_FREE = 0 };

struct segment_entry {
    uint64_t device_offset;
    uint64_t salt;
    uint32_t generation;
    uint16_t device_index;
    uint8_t copies;
    uint8_t state;
    _Atomic uint64_t remaps; /* address of a struct remap_table, 0: none */
};
_Static_assert(sizeof(struct segment_entry) == 32, "segment entry");

/* Blocks that were moved and are still called by the PPN that they were written at, sorted by that. Only targets change. */
struct remap_entry {
    uint64_t name;
    _Atomic uint64_t target; /* 0: it lies where its name says */
};
struct remap_table {
    uint64_t count;
    struct remap_entry entries[];
};
_Static_assert(sizeof(struct remap_entry) == 16, "remap entry");

#define MAP_FANOUT_BITS 9
#define MAP_FANOUT (1u << MAP_FANOUT_BITS)
#define MAP_HEIGHT 4

/* Writes the sizes and offsets that both sides share, in a fixed order, and returns how many there are. */
KVMDB_EXPORT int kvmdb_layout(int32_t *values, int capacity);

#endif
