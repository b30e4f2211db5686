package org.kvmdb.tools;

import org.kvmdb.control.Reply;
import picocli.CommandLine.Command;

@Command(
        name = "checkpoint",
        mixinStandardHelpOptions = true,
        description = {
            "Write the map into the log, so that opening the store has nothing older to replay.",
            "A store does so by itself; commits go on meanwhile."
        },
        footer = {"%nExample:", "  kvmdb checkpoint /data/store"})
final class CheckpointCommand extends LiveCommand {

    @Override
    String operation() {
        return "checkpoint";
    }

    @Override
    void print(Reply reply, Output output) {
        output.print(new Facts().count("checkpoint at log sequence", "sequence", reply.facts().number("sequence")));
    }
}
