package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "create",
        mixinStandardHelpOptions = true,
        description = "Create an empty store.",
        footer = {"%nExamples:", "  kvmdb create /data/store", "  kvmdb create /data/store --segment-size 4M"})
final class CreateCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "STORE", description = "Directory of the store; made when it does not exist.")
    private Path directory;

    @Option(
            names = "--segment-size",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Size of the log's segments, 256K to 16M, fixed for ever (default: 16M).")
    private Long segmentSizeBytes;

    @Mixin
    private OpenOptions openOptions;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        StoreOptions options = OpenOptions.usage(spec, () -> segmentSizeBytes == null
                ? openOptions.storeOptions()
                : openOptions.storeOptions().withSegmentSizeBytes(
                        (int) Math.min(segmentSizeBytes, Integer.MAX_VALUE)));
        try (Store store = Store.create(directory, options)) {
            Facts facts = new Facts()
                    .text("created", "store", store.path())
                    .size("segments of", "segmentSizeBytes", options.segmentSizeBytes())
                    .size("on disk", "fileBytes", store.statistics().log().fileBytes());
            output.print(facts);
        }
        return 0;
    }
}
