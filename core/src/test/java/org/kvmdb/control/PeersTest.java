package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeersTest {

    private static UserPrincipal user(int uid) throws IOException {
        return FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(Integer.toString(uid));
    }

    @Test
    void shouldAllowTheSameUserAndRootAlone() throws IOException {
        final UserPrincipal self = user(54321);
        assertTrue(Peers.isAllowed(user(54321), self));
        assertTrue(Peers.isAllowed(user(0), self));
        assertFalse(Peers.isAllowed(user(54322), self));
        assertFalse(Peers.isAllowed(user(54321), user(0)));
    }

    @Test
    void shouldKnowWhoConnected(@TempDir Path directory) throws IOException {
        final UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            try (SocketChannel client = SocketChannel.open(address);
                    SocketChannel accepted = server.accept()) {
                assertEquals(Peers.self(), Peers.of(accepted));
                assertEquals(Peers.self(), Peers.of(client));
            }
        }
    }
}
