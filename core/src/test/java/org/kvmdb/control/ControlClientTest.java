package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client whose other side is not what it should be. */
@Timeout(60)
class ControlClientTest {

    @TempDir
    private Path directory;

    private ServerSocketChannel listener;

    @BeforeEach
    void listen() throws IOException {
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(directory.resolve("control.sock")));
    }

    @AfterEach
    void close() throws IOException {
        listener.close();
    }

    /** Answers one client, whatever it asks, and closes. */
    private Thread answer(String text) {
        return Thread.ofPlatform().start(() -> {
            try (SocketChannel channel = listener.accept()) {
                channel.read(ByteBuffer.allocate(Protocol.REQUEST_BYTES_MAX));
                final ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            } catch (IOException e) {
                // The client had enough.
                assertTrue(listener.isOpen() || e.getMessage() == null);
            }
        });
    }

    private Reply ask() {
        return ControlClient.ask(directory, "info", List.of("a b"), (done, total, unit) -> {});
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "fact a=1\n",
                "ok",
                "hello\n",
                "\n",
                "fact\nfact a\n",
                "row\n",
                "row t a\n",
                "fact a=%zz\n",
                "progress\n",
                "progress 1 x bytes\n",
                "error\n",
                "error CODE\n",
                "\0\0\0\n",
                "HTTP/1.1 400 Bad Request\r\n\r\n"
            })
    void shouldSayThatTheAnswerIsNoneWhenItIsNot(String answer) throws InterruptedException {
        final Thread server = answer(answer);
        final ControlException failure = assertThrows(ControlException.class, this::ask);
        assertEquals("LOST", failure.code());
        assertFalse(failure.isPassing());
        server.join();
    }

    @Test
    void shouldEndALineWithoutEnd() throws InterruptedException {
        final Thread server = answer("fact a=" + "x".repeat(1 << 20));
        final ControlException failure = assertThrows(ControlException.class, this::ask);
        assertTrue(failure.getMessage().contains("a line without an end"), failure.getMessage());
        server.join();
    }

    @Test
    void shouldStopWaitingWhenNothingComes() {
        final ControlException failure = assertThrows(
                ControlException.class,
                () -> ControlClient.ask(directory, "info", List.of(), null, Duration.ofMillis(50)));
        assertEquals("LOST", failure.code());
        assertTrue(failure.getMessage().contains("is it stopped?"), failure.getMessage());
    }

    @Test
    void shouldTellWhyWhenTheRequestWasRefusedBeforeItWasRead() throws IOException, InterruptedException {
        final Thread server = Thread.ofPlatform().start(() -> {
            try (SocketChannel channel = listener.accept()) {
                channel.write(ByteBuffer.wrap("error TOO_MANY go%20away\n".getBytes(StandardCharsets.US_ASCII)));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        final ControlException failure = assertThrows(ControlException.class, this::ask);
        assertEquals("TOO_MANY", failure.code());
        assertEquals("go away", failure.getMessage());
        assertTrue(failure.isPassing());
        server.join();
    }

    @Test
    void shouldNotSendWhatIsTooLongForARequest() {
        final ControlException failure = assertThrows(
                ControlException.class,
                () -> ControlClient.ask(directory, "info", List.of("x".repeat(Protocol.REQUEST_BYTES_MAX)), null));
        assertEquals("ARGUMENTS", failure.code());
    }

    @Test
    void shouldSayThatNobodyIsThereWhenNobodyListens() throws IOException {
        listener.close();
        final ControlException failure = assertThrows(ControlException.class, this::ask);
        assertEquals("UNREACHABLE", failure.code());
        assertTrue(failure.isPassing());
    }
}
