package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.control.Reply;
import org.kvmdb.control.Values;
import picocli.CommandLine.Command;

@Command(
        name = "space",
        mixinStandardHelpOptions = true,
        description = {
            "Show what the space of a store is used for: by volume and snapshot, and as a whole.",
            "",
            "'alone' is what deleting just this one would free, 'shared' what others hold, too. docs/space.md explains"
                + " each number. Exits with 1 when the figures do not add up."
        },
        footer = {"%nExamples:", "  kvmdb space /data/store", "  kvmdb space /data/store --json"})
final class SpaceCommand extends LiveCommand {

    @Override
    String operation() {
        return "space";
    }

    @Override
    void print(Reply reply, Output output) {
        Values values = reply.facts();
        List<Facts> holders = reply.rows("holders").stream().map(SpaceCommand::holder).toList();
        Facts facts = StoreFacts.ofSpace(directory(), values).list("holders", holders);
        String list = TextTable.of(holders, "no volumes");
        output.print(facts, list + System.lineSeparator() + uses(values) + System.lineSeparator() + notes(values));
        if (values.flag("isExact") && !values.flag("addsUp")) {
            throw new CommandFailedException(
                    "the space of %s does not add up: %d live bytes are counted, %d were found; run kvmdb check"
                            .formatted(directory(), values.number("liveBytes"), found(values)));
        }
    }

    private static long found(Values values) {
        return values.number("pageBytes") + values.number("nodeBytes") + values.number("dyingNodeBytes");
    }

    private static Facts holder(Values holder) {
        long referenced = holder.number("referencedBytes");
        double ratio =
                referenced == 0 ? 1 : (double) holder.number("pages") * holder.number("pageSizeBytes") / referenced;
        return new Facts()
                .text("volume", "name", holder.text("name"))
                .size("size", "sizeBytes", holder.number("sizeBytes"))
                .count("pages", "pages", holder.number("pages"))
                .size("compressed", "referencedBytes", referenced)
                .number("ratio", "compressionRatio", ratio, "")
                .size("alone", "uniqueBytes", holder.number("uniqueBytes"))
                .size("shared", "sharedBytes", holder.number("sharedBytes"))
                .size("map alone", "uniqueNodeBytes", holder.number("uniqueNodeBytes"))
                .limit("quota", "quotaBytes", holder.number("quotaBytes"))
                .text("from", "origin", holder.has("origin") ? holder.text("origin") : "");
    }

    private static Facts use(Values values, String label, long bytes) {
        long all = values.number("segmentBytes");
        return new Facts()
                .text("use", "use", label)
                .size("bytes", "bytes", bytes)
                .share("of all", "share", all == 0 ? 0 : (double) bytes / all);
    }

    private static String uses(Values values) {
        return TextTable.of(List.of(
                use(values, "pages", values.number("pageBytes")),
                use(values, "map", values.number("nodeBytes") + values.number("dyingNodeBytes")),
                use(values, "written, not committed", values.number("stolenBytes")),
                use(values, "dead, for the cleaner", values.number("deadBytes")),
                use(values, "dead, for the next checkpoint", values.number("reclaimableBytes")),
                use(values, "being written", values.number("openBytes")),
                use(values, "free", values.number("freeBytes")),
                use(values, "free, given back", values.number("holeBytes")),
                use(values, "all segments", values.number("segmentBytes"))));
    }

    private static String notes(Values values) {
        return new Facts()
                .size("on disk", "diskBytes", values.number("diskBytes"))
                .size("length of the file", "fileBytes", values.number("fileBytes"))
                .size("may grow to", "limitBytes", values.number("limitBytes"))
                .size("reserved for dirty pages", "dirtyReserveBytes", values.number("dirtyReserveBytes"))
                .size("reserved for checkpoints", "checkpointReserveBytes", values.number("checkpointReserveBytes"))
                .size("catalog and segment table", "metadataBytes", values.number("metadataBytes"))
                .count("deletions under way", "deletionsWaiting", values.number("deletionsWaiting"))
                .size("which will free", "deletedBytes", values.number("deletedBytes"))
                .flag("nothing changed meanwhile", "isExact", values.flag("isExact"))
                .asText();
    }
}
