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

    /**
     * The name itself, if it names both.
     *
     * @throws IllegalArgumentException when it does not
     */
    static String check(String fullName) {
        if (volumeName(fullName).isEmpty()) {
            throw new IllegalArgumentException("'" + fullName + "' names no volume; write VOLUME@SNAPSHOT");
        }
        if (snapshotName(fullName).isEmpty()) {
            throw new IllegalArgumentException("'" + fullName + "' names no snapshot; write VOLUME@SNAPSHOT");
        }
        return fullName;
    }

    private static int separator(String fullName) {
        int separator = fullName.indexOf(SEPARATOR);
        if (separator < 0) {
            throw new IllegalArgumentException("not the name of a snapshot: '" + fullName + "'; write VOLUME@SNAPSHOT");
        }
        return separator;
    }
}
