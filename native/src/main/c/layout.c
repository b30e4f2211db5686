#include "layout.h"
#include "block_writer.h"
#include "compression_dictionary.h"
#include "fault_plan.h"
#include "space_account.h"
#include "pool.h"

int kvmdb_layout(int32_t *values, int capacity)
{
    const int32_t all[] = {
        PPN_UNIT_SHIFT,
        PPN_LENGTH_SHIFT,
        PPN_OFFSET_SHIFT,
        PPN_SEGMENT_SHIFT,
        offsetof(struct block_header, crc32c),
        offsetof(struct block_header, payload_bytes),
        offsetof(struct block_header, codec),
        offsetof(struct block_header, type),
        offsetof(struct block_header, page_shift),
        offsetof(struct block_header, version),
        offsetof(struct block_header, birth_epoch),
        sizeof(struct block_header),
        offsetof(struct block_seed, salt),
        offsetof(struct block_seed, generation),
        offsetof(struct block_seed, ppn),
        offsetof(struct block_seed, lpn),
        offsetof(struct block_seed, family),
        sizeof(struct block_seed),
        offsetof(struct segment_entry, device_offset),
        offsetof(struct segment_entry, salt),
        offsetof(struct segment_entry, generation),
        offsetof(struct segment_entry, device_index),
        offsetof(struct segment_entry, copies),
        offsetof(struct segment_entry, state),
        offsetof(struct segment_entry, remaps),
        sizeof(struct segment_entry),
        offsetof(struct remap_table, count),
        offsetof(struct remap_table, entries),
        offsetof(struct remap_entry, name),
        offsetof(struct remap_entry, target),
        sizeof(struct remap_entry),
        MAP_FANOUT_BITS,
        MAP_HEIGHT,
        offsetof(struct kvmdb_space_account, available_bytes),
        offsetof(struct kvmdb_space_account, reserved_bytes),
        offsetof(struct kvmdb_space_account, granted_bytes),
        offsetof(struct kvmdb_space_account, limit_bytes),
        offsetof(struct kvmdb_space_account, grow_step_bytes),
        offsetof(struct kvmdb_space_account, fd),
        offsetof(struct kvmdb_space_account, hole_positions),
        offsetof(struct kvmdb_space_account, hole_bytes),
        offsetof(struct kvmdb_space_account, hole_count),
        sizeof(struct kvmdb_space_account),
        KVMDB_DICTIONARY_BYTES_MAX,
        sizeof(struct page_table),
        sizeof(struct kvmdb_block_buffers),
        sizeof(struct kvmdb_pool_options),
        sizeof(struct kvmdb_region_options),
        sizeof(struct kvmdb_bad_page),
        sizeof(struct kvmdb_counters),
        KVMDB_LATENCY_BUCKETS,
        KVMDB_FAULT_KINDS,
        sizeof(struct kvmdb_fault_rule),
        KVMDB_OPERATIONS,
        KVMDB_EFFECTS,
    };
    int count = (int)(sizeof all / sizeof *all);
    for (int i = 0; i < count && i < capacity; i++)
        values[i] = all[i];
    return count;
}
