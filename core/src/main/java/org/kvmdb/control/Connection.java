package org.kvmdb.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.kvmdb.Store;
import org.kvmdb.StoreException;

/**
 * One client of a control server: a request comes in, an answer goes out, and that is all. The server's thread reads and
 * writes; the request's thread runs the operation and queues lines.
 *
 * <pre>
 *   READING --- a whole request ---> RUNNING --- operation done, answer taken in ---> closed
 *      |                                |
 *      +--- refuse: error, at once --->-+--- abandon: client gone or too slow ------> closed
 * </pre>
 *
 * <p>It counts as a connection until its operation is done, also when the client has long gone.
 */
final class Connection implements Answer {

    private static final System.Logger LOG = System.getLogger(Connection.class.getName());

    static final int QUEUED_BYTES_MAX = 256 << 10;
    private static final int MESSAGE_LENGTH_MAX = 4096;
    private static final long PROGRESS_PERIOD_NANOS = 100_000_000;

    private static final Pattern WORD_END = Pattern.compile("(?<=[a-z])(?=[A-Z])");

    private static final ThreadFactory THREADS =
            Thread.ofPlatform().daemon().name("kvmdb-request-", 0).factory();

    private final Store store;
    private final Function<String, Operation> operations;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final Limits limits;

    // Of the server's thread.

    private final ByteBuffer request = ByteBuffer.allocate(Protocol.REQUEST_BYTES_MAX);
    private final long beginNanos = System.nanoTime();
    private long lastWriteNanos = beginNanos;
    private boolean running;

    // Of the request's thread.

    private long lastProgressNanos = beginNanos - PROGRESS_PERIOD_NANOS;

    // Of both, with this object's lock.

    private final Deque<ByteBuffer> queue = new ArrayDeque<>();
    private int queuedBytes;
    private boolean cancelled;

    /** Nothing is taken into the queue any more, and the selector not touched: it may be closed. */
    private boolean abandoned;

    private boolean finished;

    Connection(
            Store store,
            Function<String, Operation> operations,
            SocketChannel channel,
            SelectionKey key,
            Limits limits) {
        this.store = store;
        this.operations = operations;
        this.channel = channel;
        this.key = key;
        this.limits = limits;
    }

    // ---- the server's thread: requests ----

    /** Something came in; what can go out does in the next tick. */
    void ready() {
        try {
            if (key.isValid() && key.isReadable()) {
                if (running) {
                    receiveWhileRunning();
                } else {
                    receive();
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a client of the control socket went away", e);
            abandon();
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "a request could not be started", e);
            refuse(Protocol.Code.INTERNAL, "the request could not be started: " + e);
        }
    }

    private void receive() throws IOException {
        final int from = request.position();
        if (channel.read(request) < 0) {
            refuse(Protocol.Code.GARBAGE, "the request has no end");
            return;
        }
        for (int i = from; i < request.position(); i++) {
            final byte b = request.get(i);
            if (b == '\n') {
                receive(i);
                return;
            }
            if (b != ' ' && !Words.isPrintable(b)) {
                refuse(Protocol.Code.GARBAGE, "byte %d of the request is none of its characters".formatted(i));
                return;
            }
        }
        if (!request.hasRemaining()) {
            refuse(Protocol.Code.GARBAGE, "a request has at most %d bytes".formatted(Protocol.REQUEST_BYTES_MAX));
        }
    }

    private void receive(int lengthBytes) {
        if (request.position() != lengthBytes + 1) {
            refuse(Protocol.Code.GARBAGE, "there is something after the request");
            return;
        }
        final List<String> words =
                Words.split(new String(request.array(), 0, lengthBytes, StandardCharsets.US_ASCII));
        if (words.size() < 2 || !words.getFirst().startsWith(Protocol.NAME)) {
            refuse(Protocol.Code.GARBAGE, "a request is: %s COMMAND ARGUMENT...".formatted(Protocol.VERSION));
            return;
        }
        if (!words.getFirst().equals(Protocol.VERSION)) {
            refuse(Protocol.Code.VERSION, "the store's process speaks %s".formatted(Protocol.VERSION));
            return;
        }
        start(words);
    }

    private void start(List<String> words) {
        final Operation operation = operations.apply(words.get(1));
        if (operation == null) {
            refuse(Protocol.Code.UNKNOWN_OPERATION, "the store's process does not know '%s'".formatted(words.get(1)));
            return;
        }
        final List<String> arguments;
        try {
            arguments = Words.decodeAll(words.subList(2, words.size()));
        } catch (IllegalArgumentException e) {
            refuse(Protocol.Code.GARBAGE, "an argument is not encoded as it should be: " + e.getMessage());
            return;
        }
        THREADS.newThread(() -> run(operation, arguments)).start();
        running = true;
    }

    /** The end of the input says that the client does not wait any more, or only that it asks nothing more. */
    private void receiveWhileRunning() throws IOException {
        if (channel.read(ByteBuffer.allocate(1)) < 0) {
            key.interestOpsAnd(~SelectionKey.OP_READ);
            cancel();
        } else {
            abandon();
        }
    }

    private synchronized void cancel() {
        cancelled = true;
    }

    // ---- the server's thread: answers ----

    /** Sends what there is to be sent, and looks at the clock. */
    void tick(long nowNanos) {
        if (!channel.isOpen()) {
            return;
        }
        if (!running) {
            if (nowNanos - beginNanos > limits.requestDeadline().toNanos()) {
                refuse(Protocol.Code.TIMEOUT, "the request took too long to arrive");
            }
            return;
        }
        try {
            send(nowNanos);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a client of the control socket went away", e);
            abandon();
        }
    }

    private synchronized void send(long nowNanos) throws IOException {
        if (queue.isEmpty() && !finished && nowNanos - lastWriteNanos > limits.alivePeriod().toNanos()) {
            enqueue(Protocol.ALIVE);
        }
        if (write()) {
            lastWriteNanos = nowNanos;
        }
        if (queue.isEmpty() && finished) {
            abandon();
        } else if (queue.isEmpty()) {
            key.interestOpsAnd(~SelectionKey.OP_WRITE);
        } else if (nowNanos - lastWriteNanos > limits.writeDeadline().toNanos()) {
            abandon();
        } else {
            key.interestOpsOr(SelectionKey.OP_WRITE);
        }
    }

    /** As much as goes without waiting; false when nothing did. */
    private synchronized boolean write() throws IOException {
        final int before = queuedBytes;
        while (!queue.isEmpty()) {
            queuedBytes -= channel.write(queue.getFirst());
            if (queue.getFirst().hasRemaining()) {
                break;
            }
            queue.removeFirst();
        }
        notifyAll();
        return queuedBytes < before;
    }

    private synchronized void abandon() {
        cancelled = true;
        abandoned = true;
        queue.clear();
        queuedBytes = 0;
        notifyAll();
        try {
            channel.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing a connection failed", e);
        }
    }

    /** An error that needs no operation, and the end. */
    synchronized void refuse(String code, String message) {
        enqueue(error(code, message));
        try {
            write();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a client of the control socket went away", e);
        }
        abandon();
    }

    /** The server ends. */
    synchronized void interrupt() {
        if (!channel.isOpen()) {
            return;
        }
        if (!running) {
            refuse(Protocol.Code.CLOSING, "the store is being closed");
        } else if (!finished) {
            refuse(Protocol.Code.INTERRUPTED, "the store was closed before the operation had ended");
        } else {
            try {
                write();
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "a client of the control socket went away", e);
            }
            abandon();
        }
    }

    synchronized boolean isOver() {
        return !channel.isOpen() && (!running || finished);
    }

    // ---- the request's thread ----

    private void run(Operation operation, List<String> arguments) {
        String last = Protocol.ERROR + " " + Protocol.Code.INTERNAL;
        try {
            last = outcome(operation, arguments);
        } finally {
            finish(last);
        }
    }

    private String outcome(Operation operation, List<String> arguments) {
        try {
            operation.run(store, arguments, this);
            return Protocol.OK;
        } catch (StoreException e) {
            return error(codeOf(e), e.getMessage());
        } catch (ControlException e) {
            return error(e.code(), e.getMessage());
        } catch (IllegalArgumentException e) {
            return error(Protocol.Code.ARGUMENTS, String.valueOf(e.getMessage()));
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.WARNING, "a request on the control socket failed", e);
            return error(Protocol.Code.INTERNAL, "the store's process failed unexpectedly: " + e);
        }
    }

    /** Its type, as constants are written: STORE_FULL of a StoreFullException. */
    static String codeOf(StoreException failure) {
        final String type = failure.getClass().getSimpleName().replaceFirst("Exception$", "");
        return WORD_END.matcher(type).replaceAll("_").toUpperCase(Locale.ROOT);
    }

    private static String error(String code, String message) {
        final String shown = message.substring(0, Math.min(message.length(), MESSAGE_LENGTH_MAX));
        return Protocol.ERROR + " " + code + " " + Words.encode(shown);
    }

    private synchronized void finish(String last) {
        finished = true;
        enqueue(last);
        wake();
    }

    @Override
    public void fact(String name, Object value) {
        if (value != null) {
            put(Protocol.FACT + " " + Words.encode(name) + "=" + Words.encode(value.toString()));
        }
    }

    @Override
    public void row(String table, Values values) {
        final StringBuilder line = new StringBuilder(Protocol.ROW).append(' ').append(Words.encode(table));
        values.asMap().forEach((name, value) -> line.append(' ')
                .append(Words.encode(name))
                .append('=')
                .append(Words.encode(value)));
        put(line.toString());
    }

    @Override
    public void progress(long done, long total, String unit) {
        final long nowNanos = System.nanoTime();
        if (done >= total || nowNanos - lastProgressNanos >= PROGRESS_PERIOD_NANOS) {
            lastProgressNanos = nowNanos;
            putIfIdle("%s %d %d %s".formatted(Protocol.PROGRESS, done, total, Words.encode(unit)));
        }
    }

    @Override
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** Waits while the client is behind. */
    private synchronized void put(String line) {
        if (line.length() >= Protocol.ANSWER_LINE_BYTES_MAX) {
            throw new IllegalStateException("a line of an answer is too long: " + line.length());
        }
        boolean interrupted = false;
        while (queuedBytes > QUEUED_BYTES_MAX && !abandoned) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (queue.isEmpty()) {
            wake();
        }
        enqueue(line);
    }

    /** What the next one makes out of date must not keep the operation waiting. */
    private synchronized void putIfIdle(String line) {
        if (queue.isEmpty()) {
            put(line);
        }
    }

    private synchronized void enqueue(String line) {
        if (!abandoned) {
            final ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII));
            queue.add(bytes);
            queuedBytes += bytes.remaining();
        }
    }

    private synchronized void wake() {
        if (!abandoned) {
            key.selector().wakeup();
        }
    }
}
