package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErrorSentencesTest {

    @Test
    void shouldNameTheFileWhenInputOrOutputFails() {
        assertEquals("no such file or directory: /x", ErrorSentences.of(new NoSuchFileException("/x")));
        assertEquals("permission denied: /x", ErrorSentences.of(new AccessDeniedException("/x")));
        assertEquals(
                "No space left on device: /x",
                ErrorSentences.of(new FileSystemException("/x", null, "No space left on device")));
        assertEquals(
                "reading or writing failed: Broken pipe",
                ErrorSentences.of(new UncheckedIOException(new IOException("Broken pipe"))));
    }

    @Test
    void shouldBeOneLineWhateverFails() {
        List<Throwable> failures = List.of(
                new CommandFailedException("a\nb\r\n c"),
                new IllegalArgumentException("a\nb"),
                new IllegalStateException("a\nb"),
                new IOException(),
                new OutOfMemoryError("Java heap space"),
                new InternalError("a fault occurred"),
                new ExceptionInInitializerError(new IllegalStateException("no\nlibrary")),
                new NullPointerException());
        for (Throwable failure : failures) {
            String sentence = ErrorSentences.of(failure);
            assertFalse(sentence.contains("\n"), sentence);
            assertFalse(sentence.isBlank());
            assertFalse(sentence.contains("\tat "), sentence);
        }
    }

    @Test
    void shouldTellHowToSeeMoreWhenAFailureIsUnexpected() {
        String sentence = ErrorSentences.of(new IllegalStateException("odd"));
        assertTrue(sentence.contains("IllegalStateException: odd") && sentence.contains("--stacktrace"), sentence);
        assertFalse(ErrorSentences.of(new CommandFailedException("known")).contains("--stacktrace"));
    }
}
