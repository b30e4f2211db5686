package org.kvmdb.gc;

import org.kvmdb.journal.MoveStatistics;

/**
 * How the cleaner does.
 *
 * @param moves what it moved since the store was opened
 * @param freeTargetSegments free segments that it keeps at least, those that the next checkpoint frees counted
 * @param waitedNanos how long commits waited for it
 */
public record CleanerStatistics(MoveStatistics moves, int freeTargetSegments, long waitedNanos) {}
