package org.kvmdb.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;

/** Who may talk to a store's process: its own user, and root, who could do anything to it anyway. */
final class Peers {

    private static final String ROOT_UID = "0";

    private Peers() {}

    /** The effective user of this process, as the kernel says. */
    static UserPrincipal self() throws IOException {
        return Files.getOwner(Path.of("/proc/self"));
    }

    /** Who connected; the kernel noted it at that moment. */
    static UserPrincipal of(SocketChannel channel) throws IOException {
        return channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    }

    static boolean isAllowed(UserPrincipal peer, UserPrincipal self) throws IOException {
        return peer.equals(self)
                || peer.equals(FileSystems.getDefault()
                        .getUserPrincipalLookupService()
                        .lookupPrincipalByName(ROOT_UID));
    }
}
