#define _GNU_SOURCE
#include "fake_store.h"
#include "crc32c.h"
#include "kernel.h"
#include "native_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void *memory(uint64_t bytes)
{
    int64_t p = kvmdb_memory_reserve(bytes);
    CHECK(p > 0);
    return (void *)p;
}

/* ---- the store ---- */

struct store *store_open(int64_t budget_bytes)
{
    return store_open_with(budget_bytes, 0);
}

static struct store *open_store(int64_t budget_bytes, uint64_t read_deadline_ms, int64_t tier_bytes, bool on_disk, bool direct)
{
    int64_t detail;
    CHECK_EQUAL(kvmdb_platform_check(&detail), KVMDB_PLATFORM_OK);
    CHECK_EQUAL(kvmdb_faulter_install(), 0);
    struct store *s = calloc(1, sizeof *s);
    s->segments = memory(SEGMENTS * sizeof *s->segments);
    for (uint32_t i = 0; i < SEGMENTS; i++)
        s->segments[i] = (struct segment_entry){.device_offset = (uint64_t)i * SEGMENT_BYTES + (1 << 20),
            .salt = 0x9e3779b97f4a7c15ull * (i + 1), .generation = i + 7};
    s->nodes = memory((uint64_t)NODES * 4096);
    s->nodes_used = 1;
    s->device = on_disk ? kvmdb_file_open(".", KVMDB_FILE_UNNAMED) : memfd_create("device", MFD_CLOEXEC);
    CHECK(s->device >= 0);
    pthread_mutex_init(&s->append, NULL);
    s->space.available_bytes = 1ll << 40;
    s->space.granted_bytes = s->space.limit_bytes = 1ll << 40;
    s->space.grow_step_bytes = SEGMENT_BYTES;
    s->space.fd = -1;
    struct kvmdb_pool_options options = {
        .budget_bytes = (uint64_t)budget_bytes,
        .segment_table = (uint64_t)s->segments,
        .segment_count = SEGMENTS,
        .node_arena = (uint64_t)s->nodes,
        .node_count = NODES,
        .space_account = (uint64_t)&s->space,
        .tier_bytes = (uint64_t)tier_bytes,
        .read_deadline_ms = read_deadline_ms,
        .direct_reads = direct,
    };
    CHECK_EQUAL(kvmdb_pool_open(&options, &s->pool), 0);
    CHECK_EQUAL(kvmdb_pool_device(s->pool, 0, s->device), 0);
    s->resident_at_start = kvmdb_pool_resident_bytes(s->pool);
    return s;
}

struct store *store_open_with(int64_t budget_bytes, uint64_t read_deadline_ms)
{
    return open_store(budget_bytes, read_deadline_ms, 0, false, false);
}

struct store *store_open_tiered(int64_t budget_bytes, int64_t tier_bytes)
{
    return open_store(budget_bytes, 0, tier_bytes, false, false);
}

struct store *store_open_on_disk(int64_t budget_bytes, uint64_t read_deadline_ms)
{
    return open_store(budget_bytes, read_deadline_ms, 0, true, false);
}

struct store *store_open_direct(int64_t budget_bytes, uint64_t read_deadline_ms, int64_t tier_bytes)
{
    return open_store(budget_bytes, read_deadline_ms, tier_bytes, true, true);
}

void store_close(struct store *s)
{
    CHECK_EQUAL(kvmdb_pool_resident_bytes(s->pool), s->resident_at_start + kvmdb_pool_tier_bytes(s->pool));
    CHECK_EQUAL(kvmdb_pool_dirty_bytes(s->pool), 0);
    CHECK_EQUAL(atomic_load(&s->pool->shadow_bytes), 0);
    CHECK_EQUAL(atomic_load(&s->space.reserved_bytes), 0);
    CHECK_EQUAL(kvmdb_pool_close(s->pool), 0);
    close(s->device);
    kvmdb_memory_release(s->segments, SEGMENTS * sizeof *s->segments);
    kvmdb_memory_release((void *)s->nodes, (uint64_t)NODES * 4096);
    pthread_mutex_destroy(&s->append);
    free(s);
}

static uint64_t device_position(struct store *s, uint64_t ppn)
{
    return s->segments[ppn_segment(ppn)].device_offset + ppn_offset_bytes(ppn);
}

/* Takes room for a block, never across the end of a segment. */
static uint64_t take_ppn(struct store *s, uint32_t length)
{
    pthread_mutex_lock(&s->append);
    if (s->head / SEGMENT_BYTES != (s->head + length - 1) / SEGMENT_BYTES)
        s->head = (s->head / SEGMENT_BYTES + 1) * SEGMENT_BYTES;
    uint64_t at = s->head;
    s->head += length;
    pthread_mutex_unlock(&s->append);
    CHECK_LESS(at / SEGMENT_BYTES, SEGMENTS);
    return at / SEGMENT_BYTES << PPN_SEGMENT_SHIFT | (at % SEGMENT_BYTES >> PPN_UNIT_SHIFT) << PPN_OFFSET_SHIFT
        | (uint64_t)(length >> PPN_UNIT_SHIFT) << PPN_LENGTH_SHIFT;
}

static int compress(const struct volume *v, const uint8_t *page, uint8_t *payload)
{
    struct page_table table;
    return payload_compress(v->store->dictionary, &table, page, v->bytes, payload, v->bytes - 64);
}

static uint32_t block_encode(const struct volume *v, uint64_t lpn, const void *page, enum codec codec, uint8_t *block)
{
    struct block_header header = {.codec = BLOCK_CODEC_RAW, .type = BLOCK_TYPE_PAGE, .page_shift = (uint8_t)v->shift,
        .version = BLOCK_VERSION, .payload_bytes = v->bytes};
    if (codec == CODEC_BY_LPN)
        codec = lpn % 3 == 0 ? CODEC_RAW : CODEC_LZ4;
    int packed = codec == CODEC_RAW ? 0 : compress(v, page, block + sizeof header);
    if (packed > 0) {
        header.codec = v->store->dictionary ? BLOCK_CODEC_LZ4_DICTIONARY : BLOCK_CODEC_LZ4;
        header.payload_bytes = (uint32_t)packed;
    } else {
        memcpy(block + sizeof header, page, v->bytes);
    }
    memcpy(block, &header, sizeof header);
    uint32_t used = (uint32_t)sizeof header + header.payload_bytes;
    uint32_t length = (used + 63) & ~63u;
    memset(block + used, 0, length - used);
    return length;
}

static void block_seal(struct store *s, const struct volume *v, uint64_t lpn, uint64_t ppn, uint8_t *block, uint32_t length)
{
    const struct segment_entry *segment = &s->segments[ppn_segment(ppn)];
    struct block_seed seed = {segment->salt, segment->generation, ppn, lpn, v->family};
    uint32_t crc = ~crc32c_update(crc32c_update(~0u, &seed, sizeof seed), block + 4, length - 4);
    memcpy(block, &crc, 4);
}

uint64_t store_append(struct store *s, const struct volume *v, uint64_t lpn, const void *page, enum codec codec)
{
    uint8_t block[KVMDB_PAGE_BYTES_MAX + 256];
    uint32_t length = block_encode(v, lpn, page, codec, block);
    uint64_t ppn = take_ppn(s, length);
    block_seal(s, v, lpn, ppn, block, length);
    store_write_block(s, ppn, block);
    return ppn;
}

uint8_t *store_read_block(struct store *s, uint64_t ppn, uint8_t *block)
{
    uint32_t length = ppn_length_bytes(ppn);
    CHECK_EQUAL(kvmdb_file_read(s->device, block, length, device_position(s, ppn)), length);
    return block;
}

void store_write_block(struct store *s, uint64_t ppn, const uint8_t *block)
{
    CHECK_EQUAL(kvmdb_file_write(s->device, block, ppn_length_bytes(ppn), device_position(s, ppn)), 0);
}

void store_set_free(struct store *s, int64_t bytes)
{
    atomic_store(&s->space.available_bytes, atomic_load(&s->space.reserved_bytes) + bytes);
}

struct kvmdb_counters store_counters(struct store *s)
{
    struct kvmdb_counters counters;
    CHECK_EQUAL(kvmdb_pool_counters(s->pool, &counters), 0);
    return counters;
}

/* ---- the map ---- */

static uint64_t node_new(struct store *s)
{
    CHECK_LESS(s->nodes_used, NODES);
    return s->nodes_used++;
}

static _Atomic uint64_t *map_entry(struct volume *v, uint64_t lpn, bool create)
{
    _Atomic uint64_t *nodes = v->store->nodes;
    uint64_t node = v->root;
    for (int level = MAP_HEIGHT - 1; level > 0; level--) {
        _Atomic uint64_t *entry = &nodes[node * MAP_FANOUT + (lpn >> MAP_FANOUT_BITS * level & (MAP_FANOUT - 1))];
        if (*entry == 0) {
            if (!create)
                return NULL;
            atomic_store(entry, node_new(v->store) << 1 | 1);
        }
        node = *entry >> 1;
    }
    return &nodes[node * MAP_FANOUT + (lpn & (MAP_FANOUT - 1))];
}

void map_set(struct volume *v, uint64_t lpn, uint64_t ppn)
{
    atomic_store(map_entry(v, lpn, true), ppn);
}

uint64_t map_get(struct volume *v, uint64_t lpn)
{
    _Atomic uint64_t *entry = map_entry(v, lpn, false);
    return entry ? *entry : 0;
}

/* ---- volumes ---- */

struct volume *volume_open(struct store *s, uint64_t pages, uint32_t shift)
{
    return volume_open_with(s, pages, shift, 0);
}

struct volume *volume_open_with(struct store *s, uint64_t pages, uint32_t shift, uint64_t flags)
{
    static uint64_t families;
    struct volume *v = calloc(1, sizeof *v);
    v->store = s;
    v->family = ++families * 1000003;
    v->shift = shift;
    v->bytes = 1u << shift;
    v->pages = pages;
    v->root = (uint32_t)node_new(s);
    struct kvmdb_region_options options = {
        .size_bytes = pages << shift,
        .reserve_bytes = REGION_GRANULE_BYTES,
        .page_shift = shift,
        .family = v->family,
        .map_root = v->root,
        .spill_fd = flags & KVMDB_REGION_READ_ONLY ? -1 : memfd_create("spill", MFD_CLOEXEC),
        .flags = flags,
    };
    CHECK_EQUAL(kvmdb_region_open(s->pool, &options, &v->region), 0);
    v->base = (uint8_t *)kvmdb_region_base(v->region);
    return v;
}

void volume_close(struct volume *v)
{
    kvmdb_space_release(&v->store->space, v->path_bytes_kept);
    CHECK_EQUAL(kvmdb_region_close(v->region), 0);
    free(v);
}

void volume_put(struct volume *v, uint64_t lpn, uint64_t version)
{
    uint8_t *page = malloc(v->bytes);
    content_write(v, lpn, version, page);
    map_set(v, lpn, store_append(v->store, v, lpn, page, CODEC_BY_LPN));
    free(page);
}

void volume_populate(struct volume *v, uint64_t from, uint64_t to)
{
    for (uint64_t lpn = from; lpn < to; lpn++)
        volume_put(v, lpn, 1);
}

uint32_t volume_use_root(struct volume *v, uint32_t root)
{
    uint32_t before = v->root;
    v->root = root ? root : (uint32_t)node_new(v->store);
    return before;
}

/* ---- content ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static uint64_t content_key(const struct volume *v, uint64_t lpn)
{
    return mix(v->family ^ mix(lpn));
}

/* Every 64th word carries its place, the rest is one value: compressible, and any mixture shows. */
static uint64_t content_word(uint64_t key, uint64_t version, uint32_t i)
{
    return i == 0 ? key ^ version : i % 64 == 0 ? mix(key + version) + i : mix(key + version);
}

void content_write(const struct volume *v, uint64_t lpn, uint64_t version, void *page)
{
    uint64_t key = content_key(v, lpn);
    uint64_t *words = page;
    for (uint32_t i = 0; i < v->bytes / 8; i++)
        words[i] = version ? content_word(key, version, i) : 0;
}

uint64_t content_version(const struct volume *v, uint64_t lpn, const void *page)
{
    uint64_t first = *(const uint64_t *)page;
    return first ? first ^ content_key(v, lpn) : 0;
}

bool content_is(const struct volume *v, uint64_t lpn, uint64_t version, const void *page)
{
    uint64_t key = content_key(v, lpn);
    uint64_t same = mix(key + version);
    const uint64_t *words = page;
    for (uint32_t i = 0; i < v->bytes / 8; i++) {
        uint64_t expected = !version ? 0 : i % 64 ? same : content_word(key, version, i);
        if (words[i] != expected)
            return false;
    }
    return true;
}

/* ---- commits ---- */

struct commit *commit_freeze(struct volume *v, uint64_t flags, int64_t most)
{
    struct commit *c = calloc(1, sizeof *c);
    c->volume = v;
    c->freeze.flags = flags;
    c->lpns = malloc(sizeof *c->lpns * (uint64_t)most);
    c->ppns = malloc(sizeof *c->ppns * (uint64_t)most);
    while (c->freeze.cursor != UINT64_MAX && c->count < most) {
        int64_t n = kvmdb_region_freeze(v->region, &c->freeze, c->lpns + c->count, most - c->count);
        CHECK(n >= 0);
        c->count += n;
    }
    return c;
}

void commit_copy_out(struct commit *c, uint8_t *pages)
{
    struct volume *v = c->volume;
    uint8_t *buffer = malloc(v->bytes);
    for (int64_t i = 0; i < c->count; i++) {
        uint8_t *page = pages ? pages + ((uint64_t)i << v->shift) : buffer;
        CHECK_EQUAL(kvmdb_region_copy_out(v->region, (int64_t)c->freeze.epoch, &c->lpns[i], 1, page), 0);
        c->ppns[i] = store_append(v->store, v, c->lpns[i], page, CODEC_BY_LPN);
    }
    free(buffer);
}

static void release(struct commit *c, bool pages, bool paths)
{
    if (pages)
        kvmdb_space_release(&c->volume->store->space, (int64_t)c->freeze.page_reserved_bytes);
    if (paths)
        kvmdb_space_release(&c->volume->store->space, (int64_t)c->freeze.path_reserved_bytes);
}

/* A commit takes what was stolen before it along: the map has it, then the overlay forgets it. */
static void apply_stolen(struct volume *v)
{
    uint64_t lpns[256], ppns[256];
    uint64_t from = 0;
    for (int64_t n; (n = kvmdb_region_stolen(v->region, from, lpns, ppns, 256)) > 0; from = lpns[n - 1] + 1) {
        for (int64_t i = 0; i < n; i++)
            map_set(v, lpns[i], ppns[i]);
        CHECK_EQUAL(kvmdb_region_unsteal(v->region, lpns, ppns, n), 0);
    }
    kvmdb_space_release(&v->store->space, v->path_bytes_kept);
    v->path_bytes_kept = 0;
}

void commit_apply(struct commit *c)
{
    struct volume *v = c->volume;
    apply_stolen(v);
    for (int64_t i = 0; i < c->count; i++)
        map_set(v, c->lpns[i], c->ppns[i]);
    CHECK_EQUAL(kvmdb_region_thaw(v->region, (int64_t)c->freeze.epoch, c->lpns, c->count, 0), 0);
    release(c, true, true);
}

void commit_steal(struct commit *c)
{
    struct volume *v = c->volume;
    CHECK_EQUAL(kvmdb_region_steal(v->region, c->lpns, c->ppns, c->count), 0);
    CHECK_EQUAL(kvmdb_region_thaw(v->region, (int64_t)c->freeze.epoch, c->lpns, c->count, 0), 0);
    release(c, true, false);
    v->path_bytes_kept += (int64_t)c->freeze.path_reserved_bytes;
}

void commit_fail(struct commit *c)
{
    CHECK_EQUAL(kvmdb_region_thaw(c->volume->region, (int64_t)c->freeze.epoch, c->lpns, c->count, 1), 0);
    release(c, false, true);
}

void commit_free(struct commit *c)
{
    free(c->lpns);
    free(c->ppns);
    free(c);
}

int64_t commit_all(struct volume *v)
{
    struct commit *c = commit_freeze(v, 0, (int64_t)v->pages + 1);
    commit_copy_out(c, NULL);
    commit_apply(c);
    int64_t count = c->count;
    commit_free(c);
    return count;
}

int64_t steal_some(struct volume *v, int64_t most)
{
    struct commit *c = commit_freeze(v, KVMDB_FREEZE_TO_STEAL, most);
    commit_copy_out(c, NULL);
    commit_steal(c);
    int64_t count = c->count;
    commit_free(c);
    return count;
}

/* ---- pushing single pages about ---- */

bool evict_if_clean(struct volume *v, uint64_t lpn)
{
    uint64_t word = page_lock(&v->region->words[lpn]);
    if (page_state(word) != CLEAN) {
        page_unlock(&v->region->words[lpn], word);
        return false;
    }
    struct page_batch batch;
    batch.count = 0;
    batch_add(&batch, v->region, lpn, EMPTY | (word & PAGE_QUEUED), word);
    batch_drop(&batch);
    return true;
}

void evict_page(struct volume *v, uint64_t lpn)
{
    CHECK(evict_if_clean(v, lpn));
}

int64_t evict_down_to(struct store *s, int64_t bytes)
{
    struct pool *pool = s->pool;
    int64_t low = atomic_exchange(&pool->evict_low_bytes, bytes);
    int64_t high = atomic_exchange(&pool->evict_high_bytes, bytes);
    int64_t evicted = kvmdb_pool_evict(pool);
    atomic_store(&pool->evict_low_bytes, low);
    atomic_store(&pool->evict_high_bytes, high);
    return evicted;
}

void spill_page_at(struct volume *v, uint64_t lpn)
{
    struct pool *pool = v->store->pool;
    int64_t limit = pool->dirty_limit_bytes;
    pool->dirty_limit_bytes = -1;
    for (int i = 0; i < 1000 && !(word_of(v, lpn) & PAGE_OUT); i++) {
        pool->spill_region = v->region->index;
        v->region->spill_cursor = lpn;
        make_room_for_dirty(pool);
    }
    pool->dirty_limit_bytes = limit;
    CHECK(word_of(v, lpn) & PAGE_OUT);
}

uint64_t random_next(uint64_t *state)
{
    return mix(*state += 0x9e3779b97f4a7c15ull);
}

uint64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct kvmdb_bad_page last_bad_page(struct volume *v)
{
    struct kvmdb_bad_page bad;
    CHECK_EQUAL(kvmdb_region_bad_page(v->region, kvmdb_region_bad_count(v->region), &bad), 0);
    return bad;
}

void arm_fault(uint64_t operations, uint64_t first, uint64_t times, enum kvmdb_effect effect, int64_t value)
{
    struct kvmdb_fault_rule rule = {
        .operations = operations, .first = first, .times = times, .effect = effect, .value = value};
    CHECK_EQUAL(kvmdb_faults_arm(&rule, 1), 0);
}

void refuse_forever(uint64_t operations, int error)
{
    arm_fault(operations, 0, 0, KVMDB_EFFECT_ERROR, error);
}
