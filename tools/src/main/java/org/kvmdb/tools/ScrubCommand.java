package org.kvmdb.tools;

import java.util.Arrays;
import java.util.List;
import org.kvmdb.control.Reply;
import org.kvmdb.control.Values;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "scrub",
        mixinStandardHelpOptions = true,
        description = {
            "Read every block of a store from the disk and verify it, while the store is in use.",
            "",
            "What is bad is named by volume, page and all snapshots and clones that hold it. Commits go first. A scrub that"
                + " was interrupted goes on where it was. Exits with 1 when something is bad."
        },
        footer = {"%nExamples:", "  kvmdb scrub /data/store", "  kvmdb scrub /data/store --rate 100M --json"})
final class ScrubCommand extends LiveCommand {

    private static final int SHOWN_MAX = 20;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--rate",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Read no more than this in a second (default: no limit).")
    private Long bytesPerSecond;

    @Option(names = "--restart", description = "Begin anew, also when an interrupted scrub could go on.")
    private boolean restart;

    @Override
    String operation() {
        return "scrub";
    }

    @Override
    void validate() {
        if (bytesPerSecond != null && bytesPerSecond < 1) {
            throw new ParameterException(spec.commandLine(), "--rate must be positive: " + bytesPerSecond);
        }
        Interruption.advise(restart ? "run it again without --restart to go on" : "run it again to go on");
    }

    @Override
    List<String> arguments() {
        return List.of(Long.toString(bytesPerSecond == null ? 0 : bytesPerSecond), Boolean.toString(restart));
    }

    @Override
    void print(Reply reply, Output output) {
        List<Facts> bad = reply.rows("badBlocks").stream().map(ScrubCommand::facts).toList();
        output.print(summary(reply.facts()).list("badBlocks", bad), text(reply));
        long badCount = reply.facts().number("badCount");
        if (badCount > 0) {
            throw new CommandFailedException(
                    "the store is damaged: %s in %s; restore what they hold from a copy"
                            .formatted(Wording.counted(badCount, "bad block"), directory()));
        }
    }

    private Facts summary(Values values) {
        return new Facts()
                .text("store", "store", directory())
                .count("bad blocks", "badCount", values.number("badCount"))
                .count("pages", "pages", values.number("pages"))
                .count("map nodes", "nodes", values.number("nodes"))
                .size("verified", "bytes", values.number("bytes"))
                .flag("finished", "isFinished", values.flag("isFinished"))
                .flag("went on with an interrupted one", "isResumed", values.flag("isResumed"))
                .text("begun", "began", values.text("began"));
    }

    private static Facts facts(Values bad) {
        return new Facts()
                .text("kind", "kind", bad.text("kind"))
                .text("volume", "volume", bad.text("volume"))
                .count("lpn", "lpn", bad.number("lpn"))
                .count("pages", "pages", bad.number("pages"))
                .count("ppn", "ppn", bad.number("ppn"))
                .count("position", "positionBytes", bad.number("positionBytes"))
                .text("what", "fact", bad.text("fact"))
                .texts("holders", holders(bad));
    }

    private static List<String> holders(Values bad) {
        return Arrays.asList(bad.text("holders").split(","));
    }

    private String text(Reply reply) {
        StringBuilder text = new StringBuilder(summary(reply.facts()).asText());
        List<Values> rows = reply.rows("badBlocks");
        rows.stream().limit(SHOWN_MAX).forEach(bad -> text.append("%n  %s %d of %s, at %d: %s%n%s".formatted(
                bad.text("kind"), bad.number("lpn"), Wording.printable(bad.text("volume")), bad.number("positionBytes"),
                bad.text("fact"), Wording.heldBy(holders(bad)))));
        long more = reply.facts().number("badCount") - Math.min(rows.size(), SHOWN_MAX);
        if (more > 0) {
            text.append("%n  ... and %d more; --json lists the first thousand%n".formatted(more));
        }
        return text.toString();
    }
}
