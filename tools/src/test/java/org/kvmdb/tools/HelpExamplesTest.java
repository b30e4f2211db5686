package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** What the help says that one can type can be typed. */
class HelpExamplesTest {

    private static final String COMMAND = "kvmdb ";

    private static CommandLine commandLine(String... arguments) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        return Main.commandLine(nowhere, nowhere, arguments);
    }

    /** All in the footers of all commands, without what a shell does around them. */
    static Collection<String> examples() {
        List<String> examples = new ArrayList<>();
        collect(commandLine(), examples);
        return examples;
    }

    private static void collect(CommandLine command, List<String> examples) {
        Stream.of(command.getCommandSpec().usageMessage().footer())
                .filter(line -> line.startsWith("  "))
                .flatMap(line -> Stream.of(line.split(" [|>] ")))
                .filter(part -> part.contains(COMMAND))
                .map(part -> part.substring(part.indexOf(COMMAND) + COMMAND.length()).strip())
                .forEach(examples::add);
        command.getSubcommands().values().forEach(subcommand -> collect(subcommand, examples));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void shouldParseWhenItIsAnExampleOfTheHelp(String example) {
        String[] words = example.split(" ");
        CommandLine commandLine = commandLine(words);
        CommandLine.ParseResult result = commandLine.parseArgs(words);
        assertTrue(result.unmatched().isEmpty(), example);
        assertTrue(result.hasSubcommand(), example);
    }

    @Test
    void shouldNameCampaignsThatThereAreWhenTheyAreExamples() {
        List<String> names = examples().stream()
                .filter(example -> example.startsWith("crashtest ") && example.contains("--only "))
                .toList();
        assertFalse(names.isEmpty());
        for (String example : names) {
            CommandRun run = CommandRun.of((Object[]) (example + " --list").split(" "));
            assertEquals(0, run.exitCode(), run.err());
        }
    }

    @Test
    void shouldNameTargetsThatThereAreWhenTheyAreExamples() {
        List<String> targets = examples().stream()
                .filter(example -> example.startsWith("fuzz ") && example.contains("--target "))
                .map(example -> example.replaceFirst(".*--target (\\S+).*", "$1"))
                .toList();
        assertFalse(targets.isEmpty());
        for (String target : targets) {
            CommandRun run = CommandRun.of("crashtest", "--only", "fuzz", "--list", "--option", "target=" + target);
            assertEquals(0, run.exitCode(), run.err());
        }
    }
}
