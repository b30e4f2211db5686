package org.kvmdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;

/**
 * Too little of everything that a process may be given too little of: descriptors, address space, room for files, heap,
 * disk. For each a ladder, from so little that nothing opens to enough. Whatever the limit: what is asked for works or is
 * refused with a reason; no crash, no hang, nothing left behind, no store that is half made; and without the limit every
 * acknowledged commit is there.
 *
 * <p>Options: {@code kind} runs one kind only, {@code value} one step of its ladder.
 */
public final class LimitsCampaign implements Campaign {

    private static final String NAME = "limits";
    private static final List<String> FLAGS =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx32m", "-Xms32m", "-Xshare:auto");
    private static final int ENOUGH = 3;
    private static final int LEAK_SECONDS = 600;
    private static final long MIB = 1 << 20;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "with too few descriptors, too little memory, heap or disk a store works or says why not, and loses nothing";
    }

    @Override
    public CampaignReport run(CampaignPlan plan) {
        final CampaignTally tally = new CampaignTally(NAME, plan);
        new Run(plan, tally).all();
        return tally.report();
    }

    /** A part of the campaign. */
    private interface Kind {
        void run() throws IOException, InterruptedException;
    }

    /** One run of it. */
    private static final class Run {
        private final CampaignPlan plan;
        private final CampaignTally tally;

        Run(CampaignPlan plan, CampaignTally tally) {
            this.plan = plan;
            this.tally = tally;
        }

        void all() {
            kind("descriptors", this::descriptors);
            kind("address-space", this::addressSpace);
            kind("file-size", this::fileSize);
            kind("locked-memory", this::lockedMemory);
            kind("heap", this::heap);
            kind("small-heap", this::smallHeap);
            kind("full-file", this::fullFile);
            kind("full-disk", this::fullDisk);
            kind("late-full-disk", () -> LateNoSpace.run(plan, tally));
            kind("leaks", this::leaks);
        }

        private void kind(String kind, Kind body) {
            if (!plan.options().getOrDefault("kind", kind).equals(kind)) {
                return;
            }
            try {
                Files.createDirectory(plan.directory().resolve(kind));
                body.run();
            } catch (IOException | RuntimeException | AssertionError e) {
                found(kind, -1, e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void found(String kind, long value, String what) {
            final String step = value < 0 ? "" : " --option value=" + value;
            tally.found(new Finding(
                    "%s%s: %s".formatted(kind, value < 0 ? "" : "=" + value, what),
                    "kvmdb crashtest --only %s --seed %d --option kind=%s%s".formatted(NAME, plan.seed(), kind, step),
                    ""));
        }

        private LimitedChild child(String kind, List<String> before, List<String> flags)
                throws IOException, InterruptedException {
            final LimitedChild child = new LimitedChild(plan.directory().resolve(kind), before, flags);
            child.ask("new", LimitedChild.ANSWER_SECONDS);
            return child;
        }

        // ---- ladders ----

        /** From the descriptors that a process has anyway, one by one, until three in a row were enough. */
        private void descriptors() throws IOException, InterruptedException {
            try (LimitedChild child = child("descriptors", List.of(), FLAGS)) {
                for (boolean creates : new boolean[] {true, false}) {
                    final long base = Long.parseLong(child.ask("descriptors", LimitedChild.ANSWER_SECONDS));
                    int enough = 0;
                    for (long value = base; enough < ENOUGH; value++) {
                        enough = step(child, "descriptors", "nofile", value, creates, "cycle") ? enough + 1 : 0;
                    }
                }
            }
        }

        private void addressSpace() throws IOException, InterruptedException {
            final int steps = plan.size(8, 40, 400);
            try (LimitedChild child = child("address-space", List.of(), FLAGS)) {
                for (int i = 0; i < steps; i++) {
                    final long base = Long.parseLong(child.ask("space", LimitedChild.ANSWER_SECONDS));
                    // From 1 MiB to 512 GiB more than there is.
                    final double exponent = 20 + 19.0 * i / steps;
                    step(child, "address-space", "as", base + (long) Math.pow(2, exponent), i % 2 == 0, "cycle");
                }
            }
        }

        private void fileSize() throws IOException, InterruptedException {
            final int steps = plan.size(6, 16, 200);
            try (LimitedChild child = child("file-size", List.of(), FLAGS)) {
                for (int i = 0; i < steps; i++) {
                    // What the process prints goes to a file, too.
                    step(child, "file-size", "fsize", MIB / 4 + i * 8 * MIB / steps, i % 2 == 0, "cycle");
                }
            }
        }

        private void lockedMemory() throws IOException, InterruptedException {
            try (LimitedChild child = child("locked-memory", List.of(), FLAGS)) {
                for (long value : new long[] {0, 4096, 65536}) {
                    step(child, "locked-memory", "memlock", value, true, "cycle");
                }
            }
        }

        /** The heap is filled up but for some kibibytes. */
        private void heap() throws IOException, InterruptedException {
            final int steps = plan.size(10, 80, 2000);
            final Random random = new Random(plan.seed());
            try (LimitedChild child = child("heap", List.of(), FLAGS)) {
                for (int i = 0; i < steps; i++) {
                    final int kib = (int) Math.pow(2, 11 * random.nextDouble());
                    step(child, "heap", null, kib, i % 4 == 0, "starve " + kib);
                }
            }
        }

        /**
         * One step of a ladder. True when the limit was no hindrance.
         *
         * @param resource that is limited; null when the command does it
         * @param creates whether a store is to be created under the limit, or one that is there opened
         */
        private boolean step(
                LimitedChild child, String kind, String resource, long value, boolean creates, String command)
                throws IOException, InterruptedException {
            if (!plan.options().getOrDefault("value", Long.toString(value)).equals(Long.toString(value))) {
                return true;
            }
            child.ask(creates ? "new" : "check", LimitedChild.ANSWER_SECONDS);
            final String unlimited = resource == null ? null : child.limit(resource, value);
            final String answer = child.ask(command, LimitedChild.ANSWER_SECONDS);
            if (resource != null && answer != null) {
                child.limit(resource, unlimited);
            }
            if (answer == null) {
                ended(child, kind, value);
            } else if (answer.startsWith(LimitedStore.WRONG)) {
                found(kind, value, answer);
            }
            final String checked = child.ask("check", LimitedChild.ANSWER_SECONDS);
            if (checked == null || checked.startsWith(LimitedStore.WRONG)) {
                found(kind, value, (creates ? "created, then " : "opened, then ") + checked + ", after: " + answer);
                child.ask("new", LimitedChild.ANSWER_SECONDS);
            }
            final boolean works = answer != null && answer.startsWith("works");
            tally.add(kind + (works ? " enough" : answer == null ? " ended the machine" : " refused"));
            return works;
        }

        /** The virtual machine may end when it gets no memory for itself, and says so; it must not crash. */
        private void ended(LimitedChild child, String kind, long value) throws IOException, InterruptedException {
            final String output = child.output();
            if (!output.contains("insufficient memory for the Java Runtime Environment")
                    && !output.contains("java.lang.OutOfMemoryError")) {
                found(kind, value, "the process ended: " + output);
            }
            child.restart();
        }

        /** Machines that are small from the start. */
        private void smallHeap() throws IOException, InterruptedException {
            final int[] mebibytes = plan.scale() == CampaignPlan.Scale.SMOKE
                    ? new int[] {8, 16}
                    : new int[] {4, 6, 8, 12, 16, 24};
            for (int heap : mebibytes) {
                final List<String> flags = new ArrayList<>(FLAGS);
                flags.removeIf(flag -> flag.startsWith("-Xm"));
                flags.add("-Xmx" + heap + "m");
                final Path directory = plan.directory().resolve("small-heap").resolve(heap + "m");
                Files.createDirectory(directory);
                try (ChildJvm child = ChildJvm.start(directory, flags, LimitedStore.class, directory)) {
                    child.awaitOutput("ready\n", LimitedChild.ANSWER_SECONDS);
                    tally.add("small-heap enough");
                } catch (AssertionError e) {
                    if (!e.getMessage().contains("OutOfMemoryError") && !e.getMessage().contains("Too small")) {
                        found("small-heap", heap, e.getMessage());
                    }
                    tally.add("small-heap refused");
                }
            }
        }

        // ---- disk ----

        private void fullFile() throws IOException, InterruptedException {
            try (LimitedChild child = child("full-file", List.of(), FLAGS)) {
                child.limit("fsize", 6 * MIB);
                fill(child, "full-file");
            }
        }

        /** A file system of its own, in a user namespace of its own. */
        private void fullDisk() throws IOException, InterruptedException {
            final Path directory = plan.directory().resolve("full-disk");
            final List<String> mounting = List.of(
                    "unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=24m kvmdb \"$0\" && exec \"$@\"",
                    directory.toString());
            final List<String> trial = new ArrayList<>(mounting);
            trial.add("true");
            if (new ProcessBuilder(trial).redirectErrorStream(true).start().waitFor() != 0) {
                tally.note("full disk", "not tried: this user may not mount a file system in a namespace of its own");
                return;
            }
            try (LimitedChild child = child("full-disk", mounting, FLAGS)) {
                fill(child, "full-disk");
            }
        }

        private void fill(LimitedChild child, String kind) throws IOException, InterruptedException {
            final int rounds = plan.size(1, 5, 100);
            final String answer = child.ask("fill " + rounds, LimitedChild.ANSWER_SECONDS + 10 * rounds);
            if (answer == null || answer.startsWith(LimitedStore.WRONG)) {
                found(kind, -1, answer == null ? "the process ended: " + child.output() : answer);
            } else {
                tally.note(kind, answer);
            }
            tally.add(kind + " rounds", rounds);
        }

        // ---- leaks ----

        private void leaks() throws IOException, InterruptedException {
            final int cycles = plan.size(40, 200, 2000);
            final List<String> flags = new ArrayList<>(FLAGS);
            flags.add("-XX:+AlwaysPreTouch");
            try (LimitedChild child = child("leaks", List.of(), flags)) {
                final String answer = child.ask("leak " + cycles, LEAK_SECONDS);
                if (answer == null || answer.startsWith(LimitedStore.WRONG)) {
                    found("leaks", -1, answer == null ? "the process ended: " + child.output() : answer);
                } else {
                    tally.note("leaks", answer);
                }
                tally.add("open and close", cycles);
            }
        }
    }
}
