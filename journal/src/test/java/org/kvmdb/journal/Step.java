package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * One thing that is done to a store, as text: a verb and its arguments, {@code put a 0-3,7}. What is text can be printed,
 * repeated and made shorter. Snapshots are named {@code volume@snapshot}; pages are numbers and ranges with commas between.
 */
public record Step(Verb verb, List<String> arguments) {

    /** What a step needs to be possible, and what it does. */
    private interface Action {
        void run(Workload work, Step step);
    }

    private interface Condition {
        boolean holds(Workload work, Step step);
    }

    /** What can be done. */
    public enum Verb {
        /** volume, bytes, page shift */
        CREATE(3, (work, step) -> !work.has(step.name()),
                (work, step) -> work.createVolume(step.name(), step.number(1), (int) step.number(2))),
        DELETE(1, (work, step) -> work.has(step.name()) && work.isDeletable(step.name()),
                (work, step) -> work.deleteVolume(step.name())),
        /** volume, bytes */
        RESIZE(2, (work, step) -> work.has(step.name()),
                (work, step) -> work.resizeVolume(step.name(), step.number(1))),
        /** volume, bytes */
        QUOTA(2, (work, step) -> work.has(step.name()),
                (work, step) -> work.quota(step.name(), step.number(1))),
        /** volume, pages */
        PUT(2, Step::hasPages, (work, step) -> work.put(step.name(), true, step.pages(1))),
        PUT_ASYNC(2, Step::hasPages, (work, step) -> work.put(step.name(), false, step.pages(1))),
        /** volume, pages, name of the snapshot that is taken with them */
        PUT_SNAPSHOT(3, (work, step) -> hasPages(work, step) && !work.has(step.name() + '@' + step.argument(2)),
                (work, step) -> work.put(step.name(), true, step.argument(2), step.pages(1))),
        /** volume, pages */
        TRIM(2, Step::hasPages, (work, step) -> work.trim(step.name(), true, step.pages(1))),
        TRIM_ASYNC(2, Step::hasPages, (work, step) -> work.trim(step.name(), false, step.pages(1))),
        STEAL(2, Step::hasPages, (work, step) -> work.steal(step.name(), step.pages(1))),
        COMMIT_STOLEN(0, (work, step) -> work.hasStolen(), (work, step) -> work.putStolen(true)),
        COMMIT_STOLEN_ASYNC(0, (work, step) -> work.hasStolen(), (work, step) -> work.putStolen(false)),
        DROP_STOLEN(0, (work, step) -> work.hasStolen(), (work, step) -> work.rollBackStolen()),
        /** volume, pages */
        ABANDON(2, Step::hasPages, (work, step) -> work.abandon(step.name(), step.pages(1))),
        SYNC(0, (work, step) -> true, (work, step) -> work.sync()),
        CHECKPOINT(0, (work, step) -> true, (work, step) -> work.checkpoint()),
        /** What the next checkpoint makes the store's dictionary. */
        OFFER_DICTIONARY(0, (work, step) -> true, (work, step) -> work.offerDictionary()),
        /** volume, name of the snapshot */
        SNAPSHOT(2, (work, step) -> work.has(step.name()) && !work.has(step.name() + '@' + step.argument(1)),
                (work, step) -> work.snapshot(step.name(), step.argument(1))),
        /** snapshot, volume */
        CLONE(2, (work, step) -> work.has(step.name()) && !work.has(step.argument(1)),
                (work, step) -> work.cloneSnapshot(step.name(), step.argument(1))),
        DELETE_SNAPSHOT(1, (work, step) -> work.has(step.name()) && work.isDeletable(step.name()),
                (work, step) -> work.deleteSnapshot(step.name())),
        /** snapshot, to which its volume goes back */
        ROLL_BACK(1, (work, step) -> work.has(step.name()) && work.has(step.volume()),
                (work, step) -> work.rollbackTo(step.volume(), step.name())),
        /** snapshot, name that is made part of the volume's */
        SEND(2, (work, step) -> work.has(step.name()) && !work.hasReceived(step.name(), step.argument(1)),
                (work, step) -> work.sendAndReceive(step.name(), step.argument(1))),
        /** blocks at most */
        DROP(1, (work, step) -> true, (work, step) -> work.drop((int) step.number(0))),
        DROP_ALL(0, (work, step) -> true, (work, step) -> work.dropAll()),
        /** segments at most */
        CLEAN(1, (work, step) -> true, (work, step) -> work.clean((int) step.number(0))),
        PREPARE(0, (work, step) -> true, (work, step) -> work.journal().idleWork().prepareNextSegment()),
        /** free segments at most that give their space back */
        PUNCH(1, (work, step) -> true, (work, step) -> work.journal().punchFreeSegments(0, (int) step.number(0))),
        CLOSE(0, (work, step) -> true, (work, step) -> {
            work.closeJournal();
            work.reopen();
        }),
        KILL(0, (work, step) -> true, (work, step) -> {
            work.kill();
            work.reopen();
        });

        private final int arguments;
        private final Condition condition;
        private final Action action;

        Verb(int arguments, Condition condition, Action action) {
            this.arguments = arguments;
            this.condition = condition;
            this.action = action;
        }

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    public Step {
        arguments = List.copyOf(arguments);
        if (arguments.size() != verb.arguments) {
            throw new IllegalArgumentException("%s takes %d arguments: %s".formatted(verb, verb.arguments, arguments));
        }
    }

    public static Step of(Verb verb, Object... arguments) {
        return new Step(verb, Arrays.stream(arguments).map(Object::toString).toList());
    }

    /** A step as {@link #toString} writes it. */
    public static Step parse(String text) {
        final String[] words = text.strip().split("\\s+");
        for (Verb verb : Verb.values()) {
            if (verb.toString().equals(words[0])) {
                return new Step(verb, List.of(words).subList(1, words.length));
            }
        }
        throw new IllegalArgumentException("no such step: " + text);
    }

    /** Steps with semicolons or line ends between. */
    public static List<Step> parseAll(String text) {
        return Arrays.stream(text.split("[;\\n]")).filter(part -> !part.isBlank()).map(Step::parse).toList();
    }

    /** Steps on one line, as {@link #parseAll} reads them. */
    public static String textOf(List<Step> steps) {
        return steps.stream().map(Step::toString).collect(Collectors.joining("; "));
    }

    /** Pages as text: neighbours as ranges. */
    public static String textOf(long... pages) {
        final List<String> parts = new ArrayList<>();
        for (int i = 0; i < pages.length; ) {
            int end = i + 1;
            while (end < pages.length && pages[end] == pages[end - 1] + 1) {
                end++;
            }
            parts.add(end == i + 1 ? Long.toString(pages[i]) : pages[i] + "-" + pages[end - 1]);
            i = end;
        }
        return String.join(",", parts);
    }

    @Override
    public String toString() {
        return arguments.isEmpty() ? verb.toString() : verb + " " + String.join(" ", arguments);
    }

    /** Whether the store has what the step speaks of. */
    public boolean isPossible(Workload work) {
        return verb.condition.holds(work, this);
    }

    public void run(Workload work) {
        verb.action.run(work, this);
    }

    /** The same with another argument. */
    public Step with(int index, String argument) {
        final List<String> changed = new ArrayList<>(arguments);
        changed.set(index, argument);
        return new Step(verb, changed);
    }

    public boolean takesPages() {
        return switch (verb) {
            case PUT, PUT_ASYNC, PUT_SNAPSHOT, TRIM, TRIM_ASYNC, STEAL, ABANDON -> true;
            default -> false;
        };
    }

    public String argument(int index) {
        return arguments.get(index);
    }

    private String name() {
        return arguments.getFirst();
    }

    private String volume() {
        return name().substring(0, name().indexOf('@'));
    }

    private long number(int index) {
        return Long.parseLong(arguments.get(index));
    }

    /** Pages that an argument names. */
    public long[] pages(int index) {
        return Arrays.stream(arguments.get(index).split(",")).flatMapToLong(part -> {
            final int dash = part.indexOf('-');
            return dash < 0
                    ? LongStream.of(Long.parseLong(part))
                    : LongStream.rangeClosed(
                            Long.parseLong(part.substring(0, dash)), Long.parseLong(part.substring(dash + 1)));
        }).toArray();
    }

    private static boolean hasPages(Workload work, Step step) {
        return work.has(step.name())
                && Arrays.stream(step.pages(1)).allMatch(page -> page >= 0 && page < work.pageCount(step.name()));
    }
}
