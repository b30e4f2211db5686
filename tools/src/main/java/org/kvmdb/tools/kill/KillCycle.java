package org.kvmdb.tools.kill;

import java.util.SplittableRandom;
import org.kvmdb.journal.simulation.CampaignTally;

/**
 * One child and its end, as planned.
 *
 * @param number from 0 on
 * @param seed of all that is random in this cycle
 * @param aim when the child is to die
 * @param systemCall null unless that is the aim
 * @param isCommand whether the child does one thing and is done, instead of opening a store and working on it
 */
public record KillCycle(int number, long seed, Aim aim, SystemCallKill systemCall, boolean isCommand) {

    private static final int ENDURANCE_EVERY = 100;
    private static final int SYSTEM_CALL_EVERY = 4;

    /** When the child is to die. What it was doing when it did is another matter, see {@link KillOutcome}. */
    public enum Aim {
        /** At some moment of its work. */
        WORK,
        /** Between the moment at which it opens the store and the one at which it is ready. */
        RECOVERY,
        /** While it closes the store; or not at all, when it is quicker. */
        CLOSE,
        /** After it was seen to make progress for long. */
        ENDURANCE,
        /** Before or after a chosen system call of the store. */
        SYSTEM_CALL
    }

    /** The plan of a cycle follows from its number and the seed alone. */
    public static KillCycle of(int number, long campaignSeed) {
        long seed = CampaignTally.mix(campaignSeed ^ CampaignTally.mix(number));
        if (number % ENDURANCE_EVERY == ENDURANCE_EVERY / 2) {
            return new KillCycle(number, seed, Aim.ENDURANCE, null, false);
        }
        if (number % SYSTEM_CALL_EVERY == SYSTEM_CALL_EVERY - 1) {
            return new KillCycle(
                    number, seed, Aim.SYSTEM_CALL, SystemCallKill.of(number / SYSTEM_CALL_EVERY, seed), false);
        }
        int dice = new SplittableRandom(seed).nextInt(10);
        return new KillCycle(number, seed, dice < 5 ? Aim.WORK : dice < 9 ? Aim.RECOVERY : Aim.CLOSE, null, false);
    }

    /** For a child that has a store to create. */
    static KillCycle ofCreation(int number, long campaignSeed) {
        long seed = CampaignTally.mix(campaignSeed ^ CampaignTally.mix(number));
        return new SplittableRandom(seed).nextInt(4) == 0
                ? new KillCycle(number, seed, Aim.RECOVERY, null, false)
                : new KillCycle(number, seed, Aim.SYSTEM_CALL, SystemCallKill.anyOf(seed), false);
    }

    /** For a child that does one thing and is killed meanwhile, now and then at a system call. */
    static KillCycle ofCommand(int number, long campaignSeed) {
        long seed = CampaignTally.mix(~campaignSeed ^ CampaignTally.mix(number));
        int dice = new SplittableRandom(seed).nextInt(8);
        if (dice < 4) {
            return new KillCycle(number, seed, Aim.SYSTEM_CALL, SystemCallKill.anyOf(seed), true);
        }
        return new KillCycle(number, seed, dice < 7 ? Aim.RECOVERY : Aim.WORK, null, true);
    }

    /** Lets a child work and end in order. */
    static KillCycle training() {
        return new KillCycle(-1, 0, Aim.CLOSE, null, false);
    }

    boolean isTraining() {
        return number < 0;
    }
}
