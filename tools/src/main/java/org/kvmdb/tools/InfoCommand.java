package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.control.Reply;
import picocli.CommandLine.Command;

@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = {
            "Show a store and its volumes.",
            "Opens the store, so it recovers one that was not closed; one that is in use is asked for in its process."
        },
        footer = {"%nExamples:", "  kvmdb info /data/store", "  kvmdb info /data/store --json"})
final class InfoCommand extends LiveCommand {

    @Override
    String operation() {
        return "info";
    }

    @Override
    void print(Reply reply, Output output) {
        Facts facts = StoreFacts.ofStore(directory(), reply.facts());
        List<Facts> volumes = StoreFacts.ofVolumes(reply);
        String text = facts.asText() + System.lineSeparator() + TextTable.of(volumes, "no volumes");
        output.print(facts.list("volumes", volumes), text);
    }
}
