package org.kvmdb.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.kvmdb.ffi.StorageException;

/** Write scopes and write pins are kept out of some regions together, until it is closed. Under the write-back lock. */
final class Exclusion implements AutoCloseable {

    private final Scopes.Gate gate;
    private final List<Region> regions;
    /** Of the regions; made before they are closed, since opening them must not fail for want of memory. */
    private final List<Scopes> scopes;

    /** @param onPinned is told which regions have a write pin that stays, or a scope that nobody will close; they are left out */
    Exclusion(Scopes.Gate gate, List<Region> wanted, BiConsumer<Region, StorageException> onPinned) {
        this.gate = gate;
        regions = new ArrayList<>(wanted);
        List<Scopes> all;
        do {
            regions.removeIf(region -> {
                try {
                    region.scopes().checkNotAbandoned();
                    region.scopes().awaitNoWritePins();
                    return false;
                } catch (StorageException e) {
                    onPinned.accept(region, e);
                    return true;
                }
            });
            all = regions.stream().map(Region::scopes).toList();
        } while (!Scopes.tryLock(gate, all));
        scopes = all;
    }

    List<Region> regions() {
        return regions;
    }

    @Override
    public void close() {
        Scopes.unlock(gate, scopes);
    }
}
