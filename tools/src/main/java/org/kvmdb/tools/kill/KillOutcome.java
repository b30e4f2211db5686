package org.kvmdb.tools.kill;

import org.kvmdb.tools.kill.KillRecord.Phase;

/**
 * How a cycle went.
 *
 * @param phase what the child was at when it died
 * @param steps of work that it did
 * @param childNanos from its start to its end
 * @param checkNanos for the check
 */
public record KillOutcome(
        KillCycle cycle, Phase phase, Death death, long steps, long childNanos, long checkNanos) {

    /** How the child ended. */
    public enum Death {
        KILLED,
        /** It reached the system call at which it was to die. */
        SYSTEM_CALL,
        /** It had closed the store and ended before the kill. */
        IN_ORDER
    }

    /** What is counted. */
    public String kind() {
        String kind =
                switch (death) {
                    case SYSTEM_CALL -> cycle.systemCall().kind();
                    case IN_ORDER -> "closed in order";
                    case KILLED -> killed();
                };
        return cycle.isCommand() ? "kvmdb command " + kind : kind;
    }

    private String killed() {
        return switch (phase) {
            case STARTING -> "killed before opening";
            case OPENING -> cycle.isCommand() ? "killed in mid-work" : "killed in recovery";
            case WORKING -> cycle.isCommand() ? "killed at its end" : "killed in mid-work";
            case CLOSING, DONE -> "killed in close";
        };
    }
}
