/*
 * The cache of one store: its memory budget, eviction queues, fault slots and counters, shared by the regions of its
 * volumes. Everything that a page fault may need is preallocated here; nothing on the fault path waits for Java.
 */
#ifndef KVMDB_POOL_H
#define KVMDB_POOL_H

#include "block_tier.h"
#include "compression_dictionary.h"
#include "device_io.h"
#include "layout.h"
#include "page_bitmap.h"
#include "page_state.h"
#include "read_ring.h"
#include "read_stage.h"
#include "space_account.h"
#include "tier_share.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define KVMDB_PAGE_BYTES 4096u
#define KVMDB_PAGE_BYTES_MAX 65536u
#define KVMDB_RUN_BYTES 65536u /* most that one fault fills at once */
#define KVMDB_DEVICES_MAX 64
#define KVMDB_REGIONS_MAX 4096
#define KVMDB_BATCH 64 /* pages that are dropped with one system call */
#define KVMDB_BAD_PAGE_RING 64
#define KVMDB_LATENCY_BUCKETS 1024
#define KVMDB_STRIPES 8
#define KVMDB_GROUP_SHIFT 9 /* pages that share a page of state words, and a leaf of the map */

/* ---- what Java passes in and reads back: 8-byte fields only ---- */

struct kvmdb_pool_options {
    uint64_t budget_bytes;
    uint64_t segment_table; /* address: struct segment_entry[] */
    uint64_t segment_count; /* entries in it */
    uint64_t node_arena;    /* address: map nodes of 4 KiB */
    uint64_t node_count;    /* nodes that fit in it */
    uint64_t space_account; /* address: struct kvmdb_space_account */
    uint64_t tier_bytes;       /* of the budget, that compressed blocks may have; 0: no such tier */
    uint64_t read_deadline_ms; /* a device read in a fault that takes longer makes a bad page; 0: no limit */
    uint64_t direct_reads;     /* 1: device reads in faults go past the page cache, where the file system lets them */
};

struct kvmdb_region_options {
    uint64_t size_bytes;
    uint64_t reserve_bytes; /* address space to grow into */
    uint64_t page_shift;
    uint64_t family;
    uint64_t map_root; /* node index, 0: everything is a hole */
    int64_t spill_fd;  /* owned by the region from then on; -1 for a region that is never written */
    uint64_t flags;    /* KVMDB_REGION_* */
};

/* Pages are only ever mapped write-protected; a write is a bad access (KVMDB_BAD_READ_ONLY). */
enum { KVMDB_REGION_READ_ONLY = 1 };

enum kvmdb_bad_cause {
    KVMDB_BAD_READ = 1,       /* detail: errno */
    KVMDB_BAD_CHECKSUM = 2,
    KVMDB_BAD_CONTENT = 3,    /* right checksum, but not the page that it should be */
    KVMDB_BAD_MAP = 4,
    KVMDB_BAD_BEYOND_END = 5,
    KVMDB_BAD_FULL = 6,       /* a write that no space could be reserved for; detail: errno */
    KVMDB_BAD_DEADLINE = 7,
    KVMDB_BAD_NO_PROGRESS = 8,
    KVMDB_BAD_MEMORY = 9,     /* hardware: the page frame itself is bad */
    KVMDB_BAD_KERNEL = 10,    /* detail: errno of an ioctl */
    KVMDB_BAD_READ_ONLY = 11, /* a write to a region that is only read */
    KVMDB_BAD_SPILL = 12,     /* what was written did not come back from the spill area, or not go there; detail: errno */
};

/* An entry of a region's ring of errors; written whole before the region's counter rises. */
struct kvmdb_bad_page {
    uint64_t number; /* of the error, from 1 */
    uint64_t lpn;
    uint64_t ppn;
    uint32_t cause;
    int32_t detail;
    int64_t thread; /* kernel id */
};

/* What latencies are told apart by; FaultKind in Java. */
enum kvmdb_fault_kind {
    KVMDB_FAULT_READ = 0,        /* a read of a page that was not in memory */
    KVMDB_FAULT_WRITE = 1,       /* a write to one */
    KVMDB_FAULT_FIRST_WRITE = 2, /* a write to a page that was in memory, with what it sets aside */
    KVMDB_FAULT_FILL = 3,        /* not a fault: reading, verifying, decompressing and mapping, of faults and loads alike */
    KVMDB_PASSED_READ = 4,       /* not a fault: reading, verifying and decompressing for a call, without a frame */
    KVMDB_FAULT_KINDS = 5,
};

struct kvmdb_counters {
    uint64_t read_faults;
    uint64_t write_faults;
    uint64_t first_writes;
    uint64_t copied_aside;
    uint64_t filled_pages;
    uint64_t evicted_pages;
    uint64_t spilled_pages;
    uint64_t unspilled_pages;
    uint64_t ghost_hits;
    uint64_t bad_pages;
    uint64_t idle_faults;
    uint64_t overshoots;
    uint64_t chained_signals;
    uint64_t tier_hits;     /* pages that came from the compressed tier */
    uint64_t tier_misses;   /* pages that were read from the device instead, while the tier had memory */
    uint64_t tier_adds;     /* blocks that were added to it */
    uint64_t tier_drops;    /* blocks that it holds no more */
    uint64_t tier_declines; /* blocks that were not added: another thread was at it, or no memory was to be had */
    uint64_t read_ahead_pages;      /* asked for ahead of readers */
    uint64_t read_ahead_used_pages; /* of them, those that the reader came to */
    uint64_t passed_pages;  /* read by a call without a frame */
    uint64_t overwritten_pages; /* written whole by a call that were not in memory */
};

/* ---- inside ---- */

/* What blocks are read from. */
struct read_device {
    int fd;                /* -1: none */
    int direct_fd;         /* the same file past the page cache, of the pool; -1: not to be had */
    uint32_t direct_align; /* of positions, lengths and memory */
    bool is_direct;        /* all reads go past the page cache, not the second look alone */
    bool waits;            /* reads may wait for a device */
};

/* Counters are spread over stripes so that faulting threads do not share cache lines. */
struct stripe {
    struct kvmdb_counters counters;
    _Atomic uint32_t latency[KVMDB_FAULT_KINDS][KVMDB_LATENCY_BUCKETS];
} __attribute__((aligned(128)));

enum { SLOT_IDLE, SLOT_BUSY, SLOT_LATE }; /* LATE: given back, but the kernel still reads into its buffer */

/* What one fault in flight needs: buffers, and the epoch that keeps what it looks at from being reused. */
struct fault_slot {
    _Atomic uint32_t state;
    _Atomic uint64_t epoch; /* 0: idle */
    uint8_t *blocks;        /* KVMDB_SLOT_BLOCKS_BYTES: what was read, aligned to 4 KiB */
    const uint8_t *wanted;  /* within them, or in a stage, what was to be read */
    struct staged_bytes staged;
    bool was_read;          /* it took a read of the device, or of what was read ahead */
    uint8_t *pages;         /* KVMDB_RUN_BYTES: pages, decompressed */
    struct read_ring ring;
} __attribute__((aligned(128)));

#define KVMDB_SLOT_BLOCKS_BYTES (KVMDB_RUN_BYTES + 8192)

/* A FIFO of pages: entries are region index << 48 | LPN + 1. Many add; whoever holds the eviction lock takes. */
struct page_queue {
    _Atomic uint64_t *ring;
    uint64_t mask;
    _Atomic uint64_t head;
    _Atomic uint64_t tail;
};

#define KVMDB_REQUESTS 64

/* Pages to be read ahead (read_ahead.c). Many put, many take; 0 is an empty place. */
struct request_ring {
    _Atomic uint64_t requests[KVMDB_REQUESTS];
    _Atomic uint64_t head;
    _Atomic uint64_t tail;
    _Atomic uint32_t posted; /* a futex word */
    _Atomic uint32_t sleepers;
};

enum { PRESSURE_EVICT = 1, PRESSURE_STEAL = 2, PRESSURE_STOP = 4 };

struct pool {
    struct kvmdb_pool_options options;
    /* What blocks of pages may be compressed against; NULL until there is one, then always the same. Stands apart from what
     * faults write. */
    const struct compression_dictionary *_Atomic dictionary;
    int uffd;
    struct read_device devices[KVMDB_DEVICES_MAX];
    struct kvmdb_space_account *space;

    _Atomic int64_t resident_bytes; /* all that counts against the budget */
    _Atomic int64_t dirty_bytes;    /* DIRTY or FROZEN and in memory */
    _Atomic int64_t shadow_bytes;   /* copies set aside in memory */
    /* Of what the compressed tier leaves of the budget. */
    _Atomic int64_t evict_high_bytes;   /* background eviction begins */
    _Atomic int64_t evict_low_bytes;    /* background eviction ends */
    _Atomic int64_t steal_bytes;        /* dirty bytes from which the background steals */
    _Atomic int64_t dirty_limit_bytes;  /* dirty bytes from which a fault spills */
    _Atomic int64_t shadow_limit_bytes; /* copies aside beyond this go to the spill area */
    _Atomic int64_t read_ahead_bytes;   /* most that a stream asks for at a time */

    struct page_queue small; /* seen once */
    struct page_queue main;  /* came back soon after they were evicted */
    _Atomic uint32_t evict_lock; /* takers from the queues, spillers, and who closes a region */
    _Atomic uint32_t eviction_clock; /* pages evicted, or passed by; never 0 */
    uint32_t spill_region;   /* where spilling goes on */
    uint32_t sweep_region;   /* where the search for pages in no queue goes on */
    _Atomic int64_t unqueued; /* pages left out of a queue that was full, since the search last came round */
    int64_t unqueued_seen;   /* of them, when this round began */

    _Atomic uint32_t pressure; /* PRESSURE_* bits; a futex word */
    struct request_ring requests;
    struct read_stage stages[KVMDB_STAGES_MAX];
    uint32_t stage_count;
    _Atomic uint32_t stages_begun;

    struct fault_slot *slots;
    uint32_t slot_count;
    _Atomic uint32_t slots_released; /* a futex word */
    _Atomic uint32_t slot_waiters;
    _Atomic uint64_t epoch;

    struct block_tier tier;
    struct tier_share share;
    struct stripe *stripes;
    void *memory;
    uint64_t memory_bytes;
    struct region *_Atomic regions[KVMDB_REGIONS_MAX];
};

struct region {
    _Atomic uint32_t users; /* handlers that look at this region; first, since it outlives the region's reuse */
    struct pool *pool;
    uint32_t index; /* in pool->regions */
    uint8_t *base;
    uint64_t reserve_bytes;
    uint32_t page_shift;
    uint32_t page_bytes;
    bool read_only;
    uint64_t family;
    int64_t page_reservation_bytes; /* worst case of committing a page */
    int spill_fd;
    bool spill_waits;
    uint64_t spill_cursor; /* where spilling goes on; under the eviction lock */
    uint64_t sweep_cursor; /* where the search for pages in no queue goes on; under the eviction lock */

    _Atomic uint64_t size_pages;
    _Atomic uint32_t map_root;
    _Atomic uint32_t freeze_epoch;

    _Atomic uint64_t *words;   /* by LPN: page_state.h */
    _Atomic uint64_t *overlay; /* by LPN: PPN of a page stolen to the log before its commit, or 0 */
    _Atomic uint32_t *spill_sums; /* by LPN: CRC32C of the copy in the spill area; NULL where there is no such area */
    _Atomic uint16_t *parts;   /* by LPN, pages beyond 4 KiB only: which 4 KiB are writable */
    _Atomic uint8_t *groups;   /* by LPN >> KVMDB_GROUP_SHIFT: GROUP_* */
    uint8_t *shadow;           /* by LPN: the copy aside */
    void *memory;              /* words, overlay, spill_sums, parts, groups */
    uint64_t memory_bytes;

    struct page_bitmap dirty;    /* DIRTY */
    struct page_bitmap stolen;   /* with an overlay entry */
    struct page_bitmap poisoned; /* POISONED */

    _Atomic uint64_t spill_pages; /* in use in the spill area */
    _Atomic uint64_t dirty_in_memory; /* pages of pool->dirty_bytes */
    _Atomic int64_t path_reservations; /* groups with GROUP_PATH_RESERVED */
    int64_t frozen_groups; /* whose reservations the last freeze took; of its caller */

    _Atomic uint64_t bad_count;
    _Atomic uint32_t bad_lock;
    struct kvmdb_bad_page bad[KVMDB_BAD_PAGE_RING];
};

enum { GROUP_STATES_COUNTED = 1, GROUP_PATH_RESERVED = 2 };

/*
 * Rewriting the path of map nodes to a page, at worst: behind a snapshot all four are copied, the root, too; a node
 * whose entries are of different births is stored in up to 8 KiB.
 */
#define KVMDB_NODE_RESERVATION_BYTES (8192 + 128)
#define KVMDB_PATH_RESERVATION_BYTES (MAP_HEIGHT * KVMDB_NODE_RESERVATION_BYTES)

/* Whoever came to a block by the map or the overlay sees the dictionary that it was made against. */
static inline const struct compression_dictionary *pool_dictionary(const struct pool *pool)
{
    return atomic_load_explicit(&pool->dictionary, memory_order_acquire);
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t page_address(const struct region *r, uint64_t lpn)
{
    return (uint64_t)r->base + (lpn << r->page_shift);
}

#define COUNT(pool_, field_, n_) \
    __atomic_fetch_add(&pool_stripe(pool_)->counters.field_, (n_), __ATOMIC_RELAXED)

struct stripe *pool_stripe(struct pool *pool);
/* Threads are numbered as they come, from 1. */
uint32_t pool_thread_number(void);
/* Shares out what the compressed tier leaves of the budget; anew whenever its size changes. */
void pool_set_limits(struct pool *pool);

/* Whether there was ever more to be had in memory than fits. */
static inline bool pool_has_evicted(struct pool *pool)
{
    return atomic_load_explicit(&pool->eviction_clock, memory_order_relaxed) != 1;
}

/* Takes a slot, waiting for one if need be; a holder waits for no page lock, so this ends. Publishes the epoch. NULL
 * when for as long as the read deadline all were late. */
struct fault_slot *slot_acquire(struct pool *pool);
void slot_release(struct pool *pool, struct fault_slot *slot);

/* ---- exports ---- */

/* Makes the cache of a store. 0 and the handle, or -errno. */
KVMDB_EXPORT int kvmdb_pool_open(const struct kvmdb_pool_options *options, struct pool **out);
/* Frees it; all regions are closed. */
KVMDB_EXPORT int kvmdb_pool_close(struct pool *pool);
KVMDB_EXPORT int kvmdb_pool_device(struct pool *pool, int index, int fd);
/* Gives the pool its dictionary, which outlives it, before a block that needs it is pointed to; faults may go on. -EBUSY when it
 * has another one. */
KVMDB_EXPORT int kvmdb_pool_use_dictionary(struct pool *pool, const struct compression_dictionary *dictionary);
/* Raises the epoch and returns the new one; see kvmdb_pool_epoch_passed. */
KVMDB_EXPORT int64_t kvmdb_pool_epoch_advance(struct pool *pool);
/* 1 when no fault is in flight that began before the epoch. */
KVMDB_EXPORT int kvmdb_pool_epoch_passed(struct pool *pool, int64_t epoch);
/* Waits until one of the bits (or STOP) is raised or the time is over. Returns those that are and lowers the bits. */
KVMDB_EXPORT int kvmdb_pool_wait_pressure(struct pool *pool, int bits, int64_t timeout_ms);
/* Wakes who waits for pressure, for ever. */
KVMDB_EXPORT int kvmdb_pool_stop(struct pool *pool);
KVMDB_EXPORT int64_t kvmdb_pool_resident_bytes(struct pool *pool);
KVMDB_EXPORT int64_t kvmdb_pool_dirty_bytes(struct pool *pool);
/* What the compressed tier has of the budget now. */
KVMDB_EXPORT int64_t kvmdb_pool_tier_bytes(struct pool *pool);
/* Dirty bytes above which the background is to steal. */
KVMDB_EXPORT int64_t kvmdb_pool_steal_bytes(struct pool *pool);
KVMDB_EXPORT int kvmdb_pool_counters(struct pool *pool, struct kvmdb_counters *out);
/* Latencies of a kind: counts by bucket (4 bits of mantissa: 6 % wide), KVMDB_LATENCY_BUCKETS of 8 bytes. */
KVMDB_EXPORT int kvmdb_pool_latency(struct pool *pool, int kind, uint64_t *buckets);

#endif
