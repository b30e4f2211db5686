package org.kvmdb.tools.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.CorruptPageException;
import org.kvmdb.CorruptStoreException;
import org.kvmdb.VolumeOptions;
import org.kvmdb.gc.StoreReport;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.SizeConverter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Show the whole idea on real data, and prove it.",
            "",
            "Imports the JDK's own lib/modules into a volume, with a cache a quarter of its size, and compares every"
                    + " byte through page faults. Then a second process changes the volume from several threads and is"
                    + " killed in mid-write, several times; each time the store must hold exactly the acknowledged"
                    + " commits."
        },
        footer = {
            "%nExamples:",
            "  kvmdb demo",
            "  kvmdb demo --quick",
            "  kvmdb demo --kills 50 --dir /data --json"
        })
public final class DemoCommand implements Callable<Integer> {

    private static final long QUICK_BYTES = 16 << 20;
    private static final int QUICK_KILLS = 3;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    @Option(names = "--keep", description = "Keep the store afterwards.")
    private boolean keeps;

    @Option(names = "--kills", paramLabel = "N", description = "How often to kill the writing process (default: 5).")
    private Integer kills;

    @Option(names = "--threads", paramLabel = "N", defaultValue = "4", description = "Threads that write (default: 4).")
    private int threads;

    @Option(names = "--quick", description = "Only the first 16 MiB, and three kills.")
    private boolean quick;

    @Option(names = "--input", paramLabel = "FILE", description = "Use this file instead of the JDK's lib/modules.")
    private Path input;

    @Option(
            names = "--page-size",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            defaultValue = "4K",
            description = "Page size of the volume (default: 4K).")
    private long pageSizeBytes;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Repeats what is written where, and when the kills come (default: random).")
    private Long seed;

    @Mixin
    private Output output;

    DemoCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        DemoSettings settings = settings();
        DemoReport report = new DemoReport(settings);
        try (Demo demo = new Demo(settings)) {
            try (Proof proof = Proof.of(settings)) {
                run(demo, proof, settings, report);
            } catch (ProofFailedException | CorruptPageException | CorruptStoreException | InternalError e) {
                demo.keepForInspection();
                throw new CommandFailedException(
                        "the proof failed, " + e.getMessage() + "; seed " + settings.seed() + ", kept in "
                                + demo.directory(),
                        e);
            }
        }
        output.print(report.facts(), System.lineSeparator() + report.verdict() + System.lineSeparator());
        return 0;
    }

    private void run(Demo demo, Proof proof, DemoSettings settings, DemoReport report)
            throws IOException, InterruptedException {
        output.say(DemoReport.heading(settings, demo));
        output.say("1  Import, in one commit");
        report.imported(demo.importInput());
        output.say(report.importText());
        output.say("2  Every byte compared, through page faults");
        report.faultPass(demo.checkThroughFaults(proof));
        output.say(report.faultText());
        output.say("3  Killed in mid-write: %d threads commit in another process until SIGKILL", settings.threads());
        output.say(DemoReport.killHeading());
        for (int number = 1; number <= settings.kills(); number++) {
            KillRound round = demo.kill(number, proof);
            report.killed(round);
            output.say(DemoReport.killRow(round));
        }
        demo.proveAfterClose(proof);
        StoreReport check = demo.check();
        output.say(
                "%n   and closed, opened and compared once more; check verified %,d pages, %d nodes: no defect",
                check.pages(), check.nodes());
        output.say(System.lineSeparator() + "4  What it cost");
        output.say(report.figuresText().stripTrailing());
    }

    private DemoSettings settings() throws IOException {
        Path file = input != null ? input : Path.of(System.getProperty("java.home"), "lib", "modules");
        if (!Files.isRegularFile(file)) {
            throw new CommandFailedException("no file to import: " + file + " (name one with --input)");
        }
        int killCount = kills != null ? kills : quick ? QUICK_KILLS : 5;
        if (killCount < 0 || threads < 1 || threads > 64) {
            throw new ParameterException(spec.commandLine(), "--kills must not be negative, --threads be from 1 to 64");
        }
        if (pageSizeBytes < VolumeOptions.PAGE_SIZE_BYTES_MIN
                || pageSizeBytes > VolumeOptions.PAGE_SIZE_BYTES_MAX
                || Long.bitCount(pageSizeBytes) != 1) {
            throw new ParameterException(spec.commandLine(), "--page-size must be a power of two from 4K to 64K");
        }
        long sizeBytes = quick ? Math.min(QUICK_BYTES, Files.size(file)) : Files.size(file);
        if (sizeBytes < pageSizeBytes * threads) {
            throw new CommandFailedException("too small for a demo with " + threads + " threads: " + file);
        }
        return new DemoSettings(
                file,
                sizeBytes,
                (int) pageSizeBytes,
                parentDirectory != null ? parentDirectory : Path.of(System.getProperty("java.io.tmpdir")),
                keeps,
                killCount,
                threads,
                seed != null ? seed : System.nanoTime());
    }
}
