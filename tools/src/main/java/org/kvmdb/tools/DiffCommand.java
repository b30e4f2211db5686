package org.kvmdb.tools;

import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ChangeVisitor;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        description = {
            "List the ranges of pages in which two snapshots differ, or a snapshot and a volume.",
            "Offset, length, and whether there is data or a hole now. It costs what differs, not what there is."
        },
        footer = {
            "%nExamples:",
            "  kvmdb diff /data/store orders@monday orders@tuesday",
            "  kvmdb diff /data/store orders@monday orders --summary"
        })
final class DiffCommand extends StoreCommand {

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = SnapshotCommand.NAME, description = "The older one.")
    private String older;

    @Parameters(
            index = "2",
            paramLabel = "VOLUME[@SNAPSHOT]",
            description = "The newer one; a volume: what it holds since its last commit.")
    private String newer;

    @Option(names = "--summary", description = "Only how much differs.")
    private boolean summary;

    @Override
    void validate(Output output) {
        SnapshotCommand.checkName(spec, older);
    }

    @Override
    void run(Store store, Output output) {
        Changes changes = new Changes(output, !summary);
        Snapshot from = store.snapshotNamed(older);
        if (SnapshotNames.isSnapshot(newer)) {
            from.diff(store.snapshotNamed(newer), changes);
        } else {
            from.diff(store.volume(newer), changes);
        }
        Facts facts = new Facts()
                .size("changed", "changedBytes", changes.changedBytes)
                .size("holes now", "holeBytes", changes.holeBytes)
                .count("ranges", "rangeCount", changes.count);
        if (!summary) {
            facts.list("ranges", changes.ranges);
        }
        output.print(facts, summary ? facts.asText() : "");
    }

    /** Prints ranges as they come; keeps them only where one object is printed in the end. */
    private static final class Changes implements ChangeVisitor {
        private final Output output;
        private final boolean listed;
        private final List<Facts> ranges = new ArrayList<>();
        private long changedBytes;
        private long holeBytes;
        private long count;

        Changes(Output output, boolean listed) {
            this.output = output;
            this.listed = listed;
        }

        @Override
        public void changed(long offset, long lengthBytes, boolean isHole) {
            changedBytes += isHole ? 0 : lengthBytes;
            holeBytes += isHole ? lengthBytes : 0;
            count++;
            if (listed && output.isJson()) {
                ranges.add(new Facts()
                        .size("offset", "offset", offset)
                        .size("length", "lengthBytes", lengthBytes)
                        .flag("hole", "hole", isHole));
            } else if (listed) {
                output.say("%d %d %s", offset, lengthBytes, isHole ? "hole" : "data");
            }
        }
    }
}
