package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * This store: one volume, read in one of its two ways. Its pages are memory, and reading one that is not there is a page fault; or a
 * call copies them to memory of the caller's, as those of other stores do. Whole pages are written by calls in both.
 */
final class KvmPeer implements Peer {

    private static final String VOLUME = "pages";
    /** The JVM with its libraries and a heap that fills in time: with 80 MiB for it, it was killed after minutes of reads. */
    private static final long JVM_BYTES = 112L << 20;
    /** The map's entry of a page, and the kernel's in its page table. */
    private static final long TABLE_BYTES_PER_PAGE = 2 * Long.BYTES;
    private static final long LOAD_CACHE_BYTES = 32L << 20;
    private static final double TIER_SHARE = StoreOptions.COMPRESSED_TIER_SHARE_MAX;
    /** A load is a commit that is not flushed for each of these, and one durable point at its end. */
    private static final int PIECE_PAGES = 4096;

    private final Store store;
    private final Volume volume;
    private final Function<Volume, Session> sessions;

    private KvmPeer(PeerSetup setup, Function<Volume, Session> sessions) throws IOException {
        this.sessions = sessions;
        StoreOptions options = options(setup);
        boolean exists;
        try (var files = Files.list(setup.directory())) {
            exists = files.findAny().isPresent();
        }
        store = exists ? Store.open(setup.directory(), options) : Store.create(setup.directory(), options);
        volume = exists ? store.volume(VOLUME) : store.createVolume(VOLUME, VolumeOptions.ofSizeBytes(setup.bytes()));
    }

    static KvmPeer asMemory(PeerSetup setup) throws IOException {
        return new KvmPeer(setup, TouchingSession::new);
    }

    static KvmPeer byCalls(PeerSetup setup) throws IOException {
        return new KvmPeer(setup, CallingSession::new);
    }

    /**
     * What the JVM needs is left; the page cache beneath would only hold once more what the compressed tier has. A load is in pieces
     * that go past the cache, which holds them up only when it is large enough for them.
     */
    private static StoreOptions options(PeerSetup setup) {
        long otherBytes = JVM_BYTES + setup.pages() * TABLE_BYTES_PER_PAGE;
        long cacheBytes = setup.access() == PeerSetup.Access.LOAD
                ? LOAD_CACHE_BYTES
                : Math.max(setup.limitBytes() - otherBytes, setup.limitBytes() / 5);
        return StoreOptions.defaults()
                .withCacheSizeBytes(cacheBytes)
                .withCompressedTierShare(TIER_SHARE)
                .withDirectReads(setup.access() != PeerSetup.Access.LOAD)
                .withControlSocket(false);
    }

    @Override
    public MemorySegment memory() {
        return volume.memory();
    }

    @Override
    public Session session() {
        return sessions.apply(volume);
    }

    @Override
    public void load(long pages, PageSource source) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate((long) PIECE_PAGES * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);
            for (long first = 0; first < pages; first += PIECE_PAGES) {
                int count = (int) Math.min(PIECE_PAGES, pages - first);
                for (int i = 0; i < count; i++) {
                    source.fill(piece, (long) i * PageSource.PAGE_BYTES, first + i, 0);
                }
                volume.write(first * PageSource.PAGE_BYTES, piece.asSlice(0, (long) count * PageSource.PAGE_BYTES));
                store.commitAsync();
            }
        }
        store.commit();
    }

    /** The path is not needed: a snapshot is a name within the store. */
    @Override
    public void snapshot(Path target) {
        volume.snapshot(target.getFileName().toString());
    }

    Volume volume() {
        return volume;
    }

    Store store() {
        return store;
    }

    @Override
    public void close() {
        store.close();
    }

    private static final class TouchingSession extends MemorySession {

        private final Volume volume;
        private final MemorySegment page = Arena.ofAuto().allocate(PageSource.PAGE_BYTES);

        TouchingSession(Volume volume) {
            super(volume.memory());
            this.volume = volume;
        }

        @Override
        public void commit(long[] pages, int count, PageSource source, long version) {
            KvmPeer.commit(volume, page, pages, count, source, version);
        }
    }

    private static final class CallingSession extends CopySession {

        private final Volume volume;
        private final MemorySegment page = copy().asSlice(0, PageSource.PAGE_BYTES);

        CallingSession(Volume volume) {
            this.volume = volume;
        }

        @Override
        void read(long firstPage, int count) {
            volume.read(firstPage * PageSource.PAGE_BYTES, copy().asSlice(0, (long) count * PageSource.PAGE_BYTES));
        }

        @Override
        public void commit(long[] pages, int count, PageSource source, long version) {
            KvmPeer.commit(volume, page, pages, count, source, version);
        }
    }

    /**
     * Whole pages, as the other stores take them: by a call each, which spares the fault of a store to memory.
     *
     * @param page where the content of one is made
     */
    private static void commit(
            Volume volume, MemorySegment page, long[] pages, int count, PageSource source, long version) {
        try (Scope _ = volume.writeScope()) {
            for (int i = 0; i < count; i++) {
                source.fill(page, 0, pages[i], version);
                volume.write(pages[i] * PageSource.PAGE_BYTES, page);
            }
        }
        volume.commit();
    }
}
