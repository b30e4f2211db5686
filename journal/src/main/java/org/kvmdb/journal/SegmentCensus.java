package org.kvmdb.journal;

/**
 * The segments that could be cleaned, with the figures by which a policy chooses among them. Ages are in bytes that
 * users appended. A class covers twice the range of the one before; class 0 is an unknown age.
 *
 * @param segments full segments with live blocks, but without stolen ones and without any found bad
 * @param liveBytes live bytes of each segment
 * @param ageClasses age class of each segment
 * @param deathBytes bytes that died since the journal was opened, by age class
 * @param waiting cleaned segments with map nodes that the next checkpoint writes anew
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
