package org.kvmdb.tools.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Machine;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.SizeConverter;
import org.kvmdb.tools.TemporaryDirectory;
import org.kvmdb.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code kvmdb bench peers}. */
@Command(
        name = "peers",
        mixinStandardHelpOptions = true,
        description = {
            "Measure this store and its peers: the same work, data and memory, alternating in one run.",
            "",
            "  hits          reads of resident pages",
            "  load          bulk load, one durable point: seconds, size on disk",
            "  reads         random reads of data 2.4, 4 and 8 times the limit of memory",
            "  scan          reading all of it in order",
            "  snapshot      keeping a moment of it",
            "  safepoint     time to safepoint while eight threads fault",
            "  commit        durable commits of one page by 1, 8 and 16 threads",
            "  transactions  durable transactions of 1,000 pages, and bytes written for them",
            "  stall         writes to memory during a commit of 10,000 pages",
            "  open          opening after SIGKILL amid a load",
            "",
            "Systems: kvmdb (its pages are memory), kvmdb-calls (its pages are read by calls: in reads and scan only), lmdb,"
                    + " rocksdb, h2, mmap, file, raw (plain memory), bufferpool. How each is set up, and why, is in"
                    + " docs/peers.md. Each measurement has a process of its own, in a control group that limits its"
                    + " memory, page cache counted. Takes about an hour and 40 GiB of disk; with --gib less."
        },
        footer = {
            "%nExamples:",
            "  kvmdb bench peers --quick",
            "  kvmdb bench peers --only reads,scan --limit 256M --charts charts",
            "  kvmdb bench peers --only commit --systems kvmdb,file,rocksdb --rounds 9 --json"
        })
final class PeersCommand implements Callable<Integer> {

    private static final long LIMIT_BYTES = 1L << 30;
    private static final long LIMIT_BYTES_QUICK = 256L << 20;
    private static final long LIMIT_BYTES_MIN = 64L << 20;
    private static final double SECONDS = 1;
    private static final double SECONDS_QUICK = 0.3;
    private static final int ROUNDS = 3;
    private static final int LARGE_FACTOR = 8;

    @Spec
    private CommandSpec spec;

    @Option(names = "--only", paramLabel = "WORK", split = ",", description = "Which works (default: all).")
    private List<String> only = List.of();

    @Option(names = "--systems", paramLabel = "NAME", split = ",", description = "Which systems (default: all).")
    private List<String> systemNames = List.of();

    @Option(names = "--rounds", paramLabel = "N", description = "Alternations (default: 3; 1 with --quick).")
    private Integer rounds;

    @Option(names = "--seconds", paramLabel = "N", description = "Of each timed piece (default: 1; 0.3 with --quick).")
    private Double seconds;

    @Option(
            names = "--limit",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Memory of a process, page cache counted (default: 1G; 256M with --quick).")
    private Long limitBytes;

    @Option(
            names = "--gib",
            paramLabel = "N",
            description = {
                "GiB of what is read (default: 8 times the limit, which is 8).",
                "The bulk load is of as much, but of 4 at most."
            })
    private Double gib;

    @Option(names = "--quick", description = "A smoke run of a few minutes: one round, small and short.")
    private boolean quick;

    @Option(names = "--dir", paramLabel = "DIR", description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    @Option(names = "--charts", paramLabel = "DIR", description = "Also draw each work, as SVG, into that directory.")
    private Path charts;

    @Mixin
    private Output output;

    PeersCommand() {}

    @Override
    public Integer call() throws Exception {
        List<Work> works = works();
        List<PeerSystem> systems = systems();
        validate();
        Path base = parentDirectory != null
                ? parentDirectory.toAbsolutePath()
                : Path.of(System.getProperty("java.io.tmpdir"));
        try (TemporaryDirectory directory = TemporaryDirectory.create(base, "kvmdb-peers-")) {
            Corpus corpus = Corpus.make(directory.path().resolve("corpus"));
            Settings settings = settings(directory.path(), corpus, works, systems);
            Optional<MemoryLimit> limit = MemoryLimit.find();
            Facts machine = machine(base, corpus, settings, limit);
            output.say(machine.asText());
            Results results = new Results(settings.rounds(), OptionalDouble.of(corpus.compression()));
            Report report = new Report(settings, results);
            output.say(TextTable.of(report.systems()));
            measure(settings, limit, results);
            print(machine, report);
            draw(settings, results);
        }
        return 0;
    }

    private List<Work> works() {
        for (String name : only) {
            if (Works.find(name) == null) {
                throw wrong("no work '" + name + "'; there are "
                        + String.join(", ", Works.all().stream().map(Work::name).toList()));
            }
        }
        return Works.all().stream()
                .filter(work -> only.isEmpty() || only.contains(work.name()))
                .toList();
    }

    private List<PeerSystem> systems() {
        List<PeerSystem> all = List.of(PeerSystem.values());
        for (String name : systemNames) {
            if (all.stream().noneMatch(system -> system.label().equals(name))) {
                throw wrong("no system '" + name + "'; there are "
                        + String.join(", ", all.stream().map(PeerSystem::label).toList()));
            }
        }
        return all.stream()
                .filter(system -> systemNames.isEmpty() || systemNames.contains(system.label()))
                .toList();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private void validate() {
        if (rounds != null && rounds < 1
                || seconds != null && !(seconds > 0 && seconds <= 600)
                || gib != null && !(gib > 0)) {
            throw wrong("--rounds, --seconds and --gib must be positive");
        }
        if (limitBytes != null && limitBytes < LIMIT_BYTES_MIN) {
            throw wrong("--limit must be at least 64M: each process is a JVM");
        }
    }

    private Settings settings(Path directory, Corpus corpus, List<Work> works, List<PeerSystem> systems) {
        long limit = limitBytes != null ? limitBytes : quick ? LIMIT_BYTES_QUICK : LIMIT_BYTES;
        long largeBytes = gib != null ? (long) (gib * (1L << 30)) : LARGE_FACTOR * limit;
        return new Settings(
                directory,
                corpus.file(),
                corpus.compression(),
                limit,
                largeBytes / PageSource.PAGE_BYTES,
                seconds != null ? seconds : quick ? SECONDS_QUICK : SECONDS,
                rounds != null ? rounds : quick ? 1 : ROUNDS,
                works,
                systems);
    }

    private static Facts machine(Path base, Corpus corpus, Settings settings, Optional<MemoryLimit> limit)
            throws IOException {
        return Machine.facts(base)
                .text("data", "data", corpus.name() + ", in pages of 4 KiB with their number in front")
                .number("compression", "compression", corpus.compression(), " : 1, LZ4 of each page")
                .size("limit", "limitBytes", settings.limitBytes())
                .text("limited by", "limitedBy", limit.map(MemoryLimit::what).orElse("nothing"))
                .size("large data", "largeBytes", settings.largePages() * PageSource.PAGE_BYTES)
                .number("timed pieces", "seconds", settings.seconds(), " s")
                .count("rounds", "rounds", settings.rounds());
    }

    private void measure(Settings settings, Optional<MemoryLimit> limit, Results results) throws InterruptedException {
        for (Work work : settings.works()) {
            if (work.needsLimit() && limit.isEmpty()) {
                String message = "skipped: memory cannot be limited here, and without a limit it says nothing";
                results.fail(work.name(), null, message);
                output.say("%s: %s", work.name(), message);
                continue;
            }
            for (int round = 0; round < settings.rounds(); round++) {
                for (PeerSystem system : inTurn(work, settings.systems(), round)) {
                    measure(new Trial(settings, limit, results, work, system, round), results, work, system);
                }
            }
        }
    }

    /** Each round begins with another one. */
    private static List<PeerSystem> inTurn(Work work, List<PeerSystem> systems, int round) {
        List<PeerSystem> turn = new ArrayList<>(
                systems.stream().filter(work.systems()::contains).toList());
        Collections.rotate(turn, -round);
        return turn;
    }

    private void measure(Trial trial, Results results, Work work, PeerSystem system) throws InterruptedException {
        try {
            work.measure(trial);
            output.say("%s %s: %s", work.name(), system, trial.said());
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("failed");
            results.fail(work.name(), system, message);
            output.say("%s %s: failed: %s", work.name(), system, message);
        }
    }

    private void print(Facts machine, Report report) {
        Facts facts = new Facts()
                .nested("machine", machine)
                .list("systems", report.systems())
                .list("results", report.allRows())
                .list("figures", report.figures())
                .list("failures", report.failures());
        output.print(facts, report.text());
    }

    private void draw(Settings settings, Results results) throws IOException {
        if (charts == null) {
            return;
        }
        Files.createDirectories(charts);
        for (Work work : settings.works()) {
            String svg = new BarChart(work, results, settings.systems()).svg();
            if (!svg.isEmpty()) {
                Files.writeString(charts.resolve("peers-" + work.name() + ".svg"), svg);
            }
        }
    }
}
