package org.kvmdb.tools;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.Volume;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = {
            "Copy a volume or a snapshot to a file, or with - to standard output.",
            "The file appears when it is complete; long runs of zeros take no space in it. It has the volume's size, which is that"
                    + " of an imported file rounded up to whole pages: --length gives the file back."
        },
        footer = {
            "%nExamples:",
            "  kvmdb export /data/store orders orders.bin",
            "  kvmdb export /data/store orders@before-import orders.bin",
            "  kvmdb export /data/store orders - --length 1M | sha256sum"
        })
final class ExportCommand extends StoreCommand {

    static final String STANDARD_OUTPUT = "-";

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = "VOLUME[@SNAPSHOT]", description = "What to copy.")
    private String name;

    @Parameters(index = "2", paramLabel = "FILE", description = "Where to; - is standard output.")
    private String file;

    @Option(
            names = "--length",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Only so much from the start (default: all of the volume).")
    private Long lengthBytes;

    @Override
    void validate(Output output) {
        if (file.equals(STANDARD_OUTPUT) && output.isJson()) {
            throw new ParameterException(spec.commandLine(), "--json and the export cannot both go to standard output");
        }
        if (lengthBytes != null && lengthBytes <= 0) {
            throw new ParameterException(spec.commandLine(), "--length must be positive: " + lengthBytes);
        }
    }

    @Override
    void run(Store store, Output output) throws IOException {
        long startNanos = System.nanoTime();
        Exported exported = exported(store);
        if (lengthBytes != null && lengthBytes > exported.sizeBytes) {
            throw new CommandFailedException("%s has only %s".formatted(name, Sizes.format(exported.sizeBytes)));
        }
        long length = lengthBytes == null ? exported.sizeBytes : lengthBytes;
        if (file.equals(STANDARD_OUTPUT)) {
            try (FileOutputStream stream = new FileOutputStream(FileDescriptor.out)) {
                copy(exported.source, stream.getChannel(), length, false);
            }
            return;
        }
        PartFile.write(Path.of(file), (channel, isNew) -> copy(exported.source, channel, length, isNew));
        output.print(new Facts()
                .text("exported", "volume", name)
                .text("to", "file", file)
                .size("size", "lengthBytes", length)
                .duration("took", "tookNanos", System.nanoTime() - startNanos));
    }

    private record Exported(long sizeBytes, Transfer.Source source) {}

    private Exported exported(Store store) {
        if (SnapshotNames.isSnapshot(name)) {
            Snapshot snapshot = store.snapshotNamed(name);
            return new Exported(snapshot.sizeBytes(), snapshot::read);
        }
        Volume volume = store.volume(name);
        return new Exported(volume.sizeBytes(), volume::read);
    }

    private static void copy(Transfer.Source source, FileChannel channel, long length, boolean sparse) throws IOException {
        try (Progress progress = new Progress("export", length)) {
            Transfer.exportFrom(source, channel, length, sparse, progress);
        }
    }
}
