package org.kvmdb.control;

/**
 * Where an operation puts what it found out. Belongs to the thread that runs the operation. What is put into an answer
 * whose client has gone is dropped.
 */
public interface Answer {

    /** A value of which there is one; a null value is left out. */
    void fact(String name, Object value);

    /** One of several of a kind. */
    void row(String table, Values values);

    /** How far the operation has come; as often as one likes. */
    void progress(long done, long total, String unit);

    /** Whether nobody waits for the answer any more. Operations that last look at it often, and return early. */
    boolean isCancelled();
}
