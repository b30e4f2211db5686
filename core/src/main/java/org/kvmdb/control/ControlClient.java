package org.kvmdb.control;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.ffi.StorageException;

/** Asks the process that has a store open. */
public final class ControlClient {

    /** The server gives a sign of life far more often. */
    static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private ControlClient() {}

    /**
     * Asks, and waits for the end of the answer.
     *
     * @param directory the store's
     * @throws ControlException when the answer is an error, or there is none
     */
    public static Reply ask(
            Path directory, String operation, List<String> arguments, Reply.ProgressListener listener) {
        return ask(directory, operation, arguments, listener, SILENCE_MAX);
    }

    static Reply ask(
            Path directory,
            String operation,
            List<String> arguments,
            Reply.ProgressListener listener,
            Duration silenceMax) {
        final StringBuilder line = new StringBuilder(Protocol.VERSION).append(' ').append(Words.encode(operation));
        arguments.forEach(argument -> line.append(' ').append(Words.encode(argument)));
        if (line.length() >= Protocol.REQUEST_BYTES_MAX) {
            throw new ControlException(
                    Protocol.Code.ARGUMENTS,
                    "the arguments are too long for a store that another process has open, %d bytes: give fewer at a time"
                            .formatted(line.length()));
        }
        try (SocketChannel channel = connect(directory)) {
            send(channel, line + "\n");
            return new Lines(channel, directory, silenceMax).readInto(new Reply(listener));
        } catch (IOException e) {
            throw new ControlException(
                    Protocol.Code.LOST,
                    "the process that has the store %s open did not answer to the end: %s"
                            .formatted(directory, e.getMessage()),
                    e);
        }
    }

    private static void send(SocketChannel channel, String line) {
        try {
            channel.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            // Whoever refuses a request before it has read it says why: the answer is there all the same.
            System.getLogger(ControlClient.class.getName()).log(System.Logger.Level.DEBUG, "request not taken", e);
        }
    }

    private static SocketChannel connect(Path directory) {
        try (NativeFile opened = NativeFile.openDirectory(directory)) {
            final Path path = SocketFile.entry(opened, Protocol.SOCKET_NAME);
            if (!SocketFile.isSocket(path)) {
                throw new IOException(Protocol.SOCKET_NAME + " in its directory is no socket");
            }
            return SocketChannel.open(UnixDomainSocketAddress.of(path));
        } catch (IOException | StorageException e) {
            final String reason = e instanceof NoSuchFileException
                    ? "there is no " + Protocol.SOCKET_NAME + " in its directory"
                    : e.getMessage();
            throw new ControlException(
                    Protocol.Code.UNREACHABLE,
                    "the store %s is open in another process, which cannot be asked: %s".formatted(directory, reason),
                    e);
        }
    }

    /** The answer, line by line. */
    private static final class Lines {

        private final SocketChannel channel;
        private final Path directory;
        private final Duration silenceMax;
        private final ByteBuffer buffer = ByteBuffer.allocate(Protocol.ANSWER_LINE_BYTES_MAX);

        Lines(SocketChannel channel, Path directory, Duration silenceMax) {
            this.channel = channel;
            this.directory = directory;
            this.silenceMax = silenceMax;
        }

        Reply readInto(Reply reply) throws IOException {
            try (Selector selector = Selector.open()) {
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ);
                boolean more = true;
                while (more) {
                    more = take(next(selector), reply);
                }
                return reply;
            } catch (IllegalArgumentException e) {
                throw new IOException("it said something that is no answer: " + e.getMessage(), e);
            }
        }

        private String next(Selector selector) throws IOException {
            while (true) {
                for (int i = 0; i < buffer.position(); i++) {
                    if (buffer.get(i) == '\n') {
                        final String line = new String(buffer.array(), 0, i, StandardCharsets.US_ASCII);
                        buffer.flip().position(i + 1);
                        buffer.compact();
                        return line;
                    }
                }
                receive(selector);
            }
        }

        private void receive(Selector selector) throws IOException {
            if (!buffer.hasRemaining()) {
                throw new IOException("it sent a line without an end");
            }
            selector.selectedKeys().clear();
            if (selector.select(silenceMax.toMillis()) == 0) {
                throw new IOException("nothing came for %d s; is it stopped?".formatted(silenceMax.toSeconds()));
            }
            if (channel.read(buffer) < 0) {
                throw new IOException("it ended, or closed the store");
            }
        }

        /** False after the last line. */
        private boolean take(String line, Reply reply) {
            final Deque<String> words = new ArrayDeque<>(Words.split(line));
            final String kind = words.removeFirst();
            switch (kind) {
                case Protocol.FACT -> values(words).asMap().forEach(reply::fact);
                case Protocol.ROW -> reply.row(Words.decode(word(words)), values(words));
                case Protocol.PROGRESS -> reply.progress(
                        Long.parseLong(word(words)), Long.parseLong(word(words)), Words.decode(word(words)));
                case Protocol.ALIVE -> {}
                case Protocol.OK -> {
                    return false;
                }
                case Protocol.ERROR -> throw new ControlException(word(words), Words.decode(word(words)));
                default -> throw new IllegalArgumentException("a line begins with '%s'".formatted(kind));
            }
            return true;
        }

        private static String word(Deque<String> words) {
            if (words.isEmpty()) {
                throw new IllegalArgumentException("a word is missing in a line");
            }
            return words.removeFirst();
        }

        private static Values values(Deque<String> words) {
            final Values values = new Values();
            for (String word : words) {
                final int equals = word.indexOf('=');
                if (equals < 0) {
                    throw new IllegalArgumentException("'%s' is not NAME=VALUE".formatted(word));
                }
                values.with(Words.decode(word.substring(0, equals)), Words.decode(word.substring(equals + 1)));
            }
            return values;
        }
    }
}
