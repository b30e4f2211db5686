/* Leaves of the map as they are loaded from the device. Not for the fault handler. */
#ifndef KVMDB_MAP_LEAF_H
#define KVMDB_MAP_LEAF_H

#include "layout.h"

/*
 * Decodes the block of a leaf, of which all entries were born together, into a node of zeros that nobody sees yet. Returns
 * their birth; 0, with the node zeros again, when anything at all is odd: about the block, or about an entry that stands behind
 * the first so many pages or names no block of a segment in use. No block lies in the first header_bytes of a segment.
 */
KVMDB_EXPORT int kvmdb_map_leaf_load(uint64_t node, uint64_t block, uint64_t ppn, uint64_t lpn, uint64_t family,
    uint64_t pages, uint64_t segment_table, uint64_t segment_count, uint64_t segment_bytes,
    uint64_t header_bytes);

#endif
