package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Checkpoint;
import org.rocksdb.CompressionOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileWriter;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * RocksDB: the page's number is the key, big-endian, and the page is the value. LZ4 with a dictionary for each file on all levels;
 * blocks of one page, so that a read takes no neighbours in; a small block cache and buffered reads, so that the page cache
 * holds compressed blocks in the rest; ten bits of bloom filter; commits are synced writes to the log. Loaded as an expert
 * would: sorted files, written aside and ingested.
 *
 * <p>Index and filters are kept outside of the block cache, 5 MB for each GiB. Within it the index of a file is a single
 * entry; those that share a shard without room for both evict each other at every read.
 */
final class RocksPeer implements Peer {

    static {
        RocksDB.loadLibrary();
    }

    private static final int KEY_BYTES = Long.BYTES;
    private static final int BLOOM_BITS = 10;
    private static final int CACHE_SHARE = 8;
    private static final int DICTIONARY_BYTES = 64 << 10;
    private static final long FILE_BYTES_MAX = 64 << 20;
    private static final int SCAN_READAHEAD_BYTES = 2 << 20;
    private static final int BACKGROUND_JOBS = 2;

    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Path directory;
    /** Of a file of the load, which is in memory until it is written, for the sake of its dictionary; and of what is written later. */
    private final long fileBytes;
    private final Options options;
    private final RocksDB db;
    private final WriteOptions synced = own(new WriteOptions().setSync(true));
    private final ReadOptions reading = own(new ReadOptions().setVerifyChecksums(true));

    RocksPeer(PeerSetup setup) throws IOException {
        directory = setup.directory();
        fileBytes = Math.min(FILE_BYTES_MAX, setup.limitBytes() / 16);
        CompressionOptions compression =
                own(new CompressionOptions()).setMaxDictBytes(DICTIONARY_BYTES).setEnabled(true);
        options = own(new Options())
                .setCreateIfMissing(true)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setCompressionOptions(compression)
                .setBottommostCompressionType(CompressionType.LZ4_COMPRESSION)
                .setBottommostCompressionOptions(compression)
                .setWriteBufferSize(fileBytes)
                .setMaxWriteBufferNumber(3)
                .setMaxBackgroundJobs(BACKGROUND_JOBS)
                .setMaxOpenFiles(-1)
                .setEnablePipelinedWrite(true)
                .setLevelCompactionDynamicLevelBytes(true)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(own(new LRUCache(setup.limitBytes() / CACHE_SHARE)))
                        .setBlockSize(PageSource.PAGE_BYTES)
                        .setFilterPolicy(own(new BloomFilter(BLOOM_BITS, false)))
                        .setFormatVersion(6));
        try {
            db = RocksDB.open(options, directory.toString());
        } catch (RocksDBException e) {
            throw failure(e);
        }
        owned.push(db);
    }

    static String version() {
        return RocksDB.rocksdbVersion().toString();
    }

    private <T extends AutoCloseable> T own(T resource) {
        owned.push(resource);
        return resource;
    }

    private static IOException failure(RocksDBException e) {
        return new IOException("RocksDB: " + e.getMessage(), e);
    }

    private static IllegalStateException unchecked(RocksDBException e) {
        return new IllegalStateException("RocksDB: " + e.getMessage(), e);
    }

    @Override
    public Session session() {
        return new RocksSession();
    }

    @Override
    public void load(long pages, PageSource source) throws IOException {
        Path file = directory.resolve("load.sst");
        long filePages = fileBytes / PageSource.PAGE_BYTES;
        ByteBuffer key = ByteBuffer.allocateDirect(KEY_BYTES);
        ByteBuffer value = ByteBuffer.allocateDirect(PageSource.PAGE_BYTES);
        MemorySegment memory = MemorySegment.ofBuffer(value);
        try (EnvOptions environment = new EnvOptions();
                IngestExternalFileOptions ingest = new IngestExternalFileOptions().setMoveFiles(true)) {
            for (long first = 0; first < pages; first += filePages) {
                try (SstFileWriter writer = new SstFileWriter(environment, options)) {
                    writer.open(file.toString());
                    for (long page = first; page < Math.min(first + filePages, pages); page++) {
                        source.fill(memory, 0, page, 0);
                        writer.put(key.clear().putLong(0, page), value.clear());
                    }
                    writer.finish();
                }
                db.ingestExternalFile(List.of(file.toString()), ingest);
            }
        } catch (RocksDBException e) {
            throw failure(e);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Hard links to its files. */
    @Override
    public void snapshot(Path target) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.create(db)) {
            checkpoint.createCheckpoint(target.toString());
        } catch (RocksDBException e) {
            throw failure(e);
        }
    }

    @Override
    public void close() throws IOException {
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                throw new IOException("RocksDB: " + e.getMessage(), e);
            }
        }
    }

    private final class RocksSession implements Session {

        private final ByteBuffer key = ByteBuffer.allocateDirect(KEY_BYTES);
        private final ByteBuffer value =
                ByteBuffer.allocateDirect(PageSource.PAGE_BYTES).order(ByteOrder.nativeOrder());
        private final MemorySegment memory = MemorySegment.ofBuffer(value);

        /** Only as much of the value is copied as the buffer holds. */
        @Override
        public long word(long page, int offset) {
            try {
                int found = db.get(
                        reading, key.clear().putLong(0, page), value.clear().limit(offset + Long.BYTES));
                PageSource.checkFound(found != RocksDB.NOT_FOUND, page);
                return value.getLong(offset);
            } catch (RocksDBException e) {
                throw unchecked(e);
            }
        }

        @Override
        public long scan(long firstPage, long pages) {
            long sum = 0;
            try (ReadOptions ahead = new ReadOptions().setReadaheadSize(SCAN_READAHEAD_BYTES).setFillCache(false);
                    RocksIterator iterator = db.newIterator(ahead)) {
                iterator.seek(key.clear().putLong(0, firstPage));
                for (long i = 0; i < pages; i++) {
                    PageSource.checkFound(iterator.isValid(), firstPage + i);
                    iterator.value(value.clear());
                    sum += PageSource.sum(memory, 0, PageSource.PAGE_BYTES);
                    iterator.next();
                }
            }
            return sum;
        }

        @Override
        public void commit(long[] pages, int count, PageSource source, long version) {
            try (WriteBatch batch = new WriteBatch(count * (PageSource.PAGE_BYTES + KEY_BYTES + Long.BYTES))) {
                for (int i = 0; i < count; i++) {
                    source.fill(memory, 0, pages[i], version);
                    batch.put(key.clear().putLong(0, pages[i]), value.clear());
                }
                db.write(synced, batch);
            } catch (RocksDBException e) {
                throw unchecked(e);
            }
        }
    }
}
