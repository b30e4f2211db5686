package org.kvmdb.tools;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.StreamSummary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "send",
        mixinStandardHelpOptions = true,
        description = {
            "Write a snapshot as a stream, to a file or to standard output, for kvmdb receive.",
            "With --from only what changed since an older snapshot, which the receiver must have.",
            "Every block is verified, and travels compressed as it is stored. A file appears when it is complete."
        },
        footer = {
            "%nExamples:",
            "  kvmdb send /data/store orders@monday monday.kvms",
            "  kvmdb send /data/store orders@tuesday --from @monday | ssh backup kvmdb receive /data/copy orders"
        })
final class SendCommand extends StoreCommand {

    private static final int STANDARD_OUTPUT_FD = 1;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "1", paramLabel = SnapshotCommand.NAME, description = "What to send.")
    private String name;

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "FILE",
            defaultValue = ExportCommand.STANDARD_OUTPUT,
            description = "Where to; - is standard output (default: -).")
    private String file;

    @Option(
            names = "--from",
            paramLabel = "[VOLUME]@SNAPSHOT",
            description = "Send only what changed since an older snapshot of the volume, or of what it was cloned from.")
    private String from;

    @Override
    void validate(Output output) {
        SnapshotCommand.checkName(spec, name);
        if (from != null) {
            OpenOptions.usage(spec, () -> SnapshotNames.check(baseName()));
        }
        if (isStandardOutput()) {
            if (output.isJson()) {
                throw new ParameterException(
                        spec.commandLine(), "--json and the stream cannot both go to standard output");
            }
            if (Progress.isTerminal(STANDARD_OUTPUT_FD)) {
                throw new ParameterException(
                        spec.commandLine(), "standard output is a terminal: name a file, or pipe the stream on");
            }
        }
    }

    private boolean isStandardOutput() {
        return file.equals(ExportCommand.STANDARD_OUTPUT);
    }

    @Override
    void run(Store store, Output output) throws IOException {
        long startNanos = System.nanoTime();
        Snapshot snapshot = store.snapshotNamed(name);
        Snapshot base = from == null ? null : store.snapshotNamed(baseName());
        if (isStandardOutput()) {
            try (FileOutputStream stream = new FileOutputStream(FileDescriptor.out)) {
                send(snapshot, base, stream);
            }
            return;
        }
        StreamSummary[] summary = new StreamSummary[1];
        PartFile.write(
                Path.of(file),
                (channel, isNew) -> summary[0] = send(snapshot, base, Channels.newOutputStream(channel)));
        output.print(StoreFacts.addTo(
                        new Facts()
                                .text("sent", "snapshot", snapshot.fullName())
                                .text("on top of", "from", base == null ? "nothing" : base.fullName())
                                .text("to", "file", file),
                        summary[0])
                .duration("took", "tookNanos", System.nanoTime() - startNanos));
    }

    /** {@code @SNAPSHOT} alone is of the volume that is sent. */
    private String baseName() {
        return SnapshotNames.volumeName(from).isEmpty() ? SnapshotNames.volumeName(name) + from : from;
    }

    private static StreamSummary send(Snapshot snapshot, Snapshot base, OutputStream stream) throws IOException {
        try (Progress progress = new Progress("send", snapshot.sizeBytes())) {
            return snapshot.send(stream, base, (offset, sizeBytes) -> progress.reach(offset));
        }
    }
}
