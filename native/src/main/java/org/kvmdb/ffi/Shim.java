package org.kvmdb.ffi;

/**
 * The exports of {@code libkvmdb.so}, one method each; the C headers document them. Addresses are {@code long}s, those of
 * names, too: one {@code String} parameter has jnr-ffi load another 133 classes. A negative result is an errno. Call through
 * {@link ShimLibrary#shim()}.
 *
 * <p>No method has just six parameters: the last one, when it is an {@code int}, arrives as garbage then (seen with jnr-ffi
 * 2.3.4).
 */
@SuppressWarnings("checkstyle:MethodName")
public interface Shim {

    long kvmdb_memory_reserve(long length);

    int kvmdb_memory_discard(long address, long length);

    int kvmdb_memory_release(long address, long length);

    long kvmdb_memory_reserved();

    int kvmdb_file_open(long path, int mode);

    int kvmdb_file_open_memory(long name);

    int kvmdb_file_close(int fd);

    int kvmdb_file_lock(int fd, int exclusive);

    long kvmdb_file_read(int fd, long buffer, long length, long position);

    int kvmdb_file_write(int fd, long buffer, long length, long position);

    int kvmdb_file_flush(int fd);

    int kvmdb_file_write_back(int fd, long position, long length);

    int kvmdb_file_allocate(int fd, long position, long length);

    int kvmdb_file_punch_hole(int fd, long position, long length);

    int kvmdb_file_truncate(int fd, long length);

    long kvmdb_file_size(int fd);

    long kvmdb_file_allocated_bytes(int fd);

    int kvmdb_directory_flush(long path);

    int kvmdb_directory_open(long path);

    void kvmdb_thread_give_way();

    int kvmdb_space_reserve(long account, long bytes);

    void kvmdb_space_release(long account, long bytes);

    int kvmdb_space_grow(long account);

    long kvmdb_space_offer_hole(long account, long position);

    int kvmdb_map_leaf_load(
            long node, long block, long ppn, long lpn, long family, long pages, long segmentTable, long segmentCount,
            long segmentBytes, long headerBytes);

    long kvmdb_dictionary_create(long content, long length);

    long kvmdb_dictionary_content(long dictionary);

    int kvmdb_dictionary_destroy(long dictionary);

    int kvmdb_dictionary_compress(long dictionary, long page, int pageBytes, long payload, int capacity);

    int kvmdb_dictionary_decompress(long dictionary, long payload, int payloadBytes, long page, int pageBytes);

    int kvmdb_layout(long values, int capacity);

    int kvmdb_faults_arm(long rules, int count);

    int kvmdb_faults_disarm();

    long kvmdb_faults_seen(int rule);

    long kvmdb_faults_hits(int rule);

    int kvmdb_platform_check(long detail);

    int kvmdb_faulter_install();

    int kvmdb_faulter_is_installed();

    int kvmdb_pool_open(long options, long handle);

    int kvmdb_pool_close(long pool);

    int kvmdb_pool_device(long pool, int index, int fd);

    int kvmdb_pool_use_dictionary(long pool, long dictionary);

    long kvmdb_pool_epoch_advance(long pool);

    int kvmdb_pool_epoch_passed(long pool, long epoch);

    int kvmdb_pool_wait_pressure(long pool, int bits, long timeoutMillis);

    int kvmdb_pool_stop(long pool);

    long kvmdb_pool_evict(long pool);

    long kvmdb_pool_read_ahead(long pool, long timeoutMillis);

    long kvmdb_pool_resident_bytes(long pool);

    long kvmdb_pool_dirty_bytes(long pool);

    long kvmdb_pool_tier_bytes(long pool);

    long kvmdb_pool_steal_bytes(long pool);

    int kvmdb_pool_counters(long pool, long counters);

    int kvmdb_pool_latency(long pool, int kind, long buckets);

    int kvmdb_region_open(long pool, long options, long handle);

    int kvmdb_region_close(long region);

    long kvmdb_region_base(long region);

    int kvmdb_region_map_root(long region, long node);

    int kvmdb_region_resize(long region, long sizeBytes);

    int kvmdb_region_replace(long region, long sizeBytes);

    int kvmdb_region_load(long region, long lpn, long pages);

    int kvmdb_region_prefetch(long region, long lpn, long pages);

    int kvmdb_region_read(long region, long offset, long bytes, long destination);

    long kvmdb_region_read_ahead(long region, long offset, long bytes);

    int kvmdb_region_pin(long region, long lpn, long pages, int forWrite);

    int kvmdb_region_unpin(long region, long lpn, long pages);

    long kvmdb_region_expect_writes(long region, long lpn, long pages);

    long kvmdb_region_write_missing(long region, long offset, long bytes, long source);

    long kvmdb_region_bad_count(long region);

    int kvmdb_region_bad_page(long region, long number, long out);

    long kvmdb_region_unpoison(long region);

    long kvmdb_region_freeze(long region, long freeze, long lpns, long capacity);

    long kvmdb_region_encode(long region, long epoch, long lpns, long count, long buffers);

    long kvmdb_blocks_encode(long buffers, long count, int pageShift);

    int kvmdb_region_thaw(long region, long epoch, long lpns, long count, int toDirty);

    int kvmdb_region_trim_spill(long region);

    int kvmdb_region_steal(long region, long lpns, long ppns, long count);

    long kvmdb_region_reserve_missing(long region, long lpn, long count, long lpns, long reserved);

    int kvmdb_region_place(long region, long lpns, long ppns, long count, long placed);

    long kvmdb_region_stolen(long region, long lpn, long lpns, long ppns, long capacity);

    int kvmdb_region_unsteal(long region, long lpns, long ppns, long count);

    int kvmdb_region_rollback(long region);
}
