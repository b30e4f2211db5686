package org.kvmdb.control;

/** A request that was not answered with success. The message is a sentence for the user. */
public final class ControlException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String code;

    ControlException(String code, String message) {
        this(code, message, null);
    }

    ControlException(String code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** As in {@code docs/control-socket.md}. */
    public String code() {
        return code;
    }

    /** Whether nothing was begun and a moment later the request may be answered, or the store be free. */
    public boolean isPassing() {
        return switch (code) {
            case Protocol.Code.UNREACHABLE, Protocol.Code.TOO_MANY, Protocol.Code.CLOSING -> true;
            default -> false;
        };
    }
}
