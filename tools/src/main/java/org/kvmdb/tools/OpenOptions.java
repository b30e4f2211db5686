package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a command opens its store. */
public final class OpenOptions {

    private static final int SEGMENTS_MIN = 8;

    private static final Map<String, String> OPTIONS_BY_PROPERTY = Map.of(
            "cacheSizeBytes", "--cache",
            "maxSizeBytes", "--max-size",
            "segmentSizeBytes", "--segment-size",
            "sizeBytes", "--size",
            "pageSizeBytes", "--page-size");

    private static final Pattern SIZE_SENTENCE = Pattern.compile("(\\w+SizeBytes|sizeBytes) (must be .*): -?\\d+");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--cache",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Memory for pages (default: 256M; 4M to 2T).")
    private Long cacheSizeBytes;

    @Option(
            names = "--max-size",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "How large the store may grow while this command runs (default: what the disk holds).")
    private Long maxSizeBytes;

    public StoreOptions storeOptions() {
        return usage(spec, () -> {
            StoreOptions options = StoreOptions.defaults();
            options = cacheSizeBytes == null ? options : options.withCacheSizeBytes(cacheSizeBytes);
            return maxSizeBytes == null ? options : limited(options, maxSizeBytes);
        });
    }

    /** A small store needs small segments; of one that exists the size is known anyway. */
    private static StoreOptions limited(StoreOptions options, long maxSizeBytes) {
        if (maxSizeBytes < SEGMENTS_MIN * StoreOptions.SEGMENT_SIZE_BYTES_MIN) {
            throw new IllegalArgumentException("--max-size is at least 2M: " + maxSizeBytes);
        }
        int segmentSizeBytes =
                (int) Math.min(options.segmentSizeBytes(), Long.highestOneBit(maxSizeBytes / SEGMENTS_MIN));
        return options.withSegmentSizeBytes(segmentSizeBytes).withMaxSizeBytes(maxSizeBytes);
    }

    public Store open(Path directory) {
        return Store.open(directory, storeOptions());
    }

    /** What the options' own checks refuse is wrong usage. */
    static <T> T usage(CommandSpec spec, Supplier<T> supplier) {
        try {
            return supplier.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), inWordsOfTheCommand(e.getMessage()), e);
        }
    }

    /** A sentence about a property of the API is about the option; what was given for it is known to who gave it. */
    private static String inWordsOfTheCommand(String message) {
        Matcher sentence = SIZE_SENTENCE.matcher(message);
        if (!sentence.matches()) {
            return message;
        }
        String option = OPTIONS_BY_PROPERTY.get(sentence.group(1));
        return option == null ? message : option + " " + sentence.group(2);
    }
}
