/*
 * What is kept for the map nodes that a commit rewrites. A group of pages that holds a reservation has a leaf of its own;
 * the nodes above are shared: a level has no more of them than there are groups, nor than cover the region. So one more
 * group costs the whole path when it is the first one, and in the end a leaf alone. What all groups hold together depends on
 * how many they are and on nothing else, in whatever order they come and go.
 */
#ifndef KVMDB_PATH_RESERVATION_H
#define KVMDB_PATH_RESERVATION_H

#include "pool.h"

/* What one more group adds to so many. */
static inline int64_t path_reservation_of_next(const struct region *region, int64_t groups)
{
    int64_t nodes = 1;
    for (uint64_t above = region->reserve_bytes >> region->page_shift >> KVMDB_GROUP_SHIFT, level = 1; level < MAP_HEIGHT; level++) {
        above = (above + MAP_FANOUT - 1) / MAP_FANOUT;
        nodes += groups < (int64_t)above;
    }
    return nodes * KVMDB_NODE_RESERVATION_BYTES;
}

/* Has the group of a page hold a reservation: the bytes that it adds, none when it holds one already. */
static inline int64_t path_reservation_add(struct region *region, uint64_t lpn)
{
    _Atomic uint8_t *group = &region->groups[lpn >> KVMDB_GROUP_SHIFT];
    if (atomic_load(group) & GROUP_PATH_RESERVED || atomic_fetch_or(group, GROUP_PATH_RESERVED) & GROUP_PATH_RESERVED)
        return 0;
    return path_reservation_of_next(region, atomic_fetch_add(&region->path_reservations, 1));
}

/* Unmarks a group. Returns whether it held a reservation, which is the caller's then, to be counted by one of the next two. */
static inline bool path_reservation_take(struct region *region, uint64_t lpn)
{
    _Atomic uint8_t *group = &region->groups[lpn >> KVMDB_GROUP_SHIFT];
    return atomic_fetch_and(group, (uint8_t)~GROUP_PATH_RESERVED) & GROUP_PATH_RESERVED;
}

/* Counts a group that holds none any more: the bytes that it takes away. */
static inline int64_t path_reservation_remove(struct region *region)
{
    return path_reservation_of_next(region, atomic_fetch_sub(&region->path_reservations, 1) - 1);
}

/* Makes sure that the group of a page holds one, if need be beyond the account. */
static inline void path_reservation_hold(struct region *region, uint64_t lpn)
{
    int64_t added = path_reservation_add(region, lpn);
    if (added)
        atomic_fetch_add(&region->pool->space->reserved_bytes, added);
}

/*
 * Hands a group's reservation to a freeze: the bytes that it adds to those of the groups frozen before. What is frozen holds
 * whole paths, as if there were no other groups: these may be given up before it is committed, and if they are committed
 * later, by then a checkpoint or a snapshot may have made the nodes above them clean. If need be beyond the account.
 */
static inline int64_t path_reservation_freeze(struct region *region)
{
    int64_t needed = path_reservation_of_next(region, region->frozen_groups++);
    atomic_fetch_add(&region->pool->space->reserved_bytes, needed - path_reservation_remove(region));
    return needed;
}

/* Whether some page of the group of that page is dirty. */
static inline bool path_is_dirty(struct region *region, uint64_t lpn)
{
    uint64_t group = lpn >> KVMDB_GROUP_SHIFT;
    return page_bitmap_next(&region->dirty, group << KVMDB_GROUP_SHIFT) >> KVMDB_GROUP_SHIFT == group;
}

/*
 * Has a group hold one anew after it was unmarked, if a page of it is dirty: left so, or written since. In this order: whoever makes
 * a page dirty marks the page first and then looks for the group's reservation.
 */
static inline void path_reservation_keep(struct region *region, uint64_t lpn)
{
    if (path_is_dirty(region, lpn))
        path_reservation_hold(region, lpn);
}

/* Rewriting every node that covers some of these pages. */
static inline int64_t path_reservation_of_range(uint64_t lpn, uint64_t count)
{
    int64_t nodes = 0;
    for (uint64_t first = lpn, last = lpn + count - 1, level = 0; level < MAP_HEIGHT; level++) {
        first /= MAP_FANOUT;
        last /= MAP_FANOUT;
        nodes += (int64_t)(last - first) + 1;
    }
    return nodes * KVMDB_NODE_RESERVATION_BYTES;
}

#endif
