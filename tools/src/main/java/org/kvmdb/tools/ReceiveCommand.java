package org.kvmdb.tools;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.kvmdb.ReceiveOptions;
import org.kvmdb.Received;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "receive",
        mixinStandardHelpOptions = true,
        description = {
            "Read a stream that kvmdb send wrote, and make it a snapshot of a volume: all of it, or nothing.",
            "A full stream makes a new volume; one of changes needs the snapshot that they are on top of.",
            "When it is interrupted, receive the same stream again: it goes on from where it was."
        },
        footer = {
            "%nExamples:",
            "  kvmdb receive /data/copy orders monday.kvms",
            "  ssh db kvmdb send /data/store orders@tuesday --from @monday | kvmdb receive /data/copy orders",
            "  kvmdb receive /data/copy orders --abandon"
        })
final class ReceiveCommand extends StoreCommand {

    private static final String STANDARD_INPUT = "-";

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = "VOLUME", description = "Name of the volume that gets the snapshot.")
    private String volumeName;

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "FILE",
            description = "Where from; - is standard input (default: -).")
    private String file;

    @Option(
            names = "--force",
            description = "Drop what was changed in the volume since the snapshot that the stream is on top of.")
    private boolean force;

    @Option(names = "--abandon", description = "Receive nothing; free what an interrupted receive has left.")
    private boolean abandon;

    @Override
    void validate(Output output) {
        if (abandon && (force || file != null)) {
            throw new ParameterException(
                    spec.commandLine(), "--abandon receives nothing: leave out the file and --force");
        }
        if (!abandon) {
            Interruption.advise("send the same stream again to go on");
        }
    }

    @Override
    void run(Store store, Output output) throws IOException {
        if (abandon) {
            output.print(new Facts().flag("freed what was left", "abandoned", store.abandonReceive(volumeName)));
            return;
        }
        long startNanos = System.nanoTime();
        Received received;
        try (InputStream input = file == null || file.equals(STANDARD_INPUT)
                        ? new FileInputStream(FileDescriptor.in)
                        : Files.newInputStream(Path.of(file));
                StreamBar bar = new StreamBar()) {
            ReceiveOptions options = ReceiveOptions.into(volumeName).withForce(force).withProgress(bar::reached);
            received = store.receive(input, options);
        }
        Snapshot snapshot = received.snapshot();
        output.print(StoreFacts.addTo(new Facts().text("received", "snapshot", snapshot.fullName()), received.summary())
                .size("resumed after", "resumedBytes", received.summary().resumedBytes())
                .size("size of volume", "sizeBytes", snapshot.sizeBytes())
                .duration("took", "tookNanos", System.nanoTime() - startNanos));
    }

    /** How much there is to do is known once the stream has begun. */
    private static final class StreamBar implements AutoCloseable {
        private Progress progress;

        void reached(long offset, long sizeBytes) {
            if (progress == null) {
                progress = new Progress("receive", sizeBytes);
            }
            progress.reach(offset);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
