package org.kvmdb.tools.crashtest;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.kvmdb.crashtest.CrashChecker;
import org.kvmdb.crashtest.CrashReport;
import org.kvmdb.crashtest.CrashTest;
import org.kvmdb.crashtest.CrashWorkload;
import org.kvmdb.crashtest.bank.BankChecker;
import org.kvmdb.crashtest.bank.BankWorkload;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Machine;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.Progress;
import org.kvmdb.tools.TemporaryDirectory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = {
            "Run a workload of your own into crashes and failing devices, and have your checker look at what is left.",
            "",
            "The two classes implement org.kvmdb.crashtest.CrashWorkload and CrashChecker; docs/crash-testing.md is the"
                    + " tutorial. Exits with 1 when the checker was not content; the store that it was shown is kept then."
        },
        footer = {
            "%nExamples:",
            "  kvmdb crashtest run bank",
            "  kvmdb crashtest run --workload com.acme.Orders --checker com.acme.OrdersChecker --class-path acme.jar",
            "  kvmdb crashtest run bank --steps 200 --states 50000 --report bank.html"
        })
public final class CrashtestRunCommand implements Callable<Integer> {

    /** Those that come along: workload and checker. */
    private static final Map<String, List<Class<?>>> EXAMPLES =
            Map.of("bank", List.of(BankWorkload.class, BankChecker.class));

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "EXAMPLE", arity = "0..1", description = "An example instead of classes of your own: bank.")
    private String example;

    @Option(names = "--workload", paramLabel = "CLASS", description = "What is run.")
    private String workloadName;

    @Option(names = "--checker", paramLabel = "CLASS", description = "What says whether a recovered store is right.")
    private String checkerName;

    @Option(names = "--class-path", paramLabel = "PATH", description = "Where these classes are: jars and directories.")
    private String classPath = "";

    @Option(names = "--seed", paramLabel = "N", description = "Of everything random (default: 1).")
    private long seed = 1;

    @Option(names = "--steps", paramLabel = "N", description = "Steps of the run that is recorded (default: 40).")
    private long steps = 40;

    @Option(names = "--states", paramLabel = "N", description = "Crash states to check at most (default: 2000).")
    private long states = 2000;

    @Option(
            names = "--recoveries",
            paramLabel = "N",
            description = "Of how many of them the recovery is cut off, too (default: 50).")
    private long recoveries = 50;

    @Option(
            names = "--faults",
            paramLabel = "N",
            description = "Runs with a device that fails at some operation (default: 200).")
    private long faults = 200;

    @Option(
            names = "--kills",
            paramLabel = "N",
            description = "How often to kill the workload in a process of its own (default: 20).")
    private int kills = 20;

    @Option(names = "--threads", paramLabel = "N", description = "States at a time (default: one a processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--image", paramLabel = "DIR", description = "Only check this store again, which a finding kept.")
    private Path image;

    @Option(
            names = "--keep",
            paramLabel = "DIR",
            description = "Where stores of findings are kept (default: crashtest-findings).")
    private Path keepIn = Path.of("crashtest-findings");

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Also write the report there: FILE.html, with FILE.txt beside, or FILE.txt alone.")
    private Path reportFile;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory = Path.of(System.getProperty("java.io.tmpdir"));

    @Mixin
    private Output output;

    CrashtestRunCommand() {}

    @Override
    public Integer call() throws Exception {
        validate();
        ReportFiles files = reportFile == null ? null : ReportFiles.of(reportFile, spec.commandLine());
        try (QuietStores _ = new QuietStores();
                URLClassLoader loader = new URLClassLoader(urls(), getClass().getClassLoader())) {
            CrashTest test = CrashTest.of(
                            instance(loader, workloadName, CrashWorkload.class),
                            instance(loader, checkerName, CrashChecker.class))
                    .seed(seed)
                    .steps(steps)
                    .states(states)
                    .recoveries(recoveries)
                    .faults(faults)
                    .kills(kills)
                    .classPath(classPath)
                    .threads(threads)
                    .keepIn(keepIn);
            CrashReport report = image != null ? test.repeat(image) : run(test);
            new CrashtestReport("", seed, threads, List.of(report.campaign()), Machine.facts(parentDirectory))
                    .tell(output, files);
            return 0;
        }
    }

    private void validate() {
        if (example != null) {
            if (!EXAMPLES.containsKey(example) || workloadName != null || checkerName != null) {
                throw new ParameterException(
                        spec.commandLine(), "name an example (bank), or --workload and --checker: " + example);
            }
            workloadName = EXAMPLES.get(example).getFirst().getName();
            checkerName = EXAMPLES.get(example).getLast().getName();
        }
        if (workloadName == null || checkerName == null) {
            throw new ParameterException(spec.commandLine(), "name --workload and --checker, or an example (bank)");
        }
        if (steps < 1 || threads < 1 || Math.min(Math.min(states, recoveries), Math.min(faults, kills)) < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--steps and --threads must be positive, --states, --recoveries, --faults and --kills not negative");
        }
    }

    private CrashReport run(CrashTest test) throws IOException, InterruptedException {
        try (TemporaryDirectory directory = TemporaryDirectory.create(parentDirectory, "kvmdb-crashtest-");
                Progress progress = new Progress("states", 0, "cases")) {
            return test.progress((done, expected) -> {
                        synchronized (progress) {
                            progress.total(expected);
                            progress.reach(done);
                        }
                    })
                    .run(directory.path(), workloadName.replaceFirst(".*\\.", ""));
        }
    }

    private URL[] urls() {
        return Arrays.stream(classPath.split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .map(entry -> urlOf(Path.of(entry)))
                .toArray(URL[]::new);
    }

    private static URL urlOf(Path path) {
        try {
            return path.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new CommandFailedException("not a file of classes: " + path, e);
        }
    }

    private static <T> T instance(ClassLoader loader, String name, Class<T> type) {
        try {
            return type.cast(Class.forName(name, true, loader).getConstructor().newInstance());
        } catch (ClassNotFoundException e) {
            throw new CommandFailedException("no class %s: name it in full, and its jar with --class-path".formatted(name), e);
        } catch (ClassCastException e) {
            throw new CommandFailedException("%s is no %s".formatted(name, type.getName()), e);
        } catch (ReflectiveOperationException e) {
            throw new CommandFailedException(
                    "cannot make a %s, which must be public with a public constructor without parameters: %s"
                            .formatted(name, e),
                    e);
        }
    }
}
