package org.kvmdb.tools.peers;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;
import org.h2.mvstore.type.LongDataType;

/**
 * H2's MVStore without SQL: the page's number is the key, the page the value. Compressed (LZF); its cache on the heap a quarter of the
 * limit, and half of it the heap. A leaf for each page: random reads and transactions are faster than with the default of four to a leaf, the
 * bulk load is a quarter slower. Commits in the background are off; a durable commit is {@code commit()} and {@code sync()}.
 */
final class H2Peer implements Peer {

    private static final int CACHE_SHARE = 4;
    private static final long LOAD_COMMIT_PAGES = 4096;
    private static final VarHandle WORD =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final MVStore store;
    private final MVMap<Long, byte[]> pages;

    H2Peer(PeerSetup setup) {
        store = new MVStore.Builder()
                .fileName(setup.directory().resolve("pages.mv").toString())
                .compress()
                .cacheSize((int) Math.max(setup.limitBytes() / CACHE_SHARE >> 20, 1))
                .pageSplitSize(PageSource.PAGE_BYTES)
                .autoCommitDisabled()
                .open();
        pages = store.openMap(
                "pages",
                new MVMap.Builder<Long, byte[]>()
                        .keyType(LongDataType.INSTANCE)
                        .valueType(ByteArrayDataType.INSTANCE));
    }

    @Override
    public Session session() {
        return new H2Session();
    }

    @Override
    public void load(long count, PageSource source) {
        for (long page = 0; page < count; page++) {
            pages.put(page, content(page, 0, source));
            if ((page + 1) % LOAD_COMMIT_PAGES == 0) {
                store.commit();
            }
        }
        store.commit();
        store.sync();
    }

    private static byte[] content(long page, long version, PageSource source) {
        byte[] content = new byte[PageSource.PAGE_BYTES];
        source.fill(MemorySegment.ofArray(content), 0, page, version);
        return content;
    }

    @Override
    public void close() {
        store.close();
    }

    private final class H2Session implements Session {

        @Override
        public long word(long page, int offset) {
            byte[] content = pages.get(page);
            PageSource.checkFound(content != null, page);
            return (long) WORD.get(content, offset);
        }

        @Override
        public long scan(long firstPage, long count) {
            long sum = 0;
            Cursor<Long, byte[]> cursor = pages.cursor(firstPage);
            for (long i = 0; i < count; i++) {
                PageSource.checkFound(cursor.hasNext(), firstPage + i);
                cursor.next();
                sum += PageSource.sum(MemorySegment.ofArray(cursor.getValue()), 0, PageSource.PAGE_BYTES);
            }
            return sum;
        }

        @Override
        public void commit(long[] numbers, int count, PageSource source, long version) {
            for (int i = 0; i < count; i++) {
                pages.put(numbers[i], content(numbers[i], version, source));
            }
            store.commit();
            store.sync();
        }
    }
}
