package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.control.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "clone",
        mixinStandardHelpOptions = true,
        description = {
            "Make a volume of a snapshot, to be written; it takes no space until it changes.",
            "The snapshot cannot be deleted while the clone exists."
        },
        footer = {"%nExample:", "  kvmdb clone /data/store orders@before-import orders-test"})
final class CloneCommand extends LiveCommand {

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = SnapshotCommand.NAME, description = "What to clone.")
    private String snapshotName;

    @Parameters(index = "2", paramLabel = "NAME", description = "Name of the new volume.")
    private String volumeName;

    @Override
    String operation() {
        return "snapshot.clone";
    }

    @Override
    void validate() {
        SnapshotCommand.checkName(spec, snapshotName);
    }

    @Override
    List<String> arguments() {
        return List.of(snapshotName, volumeName);
    }

    @Override
    void print(Reply reply, Output output) {
        output.print(StoreFacts.ofVolumes(reply).getFirst());
    }
}
