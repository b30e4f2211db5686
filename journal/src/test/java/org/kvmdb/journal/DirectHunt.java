package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Runs without a crash in which what must hold is looked at directly. */
final class DirectHunt {

    private DirectHunt() {}

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    private static void compare(Workload work) {
        SpaceCheck.check(work.journal());
        if (!work.model().now().equals(StoreModel.read(work.journal()))) {
            throw new AssertionError("found=%s model=%s".formatted(StoreModel.read(work.journal()), work.model().now()));
        }
    }

    private interface Steps {
        void run(Workload work, RecordingDevice device);
    }

    private static void run(AtomicLong cases, long seed, Steps steps) {
        cases.incrementAndGet();
        final RecordingDevice device = new RecordingDevice(new MemoryDevice("hunt"));
        try (Workload work = new Workload(device, Workload.tinyOptions(), seed)) {
            work.create();
            steps.run(work, device);
        } finally {
            device.dispose();
        }
    }

    /** A reader that found a block in the map, before it was replaced, finds that block where it lay. */
    static void readers(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 32 << 12, 12);
            work.put("a", true, range(0, 32));
            final long[] epoch = {0};
            work.journal().readerGrace(new ReaderGrace() {
                @Override
                public long advance() {
                    return ++epoch[0];
                }

                @Override
                public boolean passed(long of) {
                    return false;
                }
            });
            final VolumeEntry volume = work.journal().volume("a");
            final long ppn = work.journal().lookup(volume.id(), 0);
            final SegmentTable segments = work.journal().parts().segments();
            final long salt = segments.salt(Ppn.segment(ppn));
            final int generation = segments.generation(Ppn.segment(ppn));
            try (Arena arena = Arena.ofConfined()) {
                final MemorySegment page = arena.allocate(4096, 64);
                while (isWritten(work)) {
                    cases.incrementAndGet();
                    final String wrong = new BlockReader(device, segments)
                            .read(ppn, salt, generation, BlockDescriptor.TYPE_PAGE, 0, volume.familyId(), page, 12);
                    if (wrong != null) {
                        throw new AssertionError("a reader lost its block: " + wrong);
                    }
                }
            }
        });
    }

    /** Writes as long as there is room: what readers may look at cannot be used anew. */
    private static boolean isWritten(Workload work) {
        try {
            work.put("a", true, range(0, 32));
            work.checkpoint();
            return true;
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
            return false;
        }
    }

    /** A store that was closed in order is opened without a checkpoint. */
    static void orderlyClose(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 32 << 12, 12);
            for (int i = 0; i < 3; i++) {
                work.put("a", true, range(0, 3));
                work.closeJournal();
                final long before = writes(device);
                work.reopen();
                cases.incrementAndGet();
                if (writes(device) != before) {
                    throw new AssertionError("opening a store that was closed in order took a checkpoint");
                }
                work.put("a", true, 3);
                work.kill();
                work.reopen();
            }
        });
    }

    /** How often a superblock was written. */
    private static long writes(RecordingDevice device) {
        return device.events().stream()
                .filter(event -> event.kind() == RecordingDevice.Kind.WRITE
                        && event.position() < SuperblockDescriptor.SEGMENTS_OFFSET)
                .count();
    }

    /** While a commit is being flushed, what can be seen is the commit before. */
    static void seenDuringFlush(AtomicLong cases, long seed) {
        final Work watched = new Work();
        final KeptDevice device = new KeptDevice(new MemoryDevice("hunt")) {
            @Override
            public void flush() {
                watched.look(cases);
                super.flush();
            }
        };
        try (Workload work = new Workload(device, Workload.tinyOptions(), seed)) {
            work.create();
            work.createVolume("a", 16 << 12, 12);
            watched.work = work;
            work.put("a", true, 0, 1);
            work.put("a", false, 2);
            work.trim("a", true, 1);
            work.put("a", true, 0, 2);
            watched.work = null;
        } finally {
            device.dispose();
        }
    }

    private static final class Work {
        private Workload work;

        void look(AtomicLong cases) {
            if (work == null) {
                return;
            }
            cases.incrementAndGet();
            final Map<String, StoreModel.Volume> seen = StoreModel.read(work.journal());
            if (!seen.equals(work.model().state(work.applied()))) {
                throw new AssertionError("a commit is seen before it is durable: seen=%s before=%s"
                        .formatted(seen, work.model().state(work.applied())));
            }
        }
    }

    /** A recovery that finds one copy of the newest superblock, perhaps in the cache alone, does not write the other beside it. */
    static void superblockRepaired(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 8 << 12, 12);
            work.put("a", true, 0);
            final int begin = device.events().size();
            work.checkpoint();
            new CrashStates(device, seed, CrashStates.Limits.FEW, state -> {
                if (state.left().size() == 1
                        && state.left().getFirst().sectors() == null
                        && isSuperblock(state.left().getFirst().write())) {
                    cases.incrementAndGet();
                    final RecordingDevice killed = state.killed();
                    Journal.open(killed, Workload.tinyOptions()).kill();
                    killed.dispose();
                    checkOneSuperblockAFlush(killed);
                }
            }).walk(begin, 0, 0);
        });
    }

    private static boolean isSuperblock(RecordingDevice.Event event) {
        return event.kind() == RecordingDevice.Kind.WRITE && event.position() < SuperblockDescriptor.SEGMENTS_OFFSET;
    }

    private static void checkOneSuperblockAFlush(RecordingDevice device) {
        final Set<Long> pending = new HashSet<>(); // positions: a copy may be written again as it is
        for (RecordingDevice.Event event : device.events()) {
            if (event.kind() == RecordingDevice.Kind.FLUSH) {
                pending.clear();
            } else if (isSuperblock(event)) {
                pending.add(event.position());
            }
            if (pending.size() > 1) {
                throw new AssertionError("two copies of a superblock hang in one flush");
            }
        }
    }

    /** What a snapshot holds was moved, and the segments that it was in are written anew. */
    static void names(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 32 << 12, 12);
            work.put("a", true, range(0, 20));
            work.put("a", true, range(0, 20));
            work.snapshot("a", "s");
            work.put("a", true, range(0, 20));
            work.clean(8);
            work.checkpoint();
            for (int i = 0; i < 12; i++) {
                work.put("a", true, range(i, 20));
                work.clean(8);
                work.checkpoint();
                cases.incrementAndGet();
                compare(work);
            }
        });
    }

    /** Commits come between the cleaner's copying of blocks and its publishing of them. */
    static void cleanerOvertaken(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, range(0, 40));
            work.checkpoint();
            final SegmentMover mover = work.journal().mover();
            for (int segment : mover.census().segments()) {
                mover.collect(segment, new int[SegmentCensus.CLASSES]);
            }
            work.put("a", true, 1, 3, 5);
            work.trim("a", true, 7);
            mover.publish();
            compare(work);
            work.kill();
            work.reopen();
            compare(work);
        });
    }

    /** A block is rotten when the cleaner comes by: it is found to be rotten afterwards, too. */
    static void cleanerMeetsRot(AtomicLong cases, long seed) {
        run(cases, seed, (work, device) -> {
            work.createVolume("a", 64 << 12, 12);
            work.put("a", true, range(0, 12));
            work.put("a", true, range(0, 12));
            final VolumeEntry volume = work.journal().volume("a");
            final long ppn = work.journal().lookup(volume.id(), 2);
            final SegmentTable segments = work.journal().parts().segments();
            work.put("a", true, range(20, 40)); // the segment is left
            try (Arena arena = Arena.ofConfined()) {
                final MemorySegment bytes = arena.allocate(512, 512);
                final long at = segments.position(Ppn.segment(ppn)) + Ppn.offsetBytes(ppn) + Ppn.lengthBytes(ppn) / 2 & -512;
                device.read(at, bytes);
                Fields.putLong(bytes, 256, ~Fields.longAt(bytes, 256));
                device.write(at, bytes);
                for (int segment : work.journal().mover().census().segments()) {
                    work.journal().mover().collect(segment, new int[SegmentCensus.CLASSES]);
                }
                work.journal().mover().publish();
                final MemorySegment page = arena.allocate(4096, 64);
                for (long lpn = 0; lpn < 12; lpn++) {
                    cases.incrementAndGet();
                    readOrRefuse(work, volume, lpn, page);
                }
            }
        });
    }

    private static void readOrRefuse(Workload work, VolumeEntry volume, long lpn, MemorySegment page) {
        try {
            work.journal().readPage(volume.id(), lpn, page);
        } catch (StorageException e) {
            return;
        }
        PageContent.version(page, volume.familyId(), lpn);
    }
}
