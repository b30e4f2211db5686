package org.kvmdb.journal.planted;

/**
 * A change of one method, made while its class is loaded: a bug that is planted, as data. It must fit: a call or condition that
 * it names is there as often as it says, else loading the class fails. So a change of the code cannot disarm it unseen.
 *
 * @param type simple name of the class, that of a class within another as {@code Outer$Inner}
 * @param method its name; lambdas within it belong to it
 * @param change what is changed
 */
public record Patch(String type, String method, Change change) {

    /**
     * A call within a method.
     *
     * @param owner simple name of the class that it names
     * @param nth which one, from 1
     * @param of how many there must be
     */
    public record Call(String owner, String name, int nth, int of) {
        /** The only one. */
        public static Call of(String owner, String name) {
            return new Call(owner, name, 1, 1);
        }

        boolean names(String internalOwner, String called) {
            return called.equals(name) && internalOwner.substring(internalOwner.lastIndexOf('/') + 1).equals(owner);
        }

        @Override
        public String toString() {
            return "%s.%s (%d of %d)".formatted(owner, name, nth, of);
        }
    }

    /** What is changed. */
    public sealed interface Change {}

    /** The call is not made; what it would return is 0, false or null. */
    public record Skip(Call call) implements Change {}

    /** The call is not made; this is what it returns. */
    public record Answer(Call call, int value) implements Change {}

    /** The call is made twice. */
    public record Twice(Call call) implements Change {}

    /** Each of the two calls, which take and return the same, is made in the place of the other. */
    public record Swap(Call one, Call other) implements Change {}

    /** A static method of that name of the class with planted code is called instead, with receiver and arguments. */
    public record Redirect(Call call, String to) implements Change {}

    /** The condition that is the first behind the call comes out that way: whether its code jumps. */
    public record Decide(Call behind, boolean jumps) implements Change {}

    /** The condition that is the n-th of so many comes out that way: whether its code jumps. */
    public record DecideNth(int nth, int of, boolean jumps) implements Change {}

    /** The condition that is the n-th of so many comes out the other way. */
    public record NegateNth(int nth, int of) implements Change {}

    /** The field keeps what it had, where the method would set it: in one place. */
    public record Keep(String field) implements Change {}

    /** The whole method returns this at once. */
    public record Return(int value) implements Change {}

    public static Patch of(String type, String method, Change change) {
        return new Patch(type, method, change);
    }

    boolean isOf(String methodName) {
        return methodName.equals(method) || methodName.startsWith("lambda$" + method + '$');
    }
}
