package org.kvmdb.tools;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.Store;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "snapshot",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Create, list and delete snapshots, and roll a volume back to one.",
            "A snapshot is what a volume held at one moment; it is written VOLUME@SNAPSHOT."
        },
        footer = {
            "%nExamples:",
            "  kvmdb snapshot create /data/store orders@before-import",
            "  kvmdb snapshot list /data/store",
            "  kvmdb snapshot rollback /data/store orders@before-import",
            "  kvmdb snapshot delete /data/store orders@before-import"
        },
        subcommands = {
            SnapshotCommand.CreateSnapshot.class,
            SnapshotCommand.ListSnapshots.class,
            SnapshotCommand.DeleteSnapshot.class,
            SnapshotCommand.RollbackToSnapshot.class
        })
final class SnapshotCommand {

    static final String NAME = "VOLUME@SNAPSHOT";

    private SnapshotCommand() {}

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = {
                "Take a snapshot of what was committed; it takes no space until the volume changes.",
                "Several volumes: all at one moment, under one name, or none."
            },
            footer = {
                "%nExamples:",
                "  kvmdb snapshot create /data/store orders@before-import",
                "  kvmdb snapshot create /data/store orders@friday customers@friday"
            })
    static final class CreateSnapshot extends StoreCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = NAME, description = "What to call it, of which volume.")
        private List<String> names;

        @Override
        void validate(Output output) {
            names.forEach(name -> checkName(spec, name));
            if (names.stream().map(SnapshotNames::snapshotName).distinct().count() > 1) {
                throw new ParameterException(
                        spec.commandLine(), "snapshots that are taken together have one name: " + String.join(" ", names));
            }
            if (Set.copyOf(names).size() < names.size()) {
                throw new ParameterException(spec.commandLine(), "named twice: " + String.join(" ", names));
            }
        }

        @Override
        void run(Store store, Output output) {
            printList(output, SnapshotOperations.create(store, names));
        }
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "List the snapshots of a store, or of a volume, oldest first.",
            footer = {
                "%nExamples:",
                "  kvmdb snapshot list /data/store",
                "  kvmdb snapshot list /data/store orders --json"
            })
    static final class ListSnapshots extends StoreCommand {

        @Parameters(index = "1", arity = "0..1", paramLabel = "VOLUME", description = "Of this volume only.")
        private String volumeName;

        @Override
        void run(Store store, Output output) {
            printList(output, SnapshotOperations.list(store, volumeName));
        }
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = {
                "Delete snapshots, and wait until what only they held is freed.",
                "One that was cloned is refused until its clones are deleted."
            },
            footer = {"%nExample:", "  kvmdb snapshot delete /data/store orders@before-import"})
    static final class DeleteSnapshot extends StoreCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = NAME, description = "Which ones.")
        private List<String> names;

        @Override
        void validate(Output output) {
            names.forEach(name -> checkName(spec, name));
        }

        @Option(
                names = "--no-wait",
                description = "Leave the freeing to whoever opens the store next; it goes on in the background then.")
        private boolean leaves;

        @Override
        void run(Store store, Output output) throws InterruptedException {
            for (String name : new LinkedHashSet<>(names)) {
                SnapshotOperations.delete(store, name);
            }
            if (!leaves) {
                SnapshotOperations.awaitDeletion(store);
            }
            output.print(new Facts().text("deleted", "deleted", String.join(" ", names)));
        }
    }

    @Command(
            name = "rollback",
            mixinStandardHelpOptions = true,
            description = {
                "Make a volume hold what its snapshot holds, its size too.",
                "What was written since is gone, unless a later snapshot has it; all snapshots stay."
            },
            footer = {"%nExample:", "  kvmdb snapshot rollback /data/store orders@before-import"})
    static final class RollbackToSnapshot extends StoreCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1", paramLabel = NAME, description = "Which one.")
        private String name;

        @Override
        void validate(Output output) {
            checkName(spec, name);
        }

        @Override
        void run(Store store, Output output) {
            output.print(SnapshotOperations.rollback(store, name));
        }
    }

    private static void printList(Output output, List<Facts> snapshots) {
        output.print(new Facts().list("snapshots", snapshots), TextTable.of(snapshots));
    }

    /** A name that cannot be one is wrong usage. */
    static void checkName(CommandSpec spec, String name) {
        OpenOptions.usage(spec, () -> SnapshotNames.snapshotName(name));
    }
}
