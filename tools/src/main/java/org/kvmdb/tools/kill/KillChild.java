package org.kvmdb.tools.kill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.tools.ChildJvm;

/**
 * The child's side of the loop. Its {@code main} is {@code KillChild.run(arguments, child -> ...)}; the work tells what it
 * is at, goes on until it is killed or {@link #isStopAsked}, and throws when something is wrong.
 */
public final class KillChild {

    private static final long WATCH_MILLIS = 500;

    /** What a child does. */
    public interface Work {
        void run(KillChild child) throws Exception;
    }

    private final KillRecord record;
    private final Path store;
    private final long seed;
    private final String systemCall;
    private final List<String> arguments;

    private KillChild(KillRecord record, Path store, long seed, String systemCall, List<String> arguments) {
        this.record = record;
        this.store = store;
        this.seed = seed;
        this.systemCall = systemCall;
        this.arguments = arguments;
    }

    /** In the order in which {@link #run} reads them. */
    static List<String> arguments(long parentPid, Path record, Path store, KillCycle cycle, List<String> more) {
        List<String> arguments = new ArrayList<>();
        arguments.add(Long.toString(parentPid));
        arguments.add(record.toString());
        arguments.add(store.toString());
        arguments.add(Long.toString(cycle.seed()));
        arguments.add(cycle.systemCall() == null ? SystemCallKill.NONE : cycle.systemCall().toString());
        arguments.addAll(more);
        return arguments;
    }

    /** Runs the work in this process, which is the child; it ends when the work does, or fails. */
    public static void run(String[] arguments, Work work) {
        long parentPid = Long.parseLong(arguments[0]);
        Thread.ofPlatform().daemon().name("watch-parent").start(() -> watch(parentPid));
        try (KillRecord record = KillRecord.attach(Path.of(arguments[1]))) {
            work.run(new KillChild(
                    record,
                    Path.of(arguments[2]),
                    Long.parseLong(arguments[3]),
                    arguments[4],
                    List.of(arguments).subList(5, arguments.length)));
            record.phase(KillRecord.Phase.DONE);
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** Ends the child at once, as one that found something wrong. From any thread. */
    public static void fail(Throwable failure) {
        failure.printStackTrace(System.out);
        System.out.flush();
        Runtime.getRuntime().halt(1);
    }

    private static void watch(long parentPid) {
        try {
            while (true) {
                ChildJvm.exitWithParent(parentPid);
                Thread.sleep(WATCH_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public Path store() {
        return store;
    }

    public long seed() {
        return seed;
    }

    /** Those of {@link KillSubject#arguments}. */
    public List<String> arguments() {
        return arguments;
    }

    public KillRecord record() {
        return record;
    }

    /** The store is about to be created or opened. From here on system calls are counted, when one of them is the end. */
    public void opening() {
        record.phase(KillRecord.Phase.OPENING);
        if (!systemCall.equals(SystemCallKill.NONE)) {
            SystemCallKill.parse(systemCall).arm();
        }
    }

    /** The store is open, work begins. */
    public void working() {
        record.phase(KillRecord.Phase.WORKING);
    }

    /** The store is about to be closed. */
    public void closing() {
        record.phase(KillRecord.Phase.CLOSING);
    }

    /** A step of the work is done: what tells a slow child from one that hangs. From any thread. */
    public void advance() {
        record.advance();
    }

    public boolean isStopAsked() {
        return record.isStopAsked();
    }
}
