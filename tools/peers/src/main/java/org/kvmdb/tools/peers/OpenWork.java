package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.tools.bench.Figure.Aim;

/**
 * Opening what a process has left that was killed while it loaded data in durable transactions of a thousand pages. Once in a process
 * that has just started, classes and native libraries to be loaded included; and once in one that has opened an empty store
 * before, so that what remains is recovery.
 */
final class OpenWork implements Work {

    private static final Case COLD =
            Case.cost("open", "open after SIGKILL, to the first page read, a new process", "ms");
    private static final Case WARM =
            Case.cost("open-recovery", "open after SIGKILL, to the first page read, libraries loaded", "ms");
    private static final String WRITE = "write";
    private static final String READY = "ready";
    private static final int TRANSACTION_PAGES = 1000;

    @Override
    public String name() {
        return "open";
    }

    @Override
    public String what() {
        return "open after SIGKILL amid a load in durable transactions of 1,000 pages, the limit's size written";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.of(PeerSystem.KVMDB, PeerSystem.LMDB, PeerSystem.ROCKSDB, PeerSystem.H2);
    }

    @Override
    public List<Case> cases() {
        return List.of(COLD, WARM);
    }

    @Override
    public List<Goal> goals() {
        return List.of(
                new Goal("open", COLD, Reference.bestStore(), Aim.atMost(1)),
                new Goal("open-recovery", WARM, Reference.bestStore(), Aim.atMost(1)));
    }

    @Override
    public void measure(Trial trial) throws Exception {
        long pages = trial.settings().limitBytes() / PageSource.PAGE_BYTES;
        for (Case measured : cases()) {
            Path directory = trial.emptyDirectory("open");
            Path ready = directory.resolveSibling(READY);
            Files.deleteIfExists(ready);
            trial.kill(WRITE, directory, 2 * pages, ready);
            trial.run(measured.name(), directory, 2 * pages);
        }
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        if (stage.equals(WRITE)) {
            writeUntilKilled(context);
        } else if (stage.equals(WARM.name())) {
            openEmpty(context);
            context.answer(WARM, openMillis(context));
        } else {
            context.answer(COLD, openMillis(context));
        }
    }

    private static void writeUntilKilled(ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            PageSource source = context.source(arena);
            long[] pages = new long[TRANSACTION_PAGES];
            long half = context.pages() / 2;
            for (long first = 0; ; first += TRANSACTION_PAGES) {
                for (int i = 0; i < pages.length; i++) {
                    pages[i] = (first + i) % context.pages();
                }
                session.commit(pages, pages.length, source, 0);
                if (first < half && first + TRANSACTION_PAGES >= half) {
                    Files.createFile(context.directory().resolveSibling(READY));
                }
            }
        }
    }

    private static void openEmpty(ChildContext context) throws IOException {
        Path empty = FileTrees.fresh(context.directory().resolveSibling("open-empty"));
        try (Peer peer = context.system()
                .open(new PeerSetup(empty, 1, context.limitBytes(), PeerSetup.Access.RANDOM))) {
            peer.session().close();
        }
        FileTrees.delete(empty);
    }

    private static double openMillis(ChildContext context) throws Exception {
        long startNanos = System.nanoTime();
        try (Peer peer = context.open(PeerSetup.Access.RANDOM);
                Session session = peer.session()) {
            long word = session.word(1, 0);
            double millis = (System.nanoTime() - startNanos) / 1e6;
            if (word != 1) {
                throw new IllegalStateException("page 1 says that it is page " + word);
            }
            return millis;
        }
    }
}
