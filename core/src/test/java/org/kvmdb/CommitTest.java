package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Commits, rollbacks, scopes and the front end's log. */
@Timeout(60)
class CommitTest extends SmallStoreTest {

    // ---- commit and rollback ----

    @Test
    void shouldRollBackToTheLastCommit() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            TestStores.writePages(a, 1, 0, 10, 1);
            TestStores.writePages(b, 2, 0, 10, 1);
            store.commit();
            TestStores.writePages(a, 1, 5, 20, 2);
            TestStores.writePages(b, 2, 5, 20, 2);
            a.rollback();
            TestStores.checkPages(a, 1, 0, 10, 1);
            TestStores.checkPages(a, 1, 10, 20, 0);
            TestStores.checkPages(b, 2, 5, 20, 2);
            store.rollback();
            TestStores.checkPages(b, 2, 0, 10, 1);
            TestStores.checkPages(b, 2, 10, 20, 0);
            assertEquals(0, store.statistics().cache().dirtyBytes());
            TestStores.writePages(a, 1, 5, 20, 3);
            store.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("a"), 1, 5, 20, 3);
            TestStores.checkPages(store.volume("b"), 2, 10, 20, 0);
        }
    }

    /** Who commits all volumes does not know of those that somebody else deletes. */
    @Test
    void shouldCommitTheOthersWhenAVolumeIsDeletedMeanwhile() throws Exception {
        final AtomicBoolean done = new AtomicBoolean();
        try (Store store = create();
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            final Volume stays = store.createVolume("stays", TWO_MIB);
            final List<Future<?>> committers = new ArrayList<>();
            for (boolean rollsBack : new boolean[] {false, true}) {
                committers.add(threads.submit(() -> {
                    do {
                        store.commit();
                        if (rollsBack) {
                            store.rollback();
                        }
                    } while (!done.get());
                }));
            }
            try {
                for (int i = 0; i < 300; i++) {
                    final Volume goes = store.createVolume("goes", TWO_MIB);
                    TestStores.writePages(goes, 2, 0, 3, 1);
                    store.deleteVolume("goes");
                    assertThrows(StoreClosedException.class, goes::commit);
                }
            } finally {
                done.set(true);
            }
            for (Future<?> committer : committers) {
                committer.get();
            }
            TestStores.writePages(stays, 1, 0, 10, 1);
            stays.commit();
            TestStores.checkPages(stays, 1, 0, 10, 1);
        }
    }

    @Test
    void shouldCommitSeveralVolumesAtomically() throws IOException {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            final Volume c = store.createVolume("c", TWO_MIB);
            for (Volume volume : List.of(a, b, c)) {
                TestStores.writePages(volume, 1, 0, 30, 1);
            }
            store.commit(List.of(a, b));
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("a"), 1, 0, 30, 1);
                TestStores.checkPages(recovered.volume("b"), 1, 0, 30, 1);
                TestStores.checkPages(recovered.volume("c"), 1, 0, 30, 0);
            }
        }
    }

    @Test
    void shouldCommitNothingWhenNothingWasWritten() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            store.commit();
            volume.commit();
            store.commit(List.of());
            store.sync();
            store.rollback();
            assertTrue(store.commitAsync() >= 0);
        }
    }

    @Test
    void shouldRefuseToCommitInsideAWriteScopeOfOnesOwn() {
        try (Store store = create()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            try (Scope _ = a.writeScope();
                    Scope _ = a.writeScope()) {
                a.memory().set(ValueLayout.JAVA_LONG, 0, 7);
                assertThrows(StoreBusyException.class, store::commit);
                assertThrows(StoreBusyException.class, b::commit);
                assertThrows(StoreBusyException.class, a::rollback);
                assertThrows(StoreBusyException.class, store::commitAsync);
                assertThrows(StoreBusyException.class, () -> a.resize(4 << 20));
                assertThrows(StoreBusyException.class, () -> store.deleteVolume("a"));
                assertThrows(StoreBusyException.class, store::close);
            }
            store.commit();
            assertEquals(7, a.memory().get(ValueLayout.JAVA_LONG, 0));
        }
        try (Store store = open()) {
            assertEquals(7, store.volume("a").memory().get(ValueLayout.JAVA_LONG, 0));
        }
    }

    @Test
    void shouldNotCutThroughAWriteScopeWithACommit() throws Exception {
        try (Store store = create();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Scope scope = volume.writeScope();
            TestStores.writePages(volume, 1, 0, 1, 1);
            final Future<?> commit = threads.submit(() -> store.commit());
            Thread.sleep(100);
            assertFalse(commit.isDone());
            TestStores.writePages(volume, 1, 400, 401, 1);
            scope.close();
            commit.get(20, TimeUnit.SECONDS);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 1);
                TestStores.checkPages(recovered.volume("v"), 1, 400, 401, 1);
            }
        }
    }

    /** A committer that held one volume while it waits for the scopes of the next would be waited for by their owners. */
    @Test
    void shouldNotHangWhenScopesAreNestedInAnyOrder() throws Exception {
        try (Store store = create();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            final Volume a = store.createVolume("a", TWO_MIB);
            final Volume b = store.createVolume("b", TWO_MIB);
            final AtomicBoolean stop = new AtomicBoolean();
            final List<Future<?>> work = List.of(
                    threads.submit(() -> nestScopes(a, b, 0, stop)),
                    threads.submit(() -> nestScopes(b, a, 1, stop)));
            final Future<?> commits = threads.submit(() -> {
                for (int i = 0; i < 200; i++) {
                    store.commit();
                }
            });
            try {
                commits.get(30, TimeUnit.SECONDS);
            } finally {
                stop.set(true);
            }
            for (Future<?> writer : work) {
                writer.get(20, TimeUnit.SECONDS);
            }
        }
    }

    private static void nestScopes(Volume first, Volume second, long lpn, AtomicBoolean stop) {
        for (long i = 1; !stop.get(); i++) {
            try (Scope _ = first.writeScope()) {
                first.memory().set(ValueLayout.JAVA_LONG, lpn * 4096, i);
                Thread.yield();
                try (Scope _ = second.writeScope()) {
                    second.memory().set(ValueLayout.JAVA_LONG, lpn * 4096, i);
                }
            }
        }
    }

    @Test
    void shouldMakeAsynchronousCommitsDurableWithSync() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            long last = 0;
            for (int version = 1; version <= 10; version++) {
                TestStores.writePages(volume, 1, 0, 3, version);
                final long sequence = store.commitAsync();
                assertTrue(sequence > last, () -> "sequence " + sequence);
                last = sequence;
            }
            store.sync();
            assertTrue(store.statistics().log().durableSequence() >= last);
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 3, 10);
            }
        }
    }

    @Test
    void shouldGroupCommitsOfManyThreads() throws Exception {
        final int threadCount = 8;
        final int commitsEach = 40;
        try (Store store = create();
                ExecutorService threads = Executors.newFixedThreadPool(threadCount)) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < threadCount; t++) {
                final long lpn = t;
                done.add(threads.submit(() -> {
                    for (int version = 1; version <= commitsEach; version++) {
                        PageContent.write(TestStores.page(volume, lpn), 1, lpn, version);
                        store.commit();
                    }
                }));
            }
            for (Future<?> thread : done) {
                thread.get(50, TimeUnit.SECONDS);
            }
            TestStores.checkPages(volume, 1, 0, threadCount, commitsEach);
            assertEquals(threadCount * commitsEach, store.statistics().log().commits());
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, threadCount, commitsEach);
            }
        }
    }

    // ---- the front end's own log ----

    private static final class RecordingLog implements WriteAheadLog {
        private final StringBuilder calls = new StringBuilder();
        private long lsn = 100;
        private Runnable onFlush = () -> {};

        @Override
        public long currentLsn() {
            calls.append("lsn ").append(lsn).append('\n');
            return lsn;
        }

        @Override
        public void flushTo(long upTo) {
            calls.append("flush ").append(upTo).append('\n');
            onFlush.run();
        }
    }

    @Test
    void shouldHaveTheFrontEndsLogDurableBeforeItsPages() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final RecordingLog log = new RecordingLog();
            volume.writeAheadLog(log);
            assertEquals(0, volume.committedLsn());
            PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            final long blockBytes = store.statistics().log().blockBytes();
            log.onFlush = () -> {
                assertEquals(blockBytes, store.statistics().log().blockBytes());
                assertEquals(0, volume.committedLsn());
            };
            store.commit();
            assertEquals("lsn 100\nflush 100\n", log.calls.toString());
            assertEquals(100, volume.committedLsn());
            log.onFlush = () -> {};
            log.lsn = 250;
            PageContent.write(TestStores.page(volume, 0), 1, 0, 2);
            volume.commit();
            assertEquals(250, volume.committedLsn());
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                assertEquals(250, recovered.volume("v").committedLsn());
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 2);
            }
            volume.writeAheadLog(null);
            PageContent.write(TestStores.page(volume, 0), 1, 0, 3);
            volume.commit();
            assertEquals(250, volume.committedLsn());
        }
        try (Store store = open()) {
            assertEquals(250, store.volume("v").committedLsn());
        }
    }

    @Test
    void shouldCommitNothingWhenTheFrontEndsLogFails() throws IOException {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Volume other = store.createVolume("w", TWO_MIB);
            final RecordingLog log = new RecordingLog();
            volume.writeAheadLog(log);
            log.onFlush = () -> {
                throw new IllegalArgumentException("log disk is full");
            };
            PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            PageContent.write(TestStores.page(other, 0), 2, 0, 1);
            assertThrows(IllegalArgumentException.class, volume::commit);
            other.commit();
            final Path killed = TestStores.killedCopy(store.path(), directory.resolve("killed"));
            try (Store recovered = Store.open(killed, TestStores.small())) {
                TestStores.checkPages(recovered.volume("v"), 1, 0, 1, 0);
                TestStores.checkPages(recovered.volume("w"), 2, 0, 1, 1);
            }
            // The pages are dirty still, and belong to the next commit.
            log.onFlush = () -> {};
            store.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 1, 1);
            assertEquals(100, store.volume("v").committedLsn());
        }
    }

    @Test
    void shouldRefuseWhatWaitsForTheCommitFromInsideItsCallback() throws Exception {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Volume other = store.createVolume("w", TWO_MIB);
            other.memory();
            final RecordingLog log = new RecordingLog();
            volume.writeAheadLog(log);
            final StringBuilder told = new StringBuilder();
            log.onFlush = () -> {
                for (Runnable action : List.<Runnable>of(
                        store::close,
                        store::commit,
                        store::rollback,
                        () -> other.resize(2 * TWO_MIB.sizeBytes()),
                        () -> store.deleteVolume("w"))) {
                    told.append(assertThrows(StoreBusyException.class, action::run).getMessage()).append('\n');
                }
            };
            PageContent.write(TestStores.page(volume, 0), 1, 0, 1);
            store.commit();
            assertEquals(
                    5, told.toString().lines().filter(line -> line.contains("callback of the write-ahead log")).count(), told::toString);
            assertEquals(1, store.statistics().log().commits());
            // Another thread may close meanwhile, and waits; the callback does not wait for it.
            final Thread closer = new Thread(store::close);
            log.onFlush = () -> {
                closer.start();
                while (closer.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                assertThrows(StoreBusyException.class, store::close);
            };
            PageContent.write(TestStores.page(volume, 0), 1, 0, 2);
            store.commit();
            closer.join();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 1, 2);
        }
    }
}
