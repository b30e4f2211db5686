package org.kvmdb.tools.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Machine;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.TemporaryDirectory;
import org.kvmdb.tools.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Measure, each figure beside a peer or a physical limit of the same run.",
            "",
            "  hit         reads of resident pages, beside plain memory",
            "  fault       page faults, beside the bare mechanism and a handler thread",
            "  sequential  reading ten times the cache, from memory and from the disk",
            "  commit      durable commits, beside a write and a flush",
            "  bulk        bytes written for 10,000 pages in one commit",
            "  load        a bulk load, transactions of 1,000 pages, and who writes during a commit",
            "  recovery    opening after SIGKILL",
            "  snapshot    taking, keeping and deleting snapshots of a full volume",
            "  cleaner     bytes written for each one committed, in a store that is nearly full",
            "  policy      hit ratios of our eviction beside others, simulated on traces",
            "",
            "And of its own, see kvmdb bench peers --help:",
            "",
            "  peers       the same work by LMDB, RocksDB, H2 MVStore and plain files, in the same memory",
            "",
            "A missed aim is reported, it is no failure."
        },
        footer = {
            "%nExamples:",
            "  kvmdb bench",
            "  kvmdb bench fault commit --rounds 9",
            "  kvmdb bench recovery --gib 1 --dir /data --json"
        })
public final class BenchCommand implements Callable<Integer> {

    private static final Map<String, Supplier<Bench>> BENCHES = new LinkedHashMap<>();

    static {
        BENCHES.put("hit", HitBench::new);
        BENCHES.put("fault", FaultBench::new);
        BENCHES.put("sequential", SequentialBench::new);
        BENCHES.put("commit", CommitBench::new);
        BENCHES.put("bulk", BulkBench::new);
        BENCHES.put("load", LoadBench::new);
        BENCHES.put("recovery", RecoveryBench::new);
        BENCHES.put("snapshot", SnapshotBench::new);
        BENCHES.put("cleaner", CleanerBench::new);
        BENCHES.put("policy", PolicyBench::new);
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Which ones (default: all).")
    private List<String> names = List.of();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    @Option(names = "--input", paramLabel = "FILE", description = "Data to store (default: the JDK's lib/modules).")
    private Path input;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Alternations of a figure and its peer (default: 5).")
    private int rounds;

    @Option(
            names = "--gib",
            paramLabel = "N",
            defaultValue = "10",
            description = "GiB that the recovery benchmark writes (default: 10).")
    private int gib;

    @Mixin
    private Output output;

    BenchCommand() {}

    @Override
    public Integer call() throws Exception {
        List<String> chosen = names.isEmpty() ? List.copyOf(BENCHES.keySet()) : names;
        validate(chosen);
        Path file = input != null ? input : Path.of(System.getProperty("java.home"), "lib", "modules");
        if (!Files.isRegularFile(file) || Files.size(file) < 1 << 20) {
            throw new CommandFailedException("no file of at least 1 MiB to take data from: " + file);
        }
        Path base = parentDirectory != null ? parentDirectory : Path.of(System.getProperty("java.io.tmpdir"));
        Facts machine = Machine.facts(base).text("data", "input", file);
        output.say(machine.asText());
        List<Facts> figures = new ArrayList<>();
        for (String name : chosen) {
            figures.addAll(run(name, base, file));
        }
        Facts facts = new Facts().nested("machine", machine).list("figures", figures);
        output.print(facts, System.lineSeparator() + TextTable.of(figures));
        return 0;
    }

    private void validate(List<String> chosen) {
        for (String name : chosen) {
            if (!BENCHES.containsKey(name)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "no benchmark '" + name + "'; there are " + String.join(", ", BENCHES.keySet()));
            }
        }
        if (rounds < 1 || gib < 1) {
            throw new ParameterException(spec.commandLine(), "--rounds and --gib must be positive");
        }
    }

    private List<Facts> run(String name, Path base, Path file) throws Exception {
        try (TemporaryDirectory directory = TemporaryDirectory.create(base, "kvmdb-bench-")) {
            BenchContext context = new BenchContext(directory.path(), file, rounds, gib, output::say);
            return BENCHES.get(name).get().run(context).stream().map(Figure::facts).toList();
        }
    }
}
