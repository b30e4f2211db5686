package org.kvmdb.journal;

import java.util.List;
import java.util.SplittableRandom;

/** Steps by chance, of everything that can be done to a store, and always possible ones. */
final class RandomSteps {

    private static final int VOLUMES_MAX = 5;

    private final Workload work;
    private final SplittableRandom random;
    /** Steps touch every so many-th page, and volumes are that much larger. */
    private final long stride;

    private int names;

    RandomSteps(Workload work, SplittableRandom random, long stride) {
        this.work = work;
        this.random = random;
        this.stride = stride;
    }

    Step next() {
        Step step;
        do {
            step = any();
        } while (!step.isPossible(work));
        return step;
    }

    private String newName(String prefix) {
        return prefix + ++names;
    }

    private Step any() {
        final List<String> volumes = work.volumes();
        final int choice = volumes.isEmpty() ? 200 : random.nextInt(127);
        if (choice >= 127 || choice >= 93 && choice < 100 && volumes.size() < 3) {
            return Step.of(
                    Step.Verb.CREATE, newName("v"), 4096L * stride * (1 + random.nextInt(60)), 12 + random.nextInt(2));
        }
        final String name = volumes.get(random.nextInt(volumes.size()));
        if (choice < 6) {
            return Step.of(Step.Verb.CHECKPOINT);
        } else if (choice < 10) {
            return Step.of(Step.Verb.RESIZE, name, 4096L * stride * random.nextInt(80));
        } else if (choice < 12) {
            return Step.of(Step.Verb.DELETE, name);
        } else if (choice < 15) {
            return Step.of(Step.Verb.CLOSE);
        } else if (choice < 17) {
            return Step.of(Step.Verb.KILL);
        } else if (choice < 20) {
            return Step.of(Step.Verb.SYNC);
        } else if (choice < 22) {
            return Step.of(Step.Verb.DROP_STOLEN);
        } else if (choice < 25) {
            return Step.of(choice == 22 ? Step.Verb.OFFER_DICTIONARY : Step.Verb.PREPARE);
        } else if (choice < 29) {
            return Step.of(Step.Verb.CLEAN, 1 + random.nextInt(4));
        } else if (choice >= 125) {
            return choice == 125
                    ? Step.of(Step.Verb.QUOTA, name, 4096L * random.nextInt(200))
                    : Step.of(Step.Verb.PUNCH, 1 + random.nextInt(3));
        } else if (choice >= 100) {
            return versionStep(name, choice);
        }
        return work.pageCount(name) > 0 ? pagesStep(name, choice) : Step.of(Step.Verb.SYNC);
    }

    private Step versionStep(String volume, int choice) {
        final List<String> snapshots = work.snapshots();
        if (choice < 107 || snapshots.isEmpty()) {
            return Step.of(Step.Verb.SNAPSHOT, volume, newName("s"));
        }
        final String snapshot = snapshots.get(random.nextInt(snapshots.size()));
        final boolean isFull = work.volumes().size() >= VOLUMES_MAX;
        if (choice < 111) {
            return isFull ? Step.of(Step.Verb.SYNC)
                    : choice < 110
                            ? Step.of(Step.Verb.CLONE, snapshot, work.nameFrom(snapshot, newName("c")))
                            : Step.of(Step.Verb.SEND, snapshot, newName("r"));
        } else if (choice < 113) {
            return Step.of(Step.Verb.ROLL_BACK, snapshot);
        } else if (choice < 119) {
            return Step.of(Step.Verb.DELETE_SNAPSHOT, snapshot);
        }
        return Step.of(Step.Verb.DROP, 1 + random.nextInt(20));
    }

    private Step pagesStep(String name, int choice) {
        final boolean synchronous = random.nextInt(4) != 0;
        final int most = random.nextInt(6) == 0 ? 30 : 3;
        final String pages = Step.textOf(random.longs(1 + random.nextInt(most), 0, work.pageCount(name))
                .map(lpn -> lpn / stride * stride)
                .distinct()
                .toArray());
        if (choice < 35) {
            return Step.of(Step.Verb.STEAL, name, pages);
        } else if (choice < 40) {
            return Step.of(Step.Verb.ABANDON, name, pages);
        } else if (choice < 50) {
            return Step.of(synchronous ? Step.Verb.TRIM : Step.Verb.TRIM_ASYNC, name, pages);
        } else if (choice < 55) {
            return Step.of(synchronous ? Step.Verb.COMMIT_STOLEN : Step.Verb.COMMIT_STOLEN_ASYNC);
        } else if (random.nextInt(10) == 0) {
            return Step.of(Step.Verb.PUT_SNAPSHOT, name, pages, newName("s"));
        }
        return Step.of(synchronous ? Step.Verb.PUT : Step.Verb.PUT_ASYNC, name, pages);
    }
}
