package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.GetOp;
import org.lmdbjava.PutFlags;
import org.lmdbjava.SeekOp;
import org.lmdbjava.Txn;

/**
 * LMDB: the page's number is the key, as an integer, and its first 4,080 bytes are the value. With those the value and its
 * header fill one overflow page; 4,096 would take two, and twice the disk. Readahead is off where it is read at random. Readers
 * renew their transaction every thousand reads, as a reader must that is not to keep old pages alive.
 */
final class LmdbPeer implements Peer {

    static {
        // Read when the library's first class is loaded.
        System.setProperty(Env.DISABLE_CHECKS_PROP, "true");
    }

    private static final long MAP_BYTES_MIN = 256L << 20;
    private static final int READERS = 126;
    private static final int RENEW_READS = 1000;
    private static final long LOAD_COMMIT_PAGES = 4096;
    private static final int VALUE_BYTES = PageSource.COMMON_BYTES;

    private final Env<ByteBuffer> env;
    private final Dbi<ByteBuffer> pages;

    LmdbPeer(PeerSetup setup) throws IOException {
        List<EnvFlags> flags = new ArrayList<>(List.of(EnvFlags.MDB_NOMEMINIT, EnvFlags.MDB_NOTLS));
        switch (setup.access()) {
            case RANDOM -> flags.add(EnvFlags.MDB_NORDAHEAD);
            case LOAD -> flags.add(EnvFlags.MDB_NOSYNC);
            case SEQUENTIAL -> {}
        }
        env = Env.create()
                // Pages that a commit replaces are used again two commits later.
                .setMapSize(Math.max(MAP_BYTES_MIN, 3 * setup.bytes()))
                .setMaxReaders(READERS)
                .setMaxDbs(1)
                .open(setup.directory().toFile(), flags.toArray(EnvFlags[]::new));
        pages = env.openDbi("pages", DbiFlags.MDB_CREATE, DbiFlags.MDB_INTEGERKEY);
    }

    @Override
    public Session session() {
        return new LmdbSession();
    }

    /**
     * Appended in transactions that are written and not flushed, and one flush: what a transaction has changed is in memory, up to
     * 512 MiB, so a single one would not fit.
     */
    @Override
    public void load(long count, PageSource source) {
        ByteBuffer key = key();
        for (long first = 0; first < count; first += LOAD_COMMIT_PAGES) {
            try (Txn<ByteBuffer> txn = env.txnWrite()) {
                for (long page = first; page < Math.min(first + LOAD_COMMIT_PAGES, count); page++) {
                    put(txn, key, page, 0, source, PutFlags.MDB_APPEND);
                }
                txn.commit();
            }
        }
        env.sync(true);
    }

    private void put(
            Txn<ByteBuffer> txn, ByteBuffer key, long page, long version, PageSource source, PutFlags... flags) {
        ByteBuffer value = pages.reserve(txn, key.putLong(0, page), VALUE_BYTES, flags);
        source.fill(MemorySegment.ofBuffer(value), 0, page, version, VALUE_BYTES);
    }

    private static ByteBuffer key() {
        return ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
    }

    /** A copy of the file, which is what LMDB has. */
    @Override
    public void snapshot(Path target) throws IOException {
        Files.createDirectory(target);
        env.copy(target.toFile());
    }

    @Override
    public void close() {
        env.close();
    }

    private final class LmdbSession implements Session {

        private final ByteBuffer key = key();
        private Txn<ByteBuffer> reader;
        private int reads;

        @Override
        public long word(long page, int offset) {
            ByteBuffer value = pages.get(reader(), key.putLong(0, page));
            PageSource.checkFound(value != null, page);
            return value.order(ByteOrder.nativeOrder()).getLong(offset);
        }

        private Txn<ByteBuffer> reader() {
            if (reader == null) {
                reader = env.txnRead();
            } else if (++reads == RENEW_READS) {
                reads = 0;
                reader.reset();
                reader.renew();
            }
            return reader;
        }

        @Override
        public long scan(long firstPage, long count) {
            long sum = 0;
            try (Cursor<ByteBuffer> cursor = pages.openCursor(reader())) {
                boolean found = cursor.get(key.putLong(0, firstPage), GetOp.MDB_SET_RANGE);
                for (long i = 0; i < count; i++) {
                    PageSource.checkFound(found, firstPage + i);
                    sum += PageSource.sum(MemorySegment.ofBuffer(cursor.val()), 0, VALUE_BYTES);
                    found = cursor.seek(SeekOp.MDB_NEXT);
                }
            }
            return sum;
        }

        @Override
        public void commit(long[] numbers, int count, PageSource source, long version) {
            try (Txn<ByteBuffer> txn = env.txnWrite()) {
                for (int i = 0; i < count; i++) {
                    put(txn, key, numbers[i], version, source);
                }
                txn.commit();
            }
        }

        @Override
        public void close() {
            if (reader != null) {
                reader.close();
            }
        }
    }
}
