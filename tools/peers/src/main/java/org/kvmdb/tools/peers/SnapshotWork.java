package org.kvmdb.tools.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.Snapshot;
import org.kvmdb.tools.bench.Figure.Aim;
import org.kvmdb.tools.bench.Series;

/** Keeping a moment of the large data: a snapshot or clone of ours, a checkpoint of RocksDB, a copy of others. */
final class SnapshotWork implements Work {

    private static final Case SNAPSHOT = Case.cost("snapshot", "a snapshot of the large data", "ms");
    private static final Case CLONE = Case.cost("snapshot-clone", "a writable clone of the large data", "ms");
    private static final int COUNT_MAX = 50;

    @Override
    public String name() {
        return "snapshot";
    }

    @Override
    public String what() {
        return "snapshot of the large data (rocksdb: checkpoint; lmdb: its copy; file: copied in the kernel, a"
                + " reflink where there is one)";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.of(PeerSystem.KVMDB, PeerSystem.LMDB, PeerSystem.ROCKSDB, PeerSystem.FILE);
    }

    @Override
    public List<Case> cases() {
        return List.of(SNAPSHOT, CLONE);
    }

    @Override
    public List<Goal> goals() {
        return List.of(new Goal("snapshot", SNAPSHOT, Reference.bestOfAll(), Aim.NONE));
    }

    @Override
    public void measure(Trial trial) throws Exception {
        trial.run(RUN, trial.largeData(), trial.settings().largePages());
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Peer peer = context.open(PeerSetup.Access.SEQUENTIAL)) {
            Path target = context.directory().resolveSibling("snapshot-" + context.system());
            FileTrees.delete(target);
            if (peer instanceof KvmPeer ours) {
                ours(context, ours);
            } else {
                context.answer(SNAPSHOT, medianMillis(context, () -> peer.snapshot(target), () ->
                        FileTrees.delete(target)));
            }
        }
    }

    /** They go away again, so that the next round finds what this one did. */
    private static void ours(ChildContext context, KvmPeer ours) throws Exception {
        String name = "taken";
        Path path = Path.of(name);
        context.answer(SNAPSHOT, medianMillis(
                context, () -> ours.snapshot(path), () -> ours.volume().snapshotNamed(name).delete()));
        Snapshot origin = ours.volume().snapshot("origin");
        context.answer(CLONE, medianMillis(
                context, () -> origin.cloneAs("clone"), () -> ours.store().deleteVolume("clone")));
        origin.delete();
    }

    private interface Step {
        void run() throws Exception;
    }

    private static double medianMillis(ChildContext context, Step taken, Step dropped) throws Exception {
        List<Double> millis = new ArrayList<>();
        long endNanos = System.nanoTime() + (long) (context.seconds() * 1e9);
        do {
            long startNanos = System.nanoTime();
            taken.run();
            millis.add((System.nanoTime() - startNanos) / 1e6);
            dropped.run();
        } while (System.nanoTime() < endNanos && millis.size() < COUNT_MAX);
        return Series.median(millis);
    }
}
