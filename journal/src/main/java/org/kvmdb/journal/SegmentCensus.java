package org.kvmdb.journal;

/**
 * The segments that could be cleaned, and what a policy chooses among them by. Ages are in bytes that users appended; a class
 * covers twice the ages of the one before, class 0 is an age that is not known.
 *
 * @param segments full ones that hold something live, nothing stolen, and nothing that was found bad
 * @param liveBytes of each
 * @param ageClasses of each
 * @param deathBytes bytes that died since the journal was opened, by class of their age
 * @param waiting segments that were cleaned and hold map nodes that the next checkpoint writes anew
 * @param clock bytes that users ever appended
 */
public record SegmentCensus(int[] segments, int[] liveBytes, int[] ageClasses, long[] deathBytes, int waiting, long clock) {

    /** How many classes of ages there are. */
    public static final int CLASSES = SegmentAges.CLASSES;

    /** Class of an age in bytes. */
    public static int classOf(long ageBytes) {
        return SegmentAges.classOf(ageBytes);
    }
}
