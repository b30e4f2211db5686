package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.VolumeOptions;
import org.kvmdb.control.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "volume",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Create, list, resize, limit and delete volumes.",
        footer = {
            "%nExamples:",
            "  kvmdb volume create /data/store orders --size 64G --page-size 16K",
            "  kvmdb volume list /data/store",
            "  kvmdb volume resize /data/store orders --size 128G",
            "  kvmdb volume quota /data/store orders --size 10G",
            "  kvmdb volume delete /data/store orders"
        },
        subcommands = {
            VolumeCommand.CreateVolume.class,
            VolumeCommand.ListVolumes.class,
            VolumeCommand.ResizeVolume.class,
            VolumeCommand.LimitVolume.class,
            VolumeCommand.DeleteVolume.class
        })
final class VolumeCommand {

    private VolumeCommand() {}

    /** What is done with one volume. */
    private abstract static class NamedVolume extends LiveCommand {

        @Spec
        CommandSpec spec;

        @Parameters(index = "1", paramLabel = "NAME", description = "Name of the volume.")
        String name;
    }

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = "Create a volume; it reads as zeros, and only what is written takes space.",
            footer = {"%nExample:", "  kvmdb volume create /data/store orders --size 64G --page-size 16K"})
    static final class CreateVolume extends NamedVolume {

        @Option(
                names = "--size",
                required = true,
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "Its size, such as 64G.")
        private long sizeBytes;

        @Option(
                names = "--page-size",
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                defaultValue = "4K",
                description = "What one fault reads, 4K to 64K; larger pages compress better (default: 4K).")
        private long pageSizeBytes;

        @Override
        String operation() {
            return "volume.create";
        }

        @Override
        void validate() {
            volumeOptions(spec, sizeBytes, pageSizeBytes);
        }

        @Override
        List<String> arguments() {
            return List.of(name, Long.toString(sizeBytes), Long.toString(pageSizeBytes));
        }

        @Override
        void print(Reply reply, Output output) {
            output.print(StoreFacts.ofVolumes(reply).getFirst());
        }
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "List the volumes of a store.",
            footer = {"%nExample:", "  kvmdb volume list /data/store --json"})
    static final class ListVolumes extends LiveCommand {

        @Override
        String operation() {
            return "volume.list";
        }

        @Override
        void print(Reply reply, Output output) {
            List<Facts> volumes = StoreFacts.ofVolumes(reply);
            output.print(new Facts().list("volumes", volumes), TextTable.of(volumes, "no volumes"));
        }
    }

    @Command(
            name = "resize",
            mixinStandardHelpOptions = true,
            description = {
                "Grow or shrink a volume.",
                "What lies beyond a smaller size is gone; growing again reads zeros."
            },
            footer = {"%nExample:", "  kvmdb volume resize /data/store orders --size 128G"})
    static final class ResizeVolume extends NamedVolume {

        @Option(
                names = "--size",
                required = true,
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "The new size, such as 128G.")
        private long sizeBytes;

        @Option(names = "--force", description = "Also make one smaller whose memory another process uses.")
        private boolean force;

        @Override
        String operation() {
            return "volume.resize";
        }

        @Override
        void validate() {
            volumeOptions(spec, sizeBytes, VolumeOptions.PAGE_SIZE_BYTES_MAX);
        }

        @Override
        List<String> arguments() {
            return List.of(name, Long.toString(sizeBytes), Boolean.toString(force));
        }

        @Override
        void print(Reply reply, Output output) {
            output.print(StoreFacts.ofVolumes(reply).getFirst());
        }
    }

    @Command(
            name = "quota",
            mixinStandardHelpOptions = true,
            description = {
                "Limit the bytes of blocks that a volume may refer to, those counted that it shares.",
                "A commit that would go beyond fails; 0 lifts the limit."
            },
            footer = {
                "%nExamples:",
                "  kvmdb volume quota /data/store orders --size 10G",
                "  kvmdb volume quota /data/store orders --size 0"
            })
    static final class LimitVolume extends NamedVolume {

        @Option(
                names = "--size",
                required = true,
                paramLabel = "SIZE",
                converter = SizeConverter.class,
                description = "The limit, such as 10G; 0 for none.")
        private long quotaBytes;

        @Override
        String operation() {
            return "volume.quota";
        }

        @Override
        List<String> arguments() {
            return List.of(name, Long.toString(quotaBytes));
        }

        @Override
        void print(Reply reply, Output output) {
            output.print(StoreFacts.ofVolumes(reply).getFirst());
        }
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = "Delete a volume and all that is in it.",
            footer = {"%nExample:", "  kvmdb volume delete /data/store orders"})
    static final class DeleteVolume extends NamedVolume {

        @Option(names = "--force", description = "Also one whose memory another process uses.")
        private boolean force;

        @Override
        String operation() {
            return "volume.delete";
        }

        @Override
        List<String> arguments() {
            return List.of(name, Boolean.toString(force));
        }

        @Override
        void print(Reply reply, Output output) {
            output.print(new Facts().text("deleted", "deleted", reply.facts().text("deleted")));
        }
    }

    /** Checked here so that a wrong size is wrong usage. */
    static VolumeOptions volumeOptions(CommandSpec spec, long sizeBytes, long pageSizeBytes) {
        return OpenOptions.usage(spec, () -> new VolumeOptions(
                sizeBytes, (int) Math.min(pageSizeBytes, Integer.MAX_VALUE)));
    }
}
