package org.kvmdb.journal.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;

/** Fuzzes one target: varies, runs, judges, keeps what takes new edges. One thread, but for {@link #stuckNanos}. */
final class FuzzLoop {

    /** An input may take that long. */
    private static final long NANOS_MAX = 1_000_000_000L;

    /** What reading may allocate on the heap: the images of the targets are far smaller. */
    private static final long ALLOCATED_BYTES_MAX = 256L << 20;

    private static final int FDS_MORE_MAX = 64;
    private static final int FDS_LOOKED_AT_EVERY = 4096;
    private static final int CURRENT_BYTES = 1 << 16;
    private static final String REPEAT = "kvmdb crashtest --only fuzz --option target=%s --seed %d";
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final FuzzTarget target;
    private final InstrumentingLoader loader;
    private final byte[] counts;
    private final byte[] seen = new byte[EdgeCounters.COUNT];
    private final EditMutator mutator;
    private final CampaignTally tally;
    private final boolean goesByEdges;
    private final long seed;
    private final List<List<Edit>> corpus = new ArrayList<>();
    private final Set<String> signatures = new HashSet<>();
    private final Map<String, Long> outcomes = new TreeMap<>();
    private final MemorySegment current;
    private volatile long beganNanos;
    private volatile List<Edit> running;
    private long inputs;
    private int edgesSeen;
    private long fdsAtStart = -1;

    /**
     * @param directory gets a file with the program that runs, which outlives a crash of the virtual machine
     * @param isTimed whether it runs for some time, so that no other run has the same inputs
     */
    FuzzLoop(
            FuzzTarget target, InstrumentingLoader loader, long seed, Path directory, boolean isTimed, CampaignTally tally) {
        this.target = target;
        goesByEdges = isTimed || target.isSteady();
        this.loader = loader;
        this.seed = seed;
        this.tally = tally;
        counts = loader.counts();
        mutator = new EditMutator(target.places(), new SplittableRandom(seed ^ target.name().hashCode()));
        current = map(directory.resolve(target.name() + ".current"));
    }

    private static MemorySegment map(Path file) {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, CURRENT_BYTES, Arena.ofAuto());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs what is valid, then what once showed a bug, then what was kept from an earlier run. */
    void begin(List<List<Edit>> kept) {
        corpus.add(List.of());
        final String outcome = run(List.of());
        if (!outcome.equals(target.valid())) {
            tally.found(new Finding(target.name() + ": what is valid came to " + outcome, "", ""));
        }
        EditFile.regressions(target.name()).forEach(this::run);
        kept.forEach(this::run);
    }

    void step() {
        run(mutator.vary(corpus));
    }

    private String run(List<Edit> program) {
        final String outcome = verdict(program);
        inputs++;
        tally.add(target.name());
        final boolean isNewOutcome =
                outcomes.merge(outcome.startsWith("!") ? "wrong" : outcome, 1L, Long::sum) == 1;
        long hash = outcome.hashCode();
        for (Edit edit : program) {
            hash = CampaignTally.mix(hash ^ edit.toLine().hashCode());
        }
        tally.isNew(hash);
        tally.trace(CampaignTally.mix(hash + target.name().hashCode()) ^ inputs);
        final boolean isNewCode = takesNewEdges();
        if ((goesByEdges ? isNewCode : isNewOutcome) && !outcome.startsWith("!")) {
            corpus.add(List.copyOf(program));
        }
        if (inputs % FDS_LOOKED_AT_EVERY == 1) {
            checkDescriptors();
        }
        return outcome;
    }

    /** What came of it; something that is wrong begins with "!". */
    private String verdict(List<Edit> program) {
        java.util.Arrays.fill(counts, 0, loader.edges(), (byte) 0);
        note(program);
        final long allocated = THREADS.getCurrentThreadAllocatedBytes();
        running = program;
        final long began = System.nanoTime();
        beganNanos = began;
        String outcome;
        try {
            outcome = target.run(program);
        } catch (Throwable e) {
            outcome = "!" + signature(e);
            found(program, outcome, e.toString(), e);
        } finally {
            beganNanos = 0;
        }
        final long bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        if (System.nanoTime() - began > NANOS_MAX) {
            checkTime(program);
        }
        if (bytes > ALLOCATED_BYTES_MAX) {
            found(program, "!memory", "allocated %d MiB".formatted(bytes >> 20), null);
        }
        return outcome;
    }

    /** What took long may have waited for other processes: once more, by the time of the processor. */
    private void checkTime(List<Edit> program) {
        final long cpu = THREADS.getCurrentThreadCpuTime();
        fails(program, "");
        final long taken = THREADS.getCurrentThreadCpuTime() - cpu;
        if (taken > NANOS_MAX) {
            found(program, "!slow", "took %d ms of a processor".formatted(taken / 1_000_000), null);
        }
    }

    private void note(List<Edit> program) {
        final byte[] text = EditFile.text(program).getBytes(StandardCharsets.UTF_8);
        final int length = Math.min(text.length, CURRENT_BYTES - 1);
        MemorySegment.copy(text, 0, current, ValueLayout.JAVA_BYTE, 0, length);
        current.set(ValueLayout.JAVA_BYTE, length, (byte) 0);
    }

    /** The same for what is probably the same bug: the exception and where it comes from, or an assertion without its numbers. */
    private static String signature(Throwable e) {
        final String message = e instanceof AssertionError && e.getMessage() != null
                ? e.getMessage().replaceAll("0x[0-9a-f]+|\\d+", "N").lines().findFirst().orElse("")
                : "";
        return e.getClass().getName() + ' ' + message + ' '
                + Stream.of(e.getStackTrace())
                        .filter(frame -> frame.getClassName().startsWith("org.kvmdb"))
                        .findFirst()
                        .map(frame -> frame.getClassName() + '.' + frame.getMethodName())
                        .orElse("");
    }

    private void found(List<Edit> program, String signature, String what, Throwable e) {
        if (!signatures.add(signature)) {
            return;
        }
        final String smallest = EditFile.text(e == null ? program : shrink(program, signature));
        final StringBuilder where = new StringBuilder();
        if (e != null) {
            Stream.of(e.getStackTrace()).filter(frame -> !frame.getClassName().startsWith("j")).limit(8).forEach(frame -> where.append("\n    at ").append(frame));
        }
        tally.found(new Finding(
                "%s: %s%s".formatted(target.name(), what, where),
                REPEAT.formatted(target.name(), seed), smallest));
    }

    private List<Edit> shrink(List<Edit> program, String signature) {
        List<Edit> smallest = program;
        for (int i = 0; i < smallest.size(); ) {
            final List<Edit> fewer = new ArrayList<>(smallest);
            fewer.remove(i);
            if (fails(fewer, signature)) {
                smallest = fewer;
            } else {
                i++;
            }
        }
        return smallest;
    }

    private boolean fails(List<Edit> program, String signature) {
        beganNanos = System.nanoTime();
        try {
            target.run(program);
            return false;
        } catch (Throwable e) {
            return signature.equals("!" + signature(e));
        } finally {
            beganNanos = 0;
        }
    }

    // ---- coverage ----

    /** Whether an edge was taken that never was, or more often by an order of magnitude. */
    private boolean takesNewEdges() {
        boolean isNew = false;
        final int edges = loader.edges();
        for (int i = 0; i < edges; i++) {
            if (counts[i] != 0) {
                final byte bucket = bucket(counts[i] & 0xFF);
                if ((seen[i] & bucket) == 0) {
                    edgesSeen += seen[i] == 0 ? 1 : 0;
                    seen[i] |= bucket;
                    isNew = true;
                }
            }
        }
        return isNew;
    }

    private static byte bucket(int count) {
        return (byte) (count < 4 ? 1 << count - 1 : count < 8 ? 8 : count < 32 ? 16 : count < 128 ? 32 : 64);
    }

    // ---- resources ----

    private void checkDescriptors() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            final long count = open.count();
            if (fdsAtStart < 0) {
                fdsAtStart = count;
            } else if (count > fdsAtStart + FDS_MORE_MAX) {
                found(running, "!descriptors", "%d descriptors are open, %d were".formatted(count, fdsAtStart), null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How long the input that runs has been running. Any thread. */
    long stuckNanos() {
        final long began = beganNanos;
        return began == 0 ? 0 : System.nanoTime() - began;
    }

    /** The input hangs in that thread: it is given up. Any thread. */
    void hangs(Thread thread) {
        final StringBuilder where = new StringBuilder("hangs");
        Stream.of(thread.getStackTrace()).limit(12).forEach(frame -> where.append("\n    at ").append(frame));
        tally.found(new Finding(
                target.name() + ": " + where, REPEAT.formatted(target.name(), seed),
                EditFile.text(running)));
    }

    List<List<Edit>> corpus() {
        return corpus;
    }

    int edgesSeen() {
        return edgesSeen;
    }

    /** How many inputs came to what. */
    Map<String, Long> outcomes() {
        return outcomes;
    }
}
