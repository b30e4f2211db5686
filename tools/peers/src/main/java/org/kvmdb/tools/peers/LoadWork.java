package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.tools.bench.Figure.Aim;

/** Filling an empty store in order, with one durable point at the end. */
final class LoadWork implements Work {

    private static final Case SECONDS = Case.cost("load-seconds", "a bulk load, durable at its end", "s");
    private static final Case SIZE = Case.cost("load-size", "bytes on disk for each byte loaded", "of the data");

    @Override
    public String name() {
        return "load";
    }

    @Override
    public String what() {
        return "bulk load, larger than memory, one durable point";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.of(PeerSystem.KVMDB, PeerSystem.LMDB, PeerSystem.ROCKSDB, PeerSystem.H2, PeerSystem.FILE);
    }

    @Override
    public List<Case> cases() {
        return List.of(SECONDS, SIZE);
    }

    @Override
    public List<Goal> goals() {
        return List.of(
                new Goal("load-seconds", SECONDS, Reference.bestStore(), Aim.atLeast(2.5)),
                new Goal("load-floor", SECONDS, Reference.of(PeerSystem.FILE), Aim.NONE),
                new Goal(
                        "load-size",
                        SIZE,
                        Reference.bestOf(List.of(PeerSystem.LMDB, PeerSystem.ROCKSDB)),
                        Aim.atMost(1)));
    }

    @Override
    public void measure(Trial trial) throws IOException, InterruptedException {
        long pages = trial.settings().loadPages();
        Path directory = trial.emptyDirectory("load");
        trial.run(RUN, directory, pages);
        LibC.dropCaches(directory);
        trial.answer(SIZE, FileTrees.diskBytes(directory) / ((double) pages * PageSource.PAGE_BYTES));
        FileTrees.delete(directory);
    }

    /** From the open store to the durable point; opening and closing are not part of it. */
    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.LOAD)) {
            PageSource source = context.source(arena);
            long startNanos = System.nanoTime();
            peer.load(context.pages(), source);
            context.answer(SECONDS, (System.nanoTime() - startNanos) / 1e9);
        }
    }
}
