package org.kvmdb.tools.peers;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.h2.mvstore.MVStore;
import org.kvmdb.tools.Machine;
import org.lmdbjava.Env;

/** The systems that are compared. Their names are stable, for scripts. */
enum PeerSystem {
    KVMDB(Role.OURS, "this store, its pages as memory", KvmPeer::asMemory),
    KVMDB_CALLS(Role.OURS, "this store, its pages read by calls", KvmPeer::byCalls),
    LMDB(Role.PEER, "LMDB by lmdbjava", LmdbPeer::new),
    ROCKSDB(Role.PEER, "RocksDB by rocksdbjni", RocksPeer::new),
    H2(Role.PEER, "H2 MVStore", H2Peer::new),
    MMAP(Role.PLAIN, "a mapped file and force()", MmapPeer::new),
    FILE(Role.PLAIN, "pread, pwrite and fdatasync of a file", FilePeer::new),
    RAW(Role.FLOOR, "plain memory", RawPeer::new),
    BUFFERPOOL(Role.FLOOR, "a hash-table buffer pool: pin, read, unpin", BufferPoolPeer::new);

    enum Role {
        /** This store: never what it is compared with. */
        OURS,
        /** A store with atomic, durable commits. */
        PEER,
        /** Files: a peer where things are read; a floor where things are written, since nothing is atomic. */
        PLAIN,
        /** Not a store at all. */
        FLOOR
    }

    private interface Opening {
        Peer open(PeerSetup setup) throws IOException;
    }

    private final Role role;
    private final String what;
    private final Opening opening;

    PeerSystem(Role role, String what, Opening opening) {
        this.role = role;
        this.what = what;
        this.opening = opening;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static PeerSystem of(String label) {
        return valueOf(label.replace('-', '_').toUpperCase(Locale.ROOT));
    }

    Role role() {
        return role;
    }

    boolean isOurs() {
        return role == Role.OURS;
    }

    String what() {
        return what;
    }

    Peer open(PeerSetup setup) throws IOException {
        return opening.open(setup);
    }

    /** Whose files it reads: mapped files are made by plain writes, see docs/peers.md. */
    PeerSystem owner() {
        return switch (this) {
            case KVMDB_CALLS -> KVMDB;
            case MMAP -> FILE;
            default -> this;
        };
    }

    /** Of the JVM: its heap is part of the limit. Only H2 caches on it. */
    long heapBytes(long limitBytes) {
        return this == H2 ? limitBytes / 2 : Math.max(limitBytes / 8, 32 << 20);
    }

    List<String> flags() {
        return this == LMDB
                ? List.of("--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
                : List.of();
    }

    /** Of the library, from its jar; empty for what is part of the JDK. */
    String version() {
        return switch (this) {
            case KVMDB, KVMDB_CALLS -> Machine.version();
            case LMDB -> implementationVersion(Env.class);
            case H2 -> implementationVersion(MVStore.class);
            case ROCKSDB -> RocksPeer.version();
            default -> "";
        };
    }

    private static String implementationVersion(Class<?> type) {
        String version = type.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }

    @Override
    public String toString() {
        return label();
    }
}
