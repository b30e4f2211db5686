package org.kvmdb.control;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import org.kvmdb.ffi.NativeFile;

/**
 * The place of a listening socket in the store's directory. Whoever makes it holds the store's lock, so a socket that
 * lies there already is of a process that is dead.
 *
 * <p>The socket is bound within a directory of mode 0700 and gets its mode 0600 there, before it moves to its place: at no
 * moment can another user connect. All paths begin at a descriptor of the store's directory, because the address of a
 * socket has room for 107 bytes only, and because the directory may be renamed.
 */
final class SocketFile implements AutoCloseable {

    private static final String NURSERY_NAME = ".control.new";
    private static final int TYPE_MASK = 0170000;
    private static final int SOCKET_TYPE = 0140000;

    private final NativeFile directory;
    private final ServerSocketChannel channel;
    private final Object identity;

    private SocketFile(NativeFile directory, ServerSocketChannel channel) throws IOException {
        this.directory = directory;
        this.channel = channel;
        this.identity = identityOf(entry(directory, Protocol.SOCKET_NAME));
    }

    /** @throws IOException with a sentence that says what is in the way */
    static SocketFile listenIn(Path storeDirectory) throws IOException {
        final NativeFile directory = NativeFile.openDirectory(storeDirectory);
        ServerSocketChannel channel = null;
        try {
            checkReplaceable(entry(directory, Protocol.SOCKET_NAME), entry(directory, "."));
            channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            bind(channel, directory);
            return new SocketFile(directory, channel);
        } catch (IOException | RuntimeException | Error e) {
            if (channel != null) {
                channel.close();
            }
            directory.close();
            throw e;
        }
    }

    /** Of this process, whatever the length of the directory's own path. */
    static Path entry(NativeFile directory, String name) {
        return Path.of("/proc/self/fd/" + directory.fd(), name);
    }

    static boolean isSocket(Path path) throws IOException {
        final int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & TYPE_MASK) == SOCKET_TYPE;
    }

    /** Only what an earlier process of the store may have left is replaced. */
    private static void checkReplaceable(Path path, Path directory) throws IOException {
        try {
            if (!isSocket(path)) {
                throw new IOException(Protocol.SOCKET_NAME + " is there and is no socket; remove it");
            }
            final UserPrincipal user = Files.getOwner(path, LinkOption.NOFOLLOW_LINKS);
            if (!user.equals(Peers.self()) && !user.equals(Files.getOwner(directory))) {
                throw new IOException(Protocol.SOCKET_NAME + " is there and belongs to " + user + "; remove it");
            }
        } catch (NoSuchFileException e) {
            return;
        }
    }

    private static void bind(ServerSocketChannel channel, NativeFile directory) throws IOException {
        final Path nursery = entry(directory, NURSERY_NAME);
        final Path unborn = nursery.resolve(Protocol.SOCKET_NAME);
        makeNursery(nursery, unborn);
        try {
            channel.bind(UnixDomainSocketAddress.of(unborn));
            Files.setPosixFilePermissions(unborn, PosixFilePermissions.fromString("rw-------"));
            Files.move(unborn, entry(directory, Protocol.SOCKET_NAME), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unborn);
            Files.delete(nursery);
        }
    }

    private static void makeNursery(Path nursery, Path unborn) throws IOException {
        final var mode = PosixFilePermissions.fromString("rwx------");
        try {
            Files.createDirectory(nursery, PosixFilePermissions.asFileAttribute(mode));
        } catch (FileAlreadyExistsException e) {
            // Of a process that was killed just then.
            if (!Files.isDirectory(nursery, LinkOption.NOFOLLOW_LINKS)
                    || !Files.getPosixFilePermissions(nursery, LinkOption.NOFOLLOW_LINKS).equals(mode)
                    || !Files.getOwner(nursery, LinkOption.NOFOLLOW_LINKS).equals(Peers.self())) {
                throw new IOException(NURSERY_NAME + " is there and is not what a store makes; remove it", e);
            }
            Files.deleteIfExists(unborn);
        }
    }

    private static Object identityOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    }

    ServerSocketChannel channel() {
        return channel;
    }

    /** Closes the socket and takes it away, unless something else lies in its place by now. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
            final Path path = entry(directory, Protocol.SOCKET_NAME);
            if (identityOf(path).equals(identity)) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            // Somebody was faster.
            return;
        } finally {
            directory.close();
        }
    }
}
