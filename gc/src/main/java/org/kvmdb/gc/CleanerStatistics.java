package org.kvmdb.gc;

import org.kvmdb.journal.MoveStatistics;

/**
 * Statistics of the cleaner.
 *
 * @param moves blocks moved since the store was opened
 * @param freeTargetSegments least number of free segments that it maintains, including those that the next checkpoint
 *     frees
 * @param waitedNanos total time that commits waited for it
 */
public record CleanerStatistics(MoveStatistics moves, int freeTargetSegments, long waitedNanos) {}
