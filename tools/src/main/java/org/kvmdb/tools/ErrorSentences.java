package org.kvmdb.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.kvmdb.StoreException;
import org.kvmdb.control.ControlException;
import org.kvmdb.ffi.StorageException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The one place where a failure becomes what the user reads: one sentence on standard error, and the exit code. The
 * trace is for those who ask with {@code --stacktrace}.
 */
final class ErrorSentences {

    private static final String BROKEN_PIPE_REASON = "Broken pipe";
    private static final String HINT = "; run it again with --stacktrace to see where";

    /** As of a program that SIGPIPE ends: 128 and its number. */
    static final int BROKEN_PIPE = 128 + 13;

    private ErrorSentences() {}

    /** Whoever read what the command writes has seen enough, which is no failure to tell of. */
    static boolean isBrokenPipe(Throwable failure) {
        return switch (failure) {
            case null -> false;
            case UncheckedIOException e -> isBrokenPipe(e.getCause());
            case FileSystemException e -> BROKEN_PIPE_REASON.equals(e.getReason());
            case IOException e -> BROKEN_PIPE_REASON.equals(e.getMessage());
            default -> false;
        };
    }

    /** Prints the sentence, and the trace when asked for. */
    static int report(Throwable failure, CommandLine commandLine, boolean stacktrace) {
        if (Interruption.isEnding()) {
            return CommandLine.ExitCode.SOFTWARE;
        }
        if (isBrokenPipe(failure)) {
            return BROKEN_PIPE;
        }
        if (stacktrace) {
            failure.printStackTrace(commandLine.getErr());
        }
        commandLine.getErr().println("kvmdb: " + of(failure));
        commandLine.getErr().flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    static int reportUsage(ParameterException failure) {
        CommandLine commandLine = failure.getCommandLine();
        String name = commandLine.getCommandSpec().qualifiedName();
        commandLine.getErr().println("kvmdb: " + oneLine(usage(failure)) + " (see " + name + " --help)");
        commandLine.getErr().flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** Where picocli's words are those of a programmer, others. */
    private static String usage(ParameterException failure) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            return unmatched(unmatched);
        }
        return failure.getMessage()
                .replaceFirst(" is not a (double|float)$", " is not a number")
                .replaceFirst(" is not an? (int|long)$", " is not a whole number");
    }

    private static String unmatched(UnmatchedArgumentException failure) {
        CommandLine commandLine = failure.getCommandLine();
        String word = failure.getUnmatched().getFirst();
        if (failure.isUnknownOption()) {
            return "no option '%s'%s".formatted(word, meant(word, commandLine.getCommandSpec().optionsMap().keySet(), ""));
        }
        List<String> commands = commandLine.getSubcommands().entrySet().stream()
                .filter(command -> !command.getValue().getCommandSpec().usageMessage().hidden())
                .map(Map.Entry::getKey)
                .toList();
        return commands.isEmpty()
                ? "there is no use for '%s'".formatted(String.join(" ", failure.getUnmatched()))
                : "no command '%s'%s".formatted(word, meant(word, commands, "; there are " + String.join(", ", commands)));
    }

    private static String meant(String word, Collection<String> candidates, String otherwise) {
        return Suggestions.near(word, candidates).map("; did you mean '%s'?"::formatted).orElse(otherwise);
    }

    static String of(Throwable failure) {
        return oneLine(
                switch (failure) {
                    case StoreException e -> e.getMessage();
                    // From modules that the public API does not stand before.
                    case StorageException e -> e.getMessage();
                    case CommandFailedException e -> e.getMessage();
                    case ControlException e -> e.getMessage();
                    case UncheckedIOException e -> of(e.getCause());
                    case IOException e -> ofIo(e);
                    case OutOfMemoryError e ->
                        "out of memory (" + e.getMessage() + "): free some memory or use a smaller --cache";
                    // What HotSpot makes of a page that could not be produced.
                    case InternalError e ->
                        "a page of the store could not be read (" + e.getMessage() + "): see kvmdb check";
                    case LinkageError e -> "the native library could not be used: " + rootMessage(e) + HINT;
                    case IllegalArgumentException e when e.getMessage() != null -> e.getMessage();
                    default -> "unexpected " + failure.getClass().getSimpleName() + ": " + failure.getMessage() + HINT;
                });
    }

    private static String ofIo(IOException failure) {
        String reason = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
        return switch (failure) {
            case NoSuchFileException e -> "no such file or directory: " + e.getFile();
            case FileAlreadyExistsException e -> "it exists already: " + e.getFile();
            case AccessDeniedException e -> "permission denied: " + e.getFile();
            case NotDirectoryException e -> "not a directory: " + e.getFile();
            case DirectoryNotEmptyException e -> "directory not empty: " + e.getFile();
            case FileSystemException e when e.getReason() != null -> e.getReason() + ": " + e.getFile();
            default -> "reading or writing failed: " + reason;
        };
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private static String oneLine(String message) {
        return Wording.printable(String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", " "));
    }
}
