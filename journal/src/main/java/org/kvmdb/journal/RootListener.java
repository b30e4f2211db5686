package org.kvmdb.journal;

/** Called when the root node of a volume's map is replaced; under the append lock, before the old root is reused. */
@FunctionalInterface
public interface RootListener {
    void rootChanged(int volumeId, int nodeIndex);
}
