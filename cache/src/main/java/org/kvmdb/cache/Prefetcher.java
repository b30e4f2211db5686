package org.kvmdb.cache;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.Agent;

/**
 * Brings requested ranges into memory, in order, one piece at a time. Drops requests, which are hints, when too many
 * wait.
 */
final class Prefetcher implements Agent {

    private static final int REQUESTS_MAX = 256;
    private static final long PIECE_PAGES = 64;
    private static final long WAIT_MILLIS = 50;

    private record Request(Region region, long lpn, long pages) {}

    private final BlockingQueue<Request> requests = new ArrayBlockingQueue<>(REQUESTS_MAX);

    void request(Region region, long lpn, long pages) {
        requests.offer(new Request(region, lpn, pages));
    }

    @Override
    public int doWork() throws InterruptedException {
        final Request request = requests.poll(WAIT_MILLIS, TimeUnit.MILLISECONDS);
        if (request == null) {
            return 0;
        }
        for (long done = 0; done < request.pages; done += PIECE_PAGES) {
            request.region.prefetchPages(request.lpn + done, Math.min(PIECE_PAGES, request.pages - done));
        }
        return 1;
    }

    @Override
    public String roleName() {
        return "kvmdb-prefetcher";
    }
}
