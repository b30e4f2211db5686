package org.kvmdb.tools;

/** Snapshots as the command line writes them: {@code VOLUME@SNAPSHOT}. */
final class SnapshotNames {

    private static final char SEPARATOR = '@';

    private SnapshotNames() {}

    static boolean isSnapshot(String name) {
        return name.indexOf(SEPARATOR) >= 0;
    }

    /** The part before the separator. */
    static String volumeName(String fullName) {
        return fullName.substring(0, separator(fullName));
    }

    /** The part behind the separator. */
    static String snapshotName(String fullName) {
        return fullName.substring(separator(fullName) + 1);
    }

    private static int separator(String fullName) {
        int separator = fullName.indexOf(SEPARATOR);
        if (separator < 0) {
            throw new IllegalArgumentException("not the name of a snapshot: '" + fullName + "'; write VOLUME@SNAPSHOT");
        }
        return separator;
    }
}
