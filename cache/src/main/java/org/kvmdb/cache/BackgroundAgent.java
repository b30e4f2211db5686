package org.kvmdb.cache;

import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.IdleStrategy;

/** Runs an agent on a daemon thread of its own, from construction until close. */
public final class BackgroundAgent implements AutoCloseable {

    private final AgentRunner runner;

    /** As it was made: the runner knows it only once it runs. */
    private final Thread thread;

    /**
     * @param idle between two pieces of work
     * @param errors is told whatever the agent throws, errors of the virtual machine included; the agent goes on
     */
    public BackgroundAgent(Agent agent, IdleStrategy idle, ErrorHandler errors) {
        final ErrorHandler enduring = failure -> tell(errors, failure);
        runner = new AgentRunner(idle, enduring, null, new Enduring(agent, enduring));
        thread = AgentRunner.startOnThread(runner, work -> Thread.ofPlatform().daemon().unstarted(work));
    }

    private static void tell(ErrorHandler errors, Throwable failure) {
        try {
            errors.onError(failure);
        } catch (Error e) {
            // There is no memory to tell of it either. The agent goes on all the same.
        }
    }

    /** Ends the thread: interrupted first, it need not sleep to the end. */
    @Override
    public void close() {
        thread.interrupt();
        runner.close();
    }

    /**
     * Goes on after an error of the virtual machine, above all that it had no memory for a moment. The runner would report the error
     * and end the agent, and the store would go on without: what an error leaves unfinished, the journal has marked as failed.
     */
    private record Enduring(Agent agent, ErrorHandler errors) implements Agent {

        @Override
        public int doWork() throws Exception {
            try {
                return agent.doWork();
            } catch (Error e) {
                errors.onError(e);
                return 0;
            }
        }

        @Override
        public String roleName() {
            return agent.roleName();
        }
    }
}
