package org.kvmdb.tools;

import org.kvmdb.control.Reply;
import picocli.CommandLine.Command;

@Command(
        name = "statistics",
        mixinStandardHelpOptions = true,
        description = {
            "Show what happened in a store since it was opened, by the process that has it open.",
            "Of a store that nobody has open there is little to tell: this command opens it."
        },
        footer = {"%nExamples:", "  kvmdb statistics /data/store", "  kvmdb statistics /data/store --json"})
final class StatisticsCommand extends LiveCommand {

    @Override
    String operation() {
        return "statistics";
    }

    @Override
    void print(Reply reply, Output output) {
        output.print(StoreFacts.ofAll(reply.facts()));
    }
}
