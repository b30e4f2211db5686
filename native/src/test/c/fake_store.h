/*
 * What the journal is to the shim, without a journal: segments in a memory file, a map of nodes, blocks sealed as the
 * real appender seals them, and a volume whose page content follows from (family, LPN, version), so that a page that is
 * in the wrong place, torn or stale says so.
 */
#ifndef KVMDB_FAKE_STORE_H
#define KVMDB_FAKE_STORE_H

#include "bad_page.h"
#include "check.h"
#include "fault_plan.h"
#include "layout.h"
#include "page_evict.h"
#include "page_faulter.h"
#include "pool.h"
#include "region.h"
#include "write_back.h"

#include <pthread.h>

#define SEGMENT_BYTES (16u << 20)
#define SEGMENTS 512
#define NODES (1u << 18)
#define MIB (1ll << 20)

struct store {
    struct segment_entry *segments;
    _Atomic uint64_t *nodes;
    uint64_t nodes_used;
    int device;
    uint64_t head; /* where the next block goes */
    pthread_mutex_t append;
    struct kvmdb_space_account space;
    struct pool *pool;
    int64_t resident_at_start;
    /* What compressed blocks are made against from now on; NULL: nothing. */
    const struct compression_dictionary *dictionary;
};

enum codec { CODEC_BY_LPN, CODEC_RAW, CODEC_LZ4 };

struct volume {
    struct store *store;
    struct region *region;
    uint8_t *base;
    uint64_t family;
    uint32_t shift;
    uint32_t bytes; /* of a page */
    uint64_t pages;
    uint32_t root;
    int64_t path_bytes_kept; /* reserved for the map nodes of stolen pages */
};

/* A freeze in progress. */
struct commit {
    struct volume *volume;
    struct kvmdb_freeze freeze;
    uint64_t *lpns;
    uint64_t *ppns; /* after commit_copy_out */
    int64_t count;
};

struct store *store_open(int64_t budget_bytes);
struct store *store_open_with(int64_t budget_bytes, uint64_t read_deadline_ms);
struct store *store_open_tiered(int64_t budget_bytes, int64_t tier_bytes);
/* Over a file in the current directory. */
struct store *store_open_on_disk(int64_t budget_bytes, uint64_t read_deadline_ms);
/* The same, read past the page cache where that can be had. */
struct store *store_open_direct(int64_t budget_bytes, uint64_t read_deadline_ms, int64_t tier_bytes);
/* Checks that every counter is back where it was. */
void store_close(struct store *s);
/* Appends a block for a page and returns its PPN. */
uint64_t store_append(struct store *s, const struct volume *v, uint64_t lpn, const void *page, enum codec codec);
uint8_t *store_read_block(struct store *s, uint64_t ppn, uint8_t *block);
void store_write_block(struct store *s, uint64_t ppn, const uint8_t *block);
/* Allows as many more bytes to be reserved. */
void store_set_free(struct store *s, int64_t bytes);
struct kvmdb_counters store_counters(struct store *s);

struct volume *volume_open(struct store *s, uint64_t pages, uint32_t shift);
/* As volume_open, with KVMDB_REGION_* flags. */
struct volume *volume_open_with(struct store *s, uint64_t pages, uint32_t shift, uint64_t flags);
void volume_close(struct volume *v);
/* Stores pages of version 1 at every LPN in [from, to). */
void volume_populate(struct volume *v, uint64_t from, uint64_t to);
/* Stores a page. */
void volume_put(struct volume *v, uint64_t lpn, uint64_t version);
/* Makes map_set and map_get go to another tree, which the region does not see yet: one of holes, for 0. Returns the one
 * before. */
uint32_t volume_use_root(struct volume *v, uint32_t root);
void map_set(struct volume *v, uint64_t lpn, uint64_t ppn);
uint64_t map_get(struct volume *v, uint64_t lpn);

static inline uint8_t *page_at(const struct volume *v, uint64_t lpn) { return v->base + (lpn << v->shift); }
static inline uint64_t word_of(const struct volume *v, uint64_t lpn) { return atomic_load(&v->region->words[lpn]); }

/* Content of a page by identity. Version 0 is a hole: zeros. */
void content_write(const struct volume *v, uint64_t lpn, uint64_t version, void *page);
/* The version that a page's first word claims. */
uint64_t content_version(const struct volume *v, uint64_t lpn, const void *page);
/* Checks every word of a page. */
bool content_is(const struct volume *v, uint64_t lpn, uint64_t version, const void *page);
#define CHECK_PAGE(volume_, lpn_, version_) CHECK_CONTENT(volume_, lpn_, version_, page_at(volume_, lpn_))
#define CHECK_CONTENT(volume_, lpn_, version_, page_) \
    do { \
        if (!content_is(volume_, lpn_, version_, page_)) { \
            fprintf(stderr, "%s:%d: page %" PRIu64 " is not version %" PRIu64 " but looks like %" PRIx64 ", word 0x%" PRIx64 "\n", \
                __FILE__, __LINE__, (uint64_t)(lpn_), (uint64_t)(version_), \
                content_version(volume_, lpn_, page_), word_of(volume_, lpn_)); \
            _Exit(1); \
        } \
    } while (0)

/* The commit protocol as the cache module follows it, in its steps and whole. */
struct commit *commit_freeze(struct volume *v, uint64_t flags, int64_t most);
void commit_copy_out(struct commit *c, uint8_t *pages);
void commit_apply(struct commit *c);    /* map, then thaw */
void commit_steal(struct commit *c);    /* overlay, then thaw */
void commit_fail(struct commit *c);     /* thaw to dirty */
void commit_free(struct commit *c);
int64_t commit_all(struct volume *v);
int64_t steal_some(struct volume *v, int64_t most);

/* Evicts a CLEAN page by name, as the evictor would. */
void evict_page(struct volume *v, uint64_t lpn);
bool evict_if_clean(struct volume *v, uint64_t lpn);
/* Evicts until that little is in memory, as far as it can be. Returns the pages evicted. */
int64_t evict_down_to(struct store *s, int64_t bytes);
/* Spills a DIRTY page by name. */
void spill_page_at(struct volume *v, uint64_t lpn);

/* Arms a plan of one rule: all operations of the mask, from the first on, as often as times says (0: all), have the effect. */
void arm_fault(uint64_t operations, uint64_t first, uint64_t times, enum kvmdb_effect effect, int64_t value);
/* From now on the operations of the mask fail with that errno. */
void refuse_forever(uint64_t operations, int error);

uint64_t random_next(uint64_t *state);
uint64_t milliseconds(void);
struct kvmdb_bad_page last_bad_page(struct volume *v);

#endif
