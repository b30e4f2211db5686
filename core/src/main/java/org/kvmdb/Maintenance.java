package org.kvmdb;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.kvmdb.journal.Journal;

/** Checkpoints that are due, the seal of an idle log, the next segment: what a journal needs done beside the commits. */
final class Maintenance implements Agent, AutoCloseable {

    private static final long PERIOD_MILLIS = 50;

    private final Journal journal;
    private final AgentRunner runner;

    /** As it was made: the runner knows it only once it runs. */
    private final Thread thread;

    Maintenance(Journal journal) {
        this.journal = journal;
        this.runner = new AgentRunner(new SleepingMillisIdleStrategy(PERIOD_MILLIS), Maintenance::report, null, this);
        this.thread = AgentRunner.startOnThread(runner, r -> Thread.ofPlatform().daemon().unstarted(r));
    }

    /** A journal that failed says so to whoever commits next; here it must only not end the agent. */
    private static void report(Throwable failure) {
        System.getLogger(Maintenance.class.getName()).log(System.Logger.Level.DEBUG, "maintenance failed", failure);
    }

    @Override
    public int doWork() {
        if (journal.checkpointIsDue()) {
            journal.checkpoint();
        }
        journal.sealIfIdle();
        journal.prepareNextSegment();
        return 0;
    }

    @Override
    public String roleName() {
        return "kvmdb-maintenance";
    }

    @Override
    public void close() {
        // Interrupted first: it need not sleep to the end.
        thread.interrupt();
        runner.close();
    }
}
