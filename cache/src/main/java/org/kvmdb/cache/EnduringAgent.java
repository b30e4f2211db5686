package org.kvmdb.cache;

import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;

/**
 * An agent that goes on after an error of the virtual machine, above all that it had no memory for a moment. Its runner would report
 * the error and end it, and the store would go on without: what an error leaves unfinished, the journal has marked as failed.
 */
public record EnduringAgent(Agent agent, ErrorHandler errors) implements Agent {

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
