package org.kvmdb.tools;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.kvmdb.Store;
import org.kvmdb.StoreFullException;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description = {
            "Copy a file, or with - standard input, to the start of a volume, in one commit: all of it, or nothing.",
            "A volume that does not exist is created, of the size of the file rounded up to whole pages; of a larger one the"
                    + " rest stays as it is.",
            "A new volume that was being filled when the process was killed (kill -9) or the power failed stays, empty;"
                    + " of 1 TiB if it was to be filled from standard input, which is the most that a new volume takes from there."
        },
        footer = {
            "%nExamples:",
            "  kvmdb import /data/store orders orders.bin --page-size 16K",
            "  zcat orders.bin.gz | kvmdb import /data/store orders -"
        })
final class ImportCommand extends StoreCommand {

    private static final String STANDARD_INPUT = "-";

    /** Of a new volume while it is not known how much will come. */
    private static final long SIZE_BYTES_UNKNOWN = 1L << 40;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = "VOLUME", description = "Name of the volume.")
    private String name;

    @Parameters(index = "2", paramLabel = "FILE", description = "What to copy; - is standard input.")
    private Path file;

    @Option(
            names = "--page-size",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            defaultValue = "4K",
            description = "Page size of a volume that is created, 4K to 64K (default: 4K).")
    private long pageSizeBytes;

    @Override
    void validate(Output output) {
        VolumeCommand.volumeOptions(spec, 1, pageSizeBytes);
    }

    @Override
    void run(Store store, Output output) throws IOException {
        long startNanos = System.nanoTime();
        long expectedBytes = isStandardInput() ? SIZE_BYTES_UNKNOWN : lengthBytes();
        StoreStatistics.Log before = store.statistics().log();
        boolean created = store.volumes().stream().noneMatch(volume -> volume.name().equals(name));
        long lengthBytes;
        try (Interruption interruption = Interruption.awaited()) {
            lengthBytes = importInto(store, expectedBytes, created, interruption);
        }
        StoreStatistics.Log after = store.statistics().log();
        long blockBytes = after.blockBytes() - before.blockBytes();
        output.print(new Facts()
                .text("imported", "file", source())
                .text("into volume", "volume", name)
                .size("size", "lengthBytes", lengthBytes)
                .size("compressed", "blockBytes", blockBytes)
                .number("compression", "compressionRatio", (double) lengthBytes / blockBytes, " : 1")
                .size("written to disk", "bytesWritten", after.bytesWritten() - before.bytesWritten())
                .duration("took", "tookNanos", System.nanoTime() - startNanos)
                .flag("volume created", "created", created));
    }

    private boolean isStandardInput() {
        return file.toString().equals(STANDARD_INPUT);
    }

    private String source() {
        return isStandardInput() ? "standard input" : file.toString();
    }

    /** Returns how much it was. */
    private long importInto(Store store, long expectedBytes, boolean created, Interruption interruption)
            throws IOException {
        Volume volume = created
                ? store.createVolume(name, VolumeCommand.volumeOptions(spec, expectedBytes, pageSizeBytes))
                : store.volume(name);
        try {
            long lengthBytes = isStandardInput()
                    ? copyInput(volume, created, interruption)
                    : copy(volume, expectedBytes, created);
            volume.commit();
            return lengthBytes;
        } catch (StoreFullException e) {
            undo(store, volume, created, e);
            throw new CommandFailedException(
                    ("%s does not fit into the store, and nothing of it was imported: make room on the disk, raise --max-size,"
                                    + " or delete volumes and snapshots")
                            .formatted(source()),
                    e);
        } catch (IOException | RuntimeException | Error e) {
            undo(store, volume, created, e);
            throw e;
        }
    }

    private long lengthBytes() throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!Files.isRegularFile(file)) {
            throw new CommandFailedException("not a regular file: " + file);
        }
        long lengthBytes = Files.size(file);
        if (lengthBytes == 0) {
            throw new CommandFailedException("nothing to import, the file is empty: " + file);
        }
        return lengthBytes;
    }

    /** A new volume gets its size before the commit: what is left of an import that was killed is empty. */
    private long copyInput(Volume volume, boolean created, Interruption interruption) throws IOException {
        try (FileInputStream input = new FileInputStream(FileDescriptor.in);
                Progress progress = new Progress("import", 0)) {
            interruption.closes(input.getChannel());
            long lengthBytes = Transfer.importInto(volume, input.getChannel(), created, progress);
            if (lengthBytes == 0) {
                throw new CommandFailedException("nothing to import, standard input is empty");
            }
            if (created) {
                volume.resize(lengthBytes);
            }
            return lengthBytes;
        }
    }

    private long copy(Volume volume, long lengthBytes, boolean created) throws IOException {
        if (lengthBytes > volume.sizeBytes()) {
            throw new CommandFailedException("%s (%s) does not fit into volume %s (%s): resize the volume first"
                    .formatted(file, Sizes.format(lengthBytes), name, Sizes.format(volume.sizeBytes())));
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Progress progress = new Progress("import", lengthBytes)) {
            Transfer.importInto(volume, channel, lengthBytes, created, progress);
        }
        return lengthBytes;
    }

    /** The first failure is what the user reads, so a second one only joins it. */
    private void undo(Store store, Volume volume, boolean created, Throwable failure) {
        try {
            volume.rollback();
            if (created) {
                store.deleteVolume(name);
            }
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
