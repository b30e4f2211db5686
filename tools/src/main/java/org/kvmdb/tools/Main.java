package org.kvmdb.tools;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceLoader;
import org.kvmdb.tools.bench.BenchCommand;
import org.kvmdb.tools.bench.BenchModule;
import org.kvmdb.tools.bench.BenchOpenCommand;
import org.kvmdb.tools.bench.BenchWriterCommand;
import org.kvmdb.tools.crashtest.CrashtestCommand;
import org.kvmdb.tools.crashtest.FuzzCommand;
import org.kvmdb.tools.demo.DemoCommand;
import org.kvmdb.tools.demo.DemoWorkerCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The {@code kvmdb} command. */
@Command(
        name = "kvmdb",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = {"Memory that you can commit: stores, volumes, and what is in them."},
        footer = {
            "%nSizes are written as 4096, 4K, 64G or 1.5GiB, in powers of 1024.",
            "A store that another process has open: info, volume, snapshot, clone, space, scrub, gc and checkpoint"
                    + " work on it through that process; stats and top read what it publishes; the others need it closed.",
            "Exit codes: 0 done, 1 failed, 2 wrong usage; 141 nobody reads the output any more.",
            "%nExamples:",
            "  kvmdb create /data/store",
            "  kvmdb volume create /data/store orders --size 64G",
            "  kvmdb import /data/store orders orders.bin",
            "  kvmdb snapshot create /data/store orders@before",
            "  kvmdb send /data/store orders@before | kvmdb receive /data/copy orders",
            "  kvmdb info /data/store --json",
            "  kvmdb space /data/store",
            "  kvmdb check /data/store",
            "  kvmdb demo",
            "  kvmdb crashtest --quick"
        })
public final class Main {

    static final String STACKTRACE = "--stacktrace";

    private static final String HELP = "help";

    /** By name, in the order of the help. */
    static final Map<String, Class<?>> COMMANDS = commands();

    @Option(
            names = STACKTRACE,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Also print where a failure came from.")
    private boolean stacktrace;

    private Main() {}

    public static void main(String[] arguments) {
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        Interruption.listen(err);
        int exitCode = run(new StandardOutput(new FileOutputStream(FileDescriptor.out)), err, arguments);
        if (!Interruption.finish()) {
            System.exit(exitCode);
        }
    }

    /** Runs one command. Returns its exit code: 0 done, 1 failed, 2 wrong usage, 141 nobody reads what it prints. */
    public static int run(PrintWriter out, PrintWriter err, String... words) {
        String[] arguments = withoutHelpCommand(words);
        Main main = new Main();
        CommandLine commandLine = commandLine(main, out, err, arguments);
        try {
            int exitCode = commandLine.execute(arguments);
            if (exitCode == CommandLine.ExitCode.OK) {
                Output.flush(out); // help and version are printed by picocli, which does not look
            }
            return exitCode;
        } catch (Throwable failure) {
            // picocli maps exceptions only, of commands only; errors such as OutOfMemoryError end here.
            return ErrorSentences.report(failure, commandLine, Arrays.asList(arguments).contains(STACKTRACE));
        } finally {
            out.flush();
            err.flush();
        }
    }

    /** {@code help COMMAND} is {@code COMMAND --help}, and wrong usage where that is no command. */
    private static String[] withoutHelpCommand(String... words) {
        if (words.length == 0 || !words[0].equals(HELP)) {
            return words;
        }
        if (words.length > 1 && !COMMANDS.containsKey(words[1])) {
            return Arrays.copyOfRange(words, 1, words.length);
        }
        String[] arguments = Arrays.copyOfRange(words, 1, words.length + 1);
        arguments[words.length - 1] = "--" + HELP;
        return arguments;
    }

    /** What these arguments are for; no command need be among them. */
    static CommandLine commandLine(PrintWriter out, PrintWriter err, String... arguments) {
        return commandLine(new Main(), out, err, arguments);
    }

    private static CommandLine commandLine(Main main, PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine commandLine = new CommandLine(main);
        // Before the settings, which go to the subcommands that there are.
        addCommands(commandLine, arguments);
        commandLine
                .registerConverter(Path.class, Main::path)
                .setOut(out)
                .setErr(err)
                // @SNAPSHOT is a name, and no file of arguments.
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((failure, ignored) -> ErrorSentences.reportUsage(failure))
                .setExecutionExceptionHandler(
                        (failure, command, ignored) -> ErrorSentences.report(failure, command, main.stacktrace));
        spaceOutHelp(commandLine);
        return commandLine;
    }

    /** An empty one would be the working directory, which is what a shell makes of a variable that was never set. */
    private static Path path(String text) {
        if (text.isEmpty()) {
            throw new TypeConversionException("the name of a file or a directory is empty");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("no name of a file: '%s': %s".formatted(text, e.getReason()));
        }
    }

    /** The one that is asked for, and all of them where that is not known: to look into all takes longer than most run. */
    private static void addCommands(CommandLine commandLine, String... arguments) {
        Class<?> asked = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
        Map<String, Class<?>> added = asked == null ? COMMANDS : Map.of(arguments[0], asked);
        added.forEach(commandLine::addSubcommand);
        CommandLine bench = commandLine.getSubcommands().get("bench");
        if (bench != null) {
            ServiceLoader.load(BenchModule.class).forEach(module -> module.addTo(bench));
        }
    }

    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("create", CreateCommand.class);
        commands.put("info", InfoCommand.class);
        commands.put("stats", StatsCommand.class);
        commands.put("top", TopCommand.class);
        commands.put("volume", VolumeCommand.class);
        commands.put("import", ImportCommand.class);
        commands.put("export", ExportCommand.class);
        commands.put("snapshot", SnapshotCommand.class);
        commands.put("clone", CloneCommand.class);
        commands.put("diff", DiffCommand.class);
        commands.put("send", SendCommand.class);
        commands.put("receive", ReceiveCommand.class);
        commands.put("check", CheckCommand.class);
        commands.put("space", SpaceCommand.class);
        commands.put("scrub", ScrubCommand.class);
        commands.put("gc", GcCommand.class);
        commands.put("checkpoint", CheckpointCommand.class);
        commands.put("rehearse", RehearseCommand.class);
        commands.put("demo", DemoCommand.class);
        commands.put("demo-worker", DemoWorkerCommand.class);
        commands.put("crashtest", CrashtestCommand.class);
        commands.put("fuzz", FuzzCommand.class);
        commands.put("bench", BenchCommand.class);
        commands.put("bench-open", BenchOpenCommand.class);
        commands.put("bench-writer", BenchWriterCommand.class);
        return commands;
    }

    private static void spaceOutHelp(CommandLine commandLine) {
        commandLine
                .getCommandSpec()
                .usageMessage()
                .parameterListHeading("%n")
                .optionListHeading("%n")
                .commandListHeading("%nCommands:%n");
        commandLine.getSubcommands().values().forEach(Main::spaceOutHelp);
    }

    /** From the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"kvmdb " + Machine.version()};
        }
    }
}
