package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.kvmdb.ffi.StorageException;

/** Write scopes and write pins are kept out of some regions together, until it is closed. Under the write-back lock. */
final class Exclusion implements AutoCloseable {

    private final Scopes.Gate gate;
    private final List<Region> regions;

    /** @param onPinned is told which regions have a write pin that stays; they are left out */
    Exclusion(Scopes.Gate gate, List<Region> wanted, BiConsumer<Region, StorageException> onPinned) {
        this.gate = gate;
        regions = new ArrayList<>(wanted);
        do {
            regions.removeIf(region -> {
                try {
                    region.scopes().awaitNoWritePins();
                    return false;
                } catch (StorageException e) {
                    onPinned.accept(region, e);
                    return true;
                }
            });
        } while (!Scopes.tryLock(gate, scopes()));
    }

    List<Region> regions() {
        return regions;
    }

    private List<Scopes> scopes() {
        return regions.stream().map(Region::scopes).toList();
    }

    @Override
    public void close() {
        Scopes.unlock(gate, scopes());
    }
}
