package org.kvmdb.ffi;

import java.util.concurrent.ThreadFactory;

/** What the kernel is told of threads. */
public final class NativeThread {

    private NativeThread() {}

    /** Threads of that factory that let others go first where processors are short; see thread_share.h. */
    public static ThreadFactory givingWay(ThreadFactory threads) {
        return task -> threads.newThread(() -> {
            ShimLibrary.shim().kvmdb_thread_give_way();
            task.run();
        });
    }
}
