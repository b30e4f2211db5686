package org.kvmdb;

/** A read or write scope of a {@link Volume}. */
public interface Scope extends AutoCloseable {

    /**
     * Ends the scope.
     *
     * @throws CorruptPageException when a page was bad while the scope was open
     * @throws StoreFullException when a page could not be written while the scope was open, for lack of space
     */
    @Override
    void close();
}
