package org.kvmdb.tools;

import org.kvmdb.control.Reply;

/** The progress bar of an operation, which says itself how much there is to do. */
final class OperationProgress implements Reply.ProgressListener, AutoCloseable {

    private final String task;
    private Progress progress;

    OperationProgress(String task) {
        this.task = task;
    }

    @Override
    public void reached(long done, long total, String unit) {
        if (progress == null) {
            progress = new Progress(task, total, unit);
        }
        progress.total(total);
        progress.reach(done);
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }
}
