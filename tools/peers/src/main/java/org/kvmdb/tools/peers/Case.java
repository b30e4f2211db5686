package org.kvmdb.tools.peers;

/**
 * One thing that a work measures, of each system.
 *
 * @param name stable, for scripts; begins with the work's name
 * @param moreIsBetter for rates; false for times and sizes
 */
record Case(String name, String what, String unit, boolean moreIsBetter) {

    static Case rate(String name, String what, String unit) {
        return new Case(name, what, unit, true);
    }

    static Case cost(String name, String what, String unit) {
        return new Case(name, what, unit, false);
    }

    /** How many times better: a speed, whatever the unit is. */
    double advantage(double ours, double theirs) {
        return moreIsBetter ? ours / theirs : theirs / ours;
    }
}
