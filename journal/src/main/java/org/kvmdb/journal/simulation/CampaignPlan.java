package org.kvmdb.journal.simulation;

import java.nio.file.Path;
import java.util.Map;

/**
 * How much of a campaign is to be run.
 *
 * @param scale how much
 * @param seed of everything that is random: the same one gives the same cases, in the same order
 * @param threads how many may run at a time; which cases there are does not depend on it
 * @param directory an empty one, for files; whoever runs the campaign deletes it
 * @param options settings of this campaign that narrow it, above all to repeat one case; by name, mostly none
 * @param progress is told of it
 */
public record CampaignPlan(
        Scale scale, long seed, int threads, Path directory, Map<String, String> options, Progress progress) {

    /** How much of it. */
    public enum Scale {
        /** Seconds: that it runs at all. */
        SMOKE,
        /** A part of {@code mvn verify}, a minute or so. */
        VERIFY,
        /** Everything, as before a release. */
        RELEASE
    }

    /** Hears how far a campaign is. Called by any thread of it, some times a second at most. */
    public interface Progress {
        /** @param expected how many cases there will be; 0 while that is not known */
        void at(long done, long expected);
    }

    /** One of three numbers. */
    public int size(int smoke, int verify, int release) {
        return switch (scale) {
            case SMOKE -> smoke;
            case VERIFY -> verify;
            case RELEASE -> release;
        };
    }
}
