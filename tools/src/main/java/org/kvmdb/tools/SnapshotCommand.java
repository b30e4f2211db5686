package org.kvmdb.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.kvmdb.control.Reply;
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
    static final class CreateSnapshot extends LiveCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = NAME, description = "What to call it, of which volume.")
        private List<String> names;

        @Override
        void validate() {
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
        String operation() {
            return "snapshot.create";
        }

        @Override
        List<String> arguments() {
            List<String> arguments = new ArrayList<>();
            arguments.add(SnapshotNames.snapshotName(names.getFirst()));
            names.forEach(name -> arguments.add(SnapshotNames.volumeName(name)));
            return arguments;
        }

        @Override
        void print(Reply reply, Output output) {
            printList(reply, output);
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
    static final class ListSnapshots extends LiveCommand {

        @Parameters(index = "1", arity = "0..1", paramLabel = "VOLUME", description = "Of this volume only.")
        private String volumeName;

        @Override
        String operation() {
            return volumeName == null ? "snapshot.list" : "snapshot.listOf";
        }

        @Override
        List<String> arguments() {
            return volumeName == null ? List.of() : List.of(volumeName);
        }

        @Override
        void print(Reply reply, Output output) {
            printList(reply, output);
        }
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = {
                "Delete snapshots, all of them or none, and wait until what only they held is freed.",
                "One that was cloned is refused until its clones are deleted."
            },
            footer = {"%nExample:", "  kvmdb snapshot delete /data/store orders@before-import"})
    static final class DeleteSnapshot extends LiveCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = NAME, description = "Which ones.")
        private List<String> names;

        @Option(
                names = "--no-wait",
                description = "Leave the freeing to the process that has the store open, or opens it next.")
        private boolean leaves;

        @Override
        void validate() {
            names.forEach(name -> checkName(spec, name));
        }

        @Override
        String operation() {
            return "snapshot.delete";
        }

        @Override
        List<String> arguments() {
            List<String> arguments = new ArrayList<>();
            arguments.add(Boolean.toString(!leaves));
            arguments.addAll(names);
            return arguments;
        }

        @Override
        void print(Reply reply, Output output) {
            List<String> deleted = reply.rows("deleted").stream().map(row -> row.text("name")).toList();
            output.print(new Facts().text("deleted", "deleted", String.join(" ", deleted)));
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
    static final class RollbackToSnapshot extends LiveCommand {

        @Spec
        private CommandSpec spec;

        @Parameters(index = "1", paramLabel = NAME, description = "Which one.")
        private String name;

        @Option(names = "--force", description = "Also when another process uses the memory of the volume.")
        private boolean force;

        @Override
        void validate() {
            checkName(spec, name);
        }

        @Override
        String operation() {
            return "snapshot.rollback";
        }

        @Override
        List<String> arguments() {
            return List.of(name, Boolean.toString(force));
        }

        @Override
        void print(Reply reply, Output output) {
            output.print(StoreFacts.ofVolumes(reply).getFirst());
        }
    }

    private static void printList(Reply reply, Output output) {
        List<Facts> snapshots = StoreFacts.ofSnapshots(reply);
        output.print(new Facts().list("snapshots", snapshots), TextTable.of(snapshots, "no snapshots"));
    }

    /** A name that cannot be one is wrong usage. */
    static void checkName(CommandSpec spec, String name) {
        OpenOptions.usage(spec, () -> SnapshotNames.check(name));
    }
}
