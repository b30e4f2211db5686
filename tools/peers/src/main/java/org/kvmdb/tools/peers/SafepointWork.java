package org.kvmdb.tools.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long the JVM waits until all threads have stopped, while eight threads read pages that are not in memory. A collection every few
 * milliseconds asks them to; the JVM's own log says how long it took.
 */
final class SafepointWork implements Work {

    private static final int THREADS = 8;
    private static final long PAUSE_MILLIS = 5;
    private static final Pattern REACHING = Pattern.compile("Reaching safepoint:\\s+(\\d+) ns");
    private static final Case P50 = reaching("p50");
    private static final Case P99 = reaching("p99");
    private static final Case MAX = reaching("max");

    private static Case reaching(String percentile) {
        return Case.cost(
                "safepoint-" + percentile, "time to safepoint while 8 threads fault, " + percentile, "us");
    }

    @Override
    public String name() {
        return "safepoint";
    }

    @Override
    public String what() {
        return "time to safepoint while 8 threads read at random, data larger than memory";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.of(PeerSystem.KVMDB, PeerSystem.MMAP);
    }

    @Override
    public List<Case> cases() {
        return List.of(P50, P99, MAX);
    }

    @Override
    public List<Goal> goals() {
        return List.of();
    }

    @Override
    public boolean needsLimit() {
        return true;
    }

    @Override
    public void measure(Trial trial) throws Exception {
        Path log = trial.settings().directory().resolve("safepoints.log");
        Files.deleteIfExists(log);
        trial.run(RUN, trial.largeData(), trial.settings().largePages(), "-Xlog:safepoint=info:file=" + log);
        long[] nanos = reachingNanos(log);
        if (nanos.length == 0) {
            throw new IOException("the JVM logged no safepoint");
        }
        trial.answer(P50, nanos[nanos.length / 2] / 1e3);
        trial.answer(P99, nanos[(int) (nanos.length * 0.99)] / 1e3);
        trial.answer(MAX, nanos[nanos.length - 1] / 1e3);
    }

    /** In ascending order. Those of the collections that were asked for: others come before anything faults. */
    static long[] reachingNanos(Path log) throws IOException {
        List<Long> nanos = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
            Matcher matcher = REACHING.matcher(line);
            if (line.contains("Collect") && matcher.find()) {
                nanos.add(Long.parseLong(matcher.group(1)));
            }
        }
        return nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        Thread collector = Thread.ofPlatform().unstarted(() -> {
            while (!done.get()) {
                System.gc();
                try {
                    Thread.sleep(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        try (Peer peer = context.open(PeerSetup.Access.RANDOM)) {
            Crew.Job job = ReadsWork.job(Picker.uniform(context.pages()));
            Crew.perSecond(peer, THREADS, context.seconds(), job);
            collector.start();
            Crew.perSecond(peer, THREADS, context.seconds(), job);
            done.set(true);
            collector.join();
        }
    }
}
