package org.kvmdb.tools;

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
            "Copy a file to the start of a volume, in one commit: all of it, or nothing.",
            "A volume that does not exist is created, of the size of the file rounded up to whole pages; of a larger one the"
                    + " rest stays as it is.",
            "A new volume that was being filled when the process was killed (kill -9) or the power failed stays, empty."
        },
        footer = {"%nExample:", "  kvmdb import /data/store orders orders.bin --page-size 16K"})
final class ImportCommand extends StoreCommand {

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = "VOLUME", description = "Name of the volume.")
    private String name;

    @Parameters(index = "2", paramLabel = "FILE", description = "What to copy.")
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
        long lengthBytes = lengthBytes();
        StoreStatistics.Log before = store.statistics().log();
        boolean created = store.volumes().stream().noneMatch(volume -> volume.name().equals(name));
        try (Interruption _ = Interruption.awaited()) {
            importInto(store, lengthBytes, created);
        }
        StoreStatistics.Log after = store.statistics().log();
        long blockBytes = after.blockBytes() - before.blockBytes();
        output.print(new Facts()
                .text("imported", "file", file)
                .text("into volume", "volume", name)
                .size("size", "lengthBytes", lengthBytes)
                .size("compressed", "blockBytes", blockBytes)
                .number("compression", "compressionRatio", (double) lengthBytes / blockBytes, " : 1")
                .size("written to disk", "bytesWritten", after.bytesWritten() - before.bytesWritten())
                .duration("took", "tookNanos", System.nanoTime() - startNanos)
                .flag("volume created", "created", created));
    }

    private void importInto(Store store, long lengthBytes, boolean created) throws IOException {
        Volume volume = created
                ? store.createVolume(name, VolumeCommand.volumeOptions(spec, lengthBytes, pageSizeBytes))
                : store.volume(name);
        try {
            copy(volume, lengthBytes, created);
        } catch (StoreFullException e) {
            undo(store, volume, created, e);
            throw new CommandFailedException(
                    ("%s does not fit into the store, and nothing of it was imported: make room on the disk, raise --max-size,"
                                    + " or delete volumes and snapshots")
                            .formatted(file),
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

    private void copy(Volume volume, long lengthBytes, boolean created) throws IOException {
        if (lengthBytes > volume.sizeBytes()) {
            throw new CommandFailedException("%s (%s) does not fit into volume %s (%s): resize the volume first"
                    .formatted(file, Sizes.format(lengthBytes), name, Sizes.format(volume.sizeBytes())));
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Progress progress = new Progress("import", lengthBytes)) {
            Transfer.importInto(volume, channel, lengthBytes, created, progress);
        }
        volume.commit();
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
