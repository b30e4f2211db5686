package org.kvmdb.tools.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every system does alike, so that the figures compare the same. */
class PeerContractTest {

    private static final long PAGES = 700;
    private static final long LIMIT_BYTES = 128L << 20;
    private static final int WORDS = PageSource.COMMON_BYTES / Long.BYTES;

    @TempDir
    private Path directory;

    private final Arena arena = Arena.ofShared();
    private PageSource source;

    @BeforeEach
    void makeTexts() {
        MemorySegment texts = arena.allocate(32L * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);
        SplittableRandom random = new SplittableRandom(7);
        for (long i = 0; i < texts.byteSize(); i++) {
            texts.asByteBuffer().put((int) i, (byte) ('a' + random.nextInt(6)));
        }
        source = new PageSource(texts);
    }

    @AfterEach
    void free() {
        arena.close();
    }

    private Peer open(PeerSystem system, PeerSetup.Access access) throws IOException {
        return system.open(new PeerSetup(directory, PAGES, LIMIT_BYTES, access));
    }

    private void load(PeerSystem system) throws Exception {
        try (Peer peer = open(system.owner(), PeerSetup.Access.LOAD)) {
            peer.load(PAGES, source);
        }
    }

    private void assertPage(Session session, long page, long version) {
        for (int word = 0; word < WORDS; word += 51) {
            int offset = word * Long.BYTES;
            assertEquals(source.word(page, version, offset), session.word(page, offset), page + " at " + offset);
        }
        int last = PageSource.COMMON_BYTES - Long.BYTES;
        assertEquals(source.word(page, version, last), session.word(page, last));
    }

    private long sum(PeerSystem system, long firstPage, long pages) {
        int bytes = system == PeerSystem.LMDB ? PageSource.COMMON_BYTES : PageSource.PAGE_BYTES;
        long sum = 0;
        for (long page = firstPage; page < firstPage + pages; page++) {
            for (int offset = 0; offset < bytes; offset += Long.BYTES) {
                sum += source.word(page, 0, offset);
            }
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource(names = {"KVMDB", "KVMDB_CALLS", "LMDB", "ROCKSDB", "H2", "MMAP", "FILE"})
    void shouldReadBackWhatWasLoadedWhenOpenedAgain(PeerSystem system) throws Exception {
        load(system);
        for (PeerSetup.Access access : new PeerSetup.Access[] {PeerSetup.Access.RANDOM, PeerSetup.Access.SEQUENTIAL}) {
            try (Peer peer = open(system, access);
                    Session session = peer.session()) {
                for (long page = 0; page < PAGES; page += 3) {
                    assertPage(session, page, 0);
                }
                assertEquals(sum(system, 0, PAGES), session.scan(0, PAGES));
                assertEquals(sum(system, 300, 256), session.scan(300, 256));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"KVMDB", "KVMDB_CALLS", "LMDB", "ROCKSDB", "H2", "MMAP", "FILE"})
    void shouldReadBackWhatWasCommittedWhenOpenedAgain(PeerSystem system) throws Exception {
        load(system);
        try (Peer peer = open(system, PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            session.commit(new long[] {5}, 1, source, 1);
            session.commit(new long[] {9, 600, 11, 4}, 3, source, 2);
            assertPage(session, 600, 2);
        }
        try (Peer peer = open(system, PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            assertPage(session, 5, 1);
            assertPage(session, 9, 2);
            assertPage(session, 600, 2);
            assertPage(session, 11, 2);
            // Beyond the count.
            assertPage(session, 4, 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LMDB", "ROCKSDB", "H2", "FILE"})
    void shouldFailWhenAPageIsNotThere(PeerSystem system) throws Exception {
        load(system);
        try (Peer peer = open(system, PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            assertThrows(IllegalStateException.class, () -> session.word(PAGES, 0));
            assertThrows(IllegalStateException.class, () -> session.scan(PAGES - 1, 2));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RAW", "BUFFERPOOL"})
    void shouldReadWhatWasLoadedWhenNothingLasts(PeerSystem system) throws Exception {
        try (Peer peer = open(system, PeerSetup.Access.SEQUENTIAL)) {
            peer.load(PAGES, source);
            try (Session session = peer.session()) {
                assertPage(session, 0, 0);
                assertPage(session, PAGES - 1, 0);
                assertEquals(sum(system, 0, PAGES), session.scan(0, PAGES));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"KVMDB", "LMDB", "ROCKSDB", "FILE"})
    void shouldKeepAMomentWhenAskedFor(PeerSystem system) throws Exception {
        load(system);
        Path target = directory.resolveSibling(directory.getFileName() + "-kept");
        try (Peer peer = open(system, PeerSetup.Access.SEQUENTIAL)) {
            peer.snapshot(target);
            if (peer instanceof KvmPeer ours) {
                assertEquals(1, ours.volume().snapshots().size());
                return;
            }
        }
        assertTrue(FileTrees.diskBytes(target) > PAGES * PageSource.PAGE_BYTES / 4);
        FileTrees.delete(target);
    }
}
