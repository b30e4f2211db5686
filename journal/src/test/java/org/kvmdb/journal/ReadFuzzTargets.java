package org.kvmdb.journal;

/** Targets that open a store without writing to it, each with lies in one kind of its structures. */
final class ReadFuzzTargets {

    private ReadFuzzTargets() {}

    private abstract static class ReadOnly extends StoreFuzzTarget {
        ReadOnly(String name, String... kinds) {
            super(name, kinds);
        }

        @Override
        public final String valid() {
            return "read";
        }

        @Override
        final JournalOptions options() {
            return FuzzImages.OPTIONS.withReadOnly(true);
        }
    }

    /** Copies of the superblock. */
    public static final class SuperblockTarget extends ReadOnly {
        public SuperblockTarget() {
            super("superblock", ForgedStore.SUPERBLOCK);
        }
    }

    /** Batches and records of the log, and blocks. */
    public static final class LogTarget extends ReadOnly {
        public LogTarget() {
            super("log", ForgedStore.BATCH, ForgedStore.BLOCK);
        }
    }

    /** Metadata root, catalog, segment table, remaps. */
    public static final class MetadataTarget extends ReadOnly {
        public MetadataTarget() {
            super("metadata", "root/", "catalog/");
        }
    }

    /** Map nodes. */
    public static final class NodesTarget extends ReadOnly {
        public NodesTarget() {
            super("nodes", ForgedStore.NODE);
        }
    }
}
