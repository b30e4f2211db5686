package org.kvmdb.control;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.kvmdb.Store;

/**
 * Listens on a store's control socket. One thread does all input and output without blocking, and looks after deadlines;
 * each request runs on a thread of its own. Nothing that comes through the socket ends that thread: what is wrong with a
 * connection ends the connection.
 */
public final class ControlServer implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(ControlServer.class.getName());

    /** How often deadlines are looked at while there are connections. */
    private static final long TICK_MILLIS = 100;

    private final Store store;
    private final Limits limits;
    private final Predicate<SocketChannel> allowed;
    private final Function<String, Operation> operations;
    private final SocketFile file;
    private final Selector selector;
    private final Thread thread;

    /** Of the server's thread. */
    private final List<Connection> connections = new ArrayList<>();

    private volatile boolean closing;
    private boolean closed;

    /** @param operations by name, null for one that there is not */
    ControlServer(
            Store store, Limits limits, Predicate<SocketChannel> allowed, Function<String, Operation> operations)
            throws IOException {
        this.store = store;
        this.limits = limits;
        this.allowed = allowed;
        this.operations = operations;
        this.selector = Selector.open();
        try {
            this.file = SocketFile.listenIn(store.path());
        } catch (IOException | RuntimeException | Error e) {
            selector.close();
            throw e;
        }
        try {
            file.channel().configureBlocking(false);
            file.channel().register(selector, SelectionKey.OP_ACCEPT);
            this.thread = Thread.ofPlatform().daemon().name("kvmdb-control").start(this::serve);
        } catch (IOException | RuntimeException | Error e) {
            selector.close();
            file.close();
            throw e;
        }
    }

    /** Null, and a warning in the log, when there can be no socket: the store does without. */
    public static ControlServer open(Store store) {
        try {
            return new ControlServer(store, Limits.defaults(), ControlServer::isAllowed, Operations::find);
        } catch (IOException | RuntimeException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "no control socket, the kvmdb command will not reach the store %s while it is open: %s"
                            .formatted(store.path(), e.getMessage()));
            return null;
        }
    }

    private static boolean isAllowed(SocketChannel peer) {
        try {
            return Peers.isAllowed(Peers.of(peer), Peers.self());
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "cannot tell who connected", e);
            return false;
        }
    }

    // ---- the server's thread ----

    private void serve() {
        while (!closing) {
            turn();
        }
        connections.forEach(Connection::interrupt);
    }

    private void turn() {
        try {
            selector.select(this::ready, connections.isEmpty() ? 0 : TICK_MILLIS);
            final long nowNanos = System.nanoTime();
            connections.forEach(connection -> connection.tick(nowNanos));
            connections.removeIf(Connection::isOver);
        } catch (IOException | RuntimeException | Error e) {
            pauseAfter(e);
        }
    }

    /** Of what is not one connection's fault, such as too many open files: not again and again at full speed. */
    private void pauseAfter(Throwable failure) {
        LOG.log(System.Logger.Level.WARNING, "control socket of " + store.path() + ": " + failure, failure);
        try {
            TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "interrupted", e);
        }
    }

    private void ready(SelectionKey key) {
        if (key.attachment() instanceof Connection connection) {
            connection.ready();
            return;
        }
        try {
            final SocketChannel channel = file.channel().accept();
            if (channel != null) {
                welcome(channel);
            }
        } catch (IOException e) {
            pauseAfter(e);
        }
    }

    private void welcome(SocketChannel channel) throws IOException {
        try {
            channel.configureBlocking(false);
            final SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            final Connection connection = new Connection(store, operations, channel, key, limits);
            key.attach(connection);
            if (!allowed.test(channel)) {
                connection.refuse(Protocol.Code.DENIED, "only the user that runs the store's process may talk to it");
            } else if (connections.size() >= limits.connectionsMax()) {
                connection.refuse(Protocol.Code.TOO_MANY, "too many requests at a time: try again later");
            } else {
                connections.add(connection);
            }
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    // ---- life ----

    /**
     * Takes the socket away and ends all connections. Does not wait for operations that run: they see that their answer
     * is cancelled, and their client is told. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        closing = true;
        selector.wakeup();
        awaitThread();
        try (selector) {
            file.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "control socket of " + store.path() + ": " + e, e);
        }
    }

    /** It never blocks. */
    private void awaitThread() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
