package org.kvmdb.crashtest;

import org.kvmdb.Store;
import org.kvmdb.StoreOptions;

/**
 * Something that works on a store, and can crash at any moment. For the kills it must be a public class with a public
 * constructor without parameters. One object may be used for several runs, also at the same time: what belongs to a run
 * is kept in the methods, or in the store.
 */
public interface CrashWorkload {

    /**
     * How the store is created and opened. The default is as small as it can be, so that corners are near and a state is
     * checked in milliseconds.
     */
    default StoreOptions options() {
        return StoreOptions.defaults()
                .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                .withSegmentSizeBytes(256 << 10)
                .withControlSocket(false)
                .withCountersFile(false);
    }

    /**
     * Makes the volumes of a new store, and what else there is to begin with. Nothing crashes before it has returned and
     * the store was closed.
     */
    void create(Store store, CrashContext context) throws Exception;

    /**
     * Works on the store while {@link CrashContext#next} says so, in one thread or several, and says in the context what
     * it issues and what was acknowledged. It begins where the content of the store says that an earlier run ended, be it
     * by a crash.
     *
     * <p>What it throws while no device fails is a finding. While one does it may end with any exception.
     */
    void run(Store store, CrashContext context) throws Exception;
}
