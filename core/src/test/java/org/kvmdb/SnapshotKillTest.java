package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL while snapshots are taken, cloned, gone back to and deleted: what was acknowledged is there, and each snapshot
 * that is there holds what it held. Another seed: {@code -Dkvmdb.kill.seed=…}, more cycles: {@code -Dkvmdb.kill.cycles=…}.
 */
@Timeout(300)
class SnapshotKillTest {

    private static final long SEED = Long.getLong("kvmdb.kill.seed", 20260211);
    private static final int CYCLES = Integer.getInteger("kvmdb.kill.cycles", 20);

    private static final List<String> FAST_START =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Xshare:auto");

    @TempDir
    Path directory;

    @Test
    void shouldKeepEveryAcknowledgedSnapshotWhole() throws Exception {
        final Path store = directory.resolve("store");
        final Path record = directory.resolve("record");
        final Random random = new Random(SEED);
        for (int cycle = 0; cycle < CYCLES; cycle++) {
            try (ChildJvm child =
                    ChildJvm.start(directory, FAST_START, Workload.class, store, record, SEED + cycle)) {
                child.awaitOutput("ready", 60);
                Thread.sleep(20 + random.nextInt(280));
                assertTrue(child.isAlive(), () -> "seed " + SEED + ":\n" + child.output());
                child.kill();
            }
        }
        try (Arena arena = Arena.ofShared();
                Workload workload = new Workload(store, record, arena)) {
            final long steps = workload.verify();
            assertTrue(steps > CYCLES, () -> "no work was done: " + steps);
        }
    }

    /**
     * One volume; step k writes k to some of its pages, snapshot "s" + k is taken with it. What the pages hold in step k
     * follows from k alone. Sometimes an older snapshot is deleted, is gone back to, or is cloned and the clone written.
     */
    static final class Workload implements AutoCloseable {

        private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
        private static final int PAGES = 40;
        private static final int KEPT = 12;

        /** In the record: the last step that was issued, and acknowledged; likewise of deletions. */
        private static final int ISSUED = 0;

        private static final int ACKNOWLEDGED = 8;
        private static final int DELETED = 16;
        private static final int GONE = 24;

        private final Store store;
        private final Volume volume;
        private final MemorySegment record;

        Workload(Path directory, Path recordFile, Arena arena) throws IOException {
            try (FileChannel channel = FileChannel.open(
                    recordFile, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                record = channel.map(FileChannel.MapMode.READ_WRITE, 0, 64, arena);
            }
            final StoreOptions options = TestStores.small().withCheckpointRecords(500);
            final boolean isNew = !Files.exists(TestStores.dataFile(directory));
            store = isNew ? Store.create(directory, options) : Store.open(directory, options);
            volume = store.volumes().stream().anyMatch(v -> v.name().equals("v"))
                    ? store.volume("v")
                    : store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * 4096L));
        }

        /** Arguments: store directory, record file, seed. */
        public static void main(String[] arguments) throws Exception {
            try (Arena arena = Arena.ofShared();
                    Workload workload = new Workload(Path.of(arguments[0]), Path.of(arguments[1]), arena)) {
                long k = workload.verify();
                System.out.println("ready");
                final Random random = new Random(Long.parseLong(arguments[2]));
                while (true) {
                    workload.step(++k, random);
                }
            }
        }

        private long at(int offset) {
            return (long) LONG.getVolatile(record, (long) offset);
        }

        private void at(int offset, long value) {
            LONG.setVolatile(record, (long) offset, value);
        }

        /** Page 0 tells the step; of the others each step writes three, so that they share most of their blocks. */
        private static boolean isWrittenIn(long step, int page) {
            return page == 0 || page % 13 == step % 13;
        }

        private static long versionIn(long step, int page) {
            long k = step;
            while (k > 0 && !isWrittenIn(k, page)) {
                k--;
            }
            return k;
        }

        private void step(long k, Random random) {
            at(ISSUED, k);
            for (int page = 0; page < PAGES; page++) {
                if (isWrittenIn(k, page)) {
                    PageContent.write(TestStores.page(volume, page), 1, page, k);
                }
            }
            volume.snapshot("s" + k);
            at(ACKNOWLEDGED, k);
            if (k > KEPT) {
                at(DELETED, k - KEPT);
                volume.snapshots().stream().filter(snapshot -> number(snapshot) <= k - KEPT).forEach(this::delete);
                at(GONE, k - KEPT);
            }
            switch (random.nextInt(12)) {
                case 0 -> store.checkpoint();
                case 1 -> cloneAndWrite(k);
                case 2 -> {
                    // Back and forth: the head ends where it was.
                    volume.rollbackTo(volume.snapshotNamed("s" + Math.max(1, k - random.nextInt(KEPT))));
                    volume.rollbackTo(volume.snapshotNamed("s" + k));
                }
                default -> {}
            }
        }

        private void cloneAndWrite(long k) {
            deleteClone();
            final Volume clone = volume.snapshotNamed("s" + k).cloneAs("clone");
            TestStores.writePages(clone, 2, 0, PAGES, k);
            clone.commit();
        }

        private void deleteClone() {
            if (store.volumes().stream().anyMatch(v -> v.name().equals("clone"))) {
                store.deleteVolume("clone");
            }
        }

        private static long number(Snapshot snapshot) {
            return Long.parseLong(snapshot.name().substring(1));
        }

        private void delete(Snapshot snapshot) {
            try {
                snapshot.delete();
            } catch (StoreBusyException e) {
                deleteClone();
                snapshot.delete();
            }
        }

        /** Checks everything; returns the step to go on from. */
        long verify() {
            final long acknowledged = at(ACKNOWLEDGED);
            final Map<Long, Snapshot> snapshots = new HashMap<>();
            long newest = 0;
            for (Snapshot snapshot : volume.snapshots()) {
                final long k = number(snapshot);
                snapshots.put(k, snapshot);
                newest = Math.max(newest, k);
                checkPages(snapshot.memory(), k);
                snapshot.release();
                assertTrue(k <= at(ISSUED) && k > at(GONE), "s%d is there, deleted up to %d".formatted(k, at(GONE)));
            }
            for (long k = at(DELETED) + 1; k <= acknowledged; k++) {
                assertTrue(snapshots.containsKey(k), "s%d of %d is gone".formatted(k, acknowledged));
            }
            // The head: where it was, or in the middle of going back and forth.
            final long head = PageContent.version(TestStores.page(volume, 0), 1, 0);
            assertTrue(head <= newest && head > newest - KEPT - 1, "head at %d, newest s%d".formatted(head, newest));
            checkPages(volume.memory(), head);
            if (newest > 0) {
                volume.rollbackTo(snapshots.get(newest));
                checkPages(volume.memory(), newest);
            }
            return newest;
        }

        private static void checkPages(MemorySegment memory, long k) {
            for (int page = 0; page < PAGES; page++) {
                PageContent.check(TestStores.page(memory, page, 4096), 1, page, versionIn(k, page));
            }
        }

        @Override
        public void close() {
            store.close();
        }
    }
}
