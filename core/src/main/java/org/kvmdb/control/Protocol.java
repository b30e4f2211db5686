package org.kvmdb.control;

/** What client and server agree upon. */
final class Protocol {

    static final String NAME = "kvmdb/";
    static final String VERSION = NAME + "1";

    /** The socket, within the store's directory. */
    static final String SOCKET_NAME = "control.sock";

    /** A request's line, its end included. */
    static final int REQUEST_BYTES_MAX = 4096;

    /** A line of an answer, its end included. */
    static final int ANSWER_LINE_BYTES_MAX = 64 << 10;

    static final String FACT = "fact";
    static final String ROW = "row";
    static final String PROGRESS = "progress";
    static final String ALIVE = "alive";
    static final String OK = "ok";
    static final String ERROR = "error";

    private Protocol() {}

    /** Codes of errors that are not a {@link org.kvmdb.StoreException}. */
    static final class Code {
        /** The request is not one. */
        static final String GARBAGE = "GARBAGE";
        static final String VERSION = "VERSION";
        static final String UNKNOWN_OPERATION = "UNKNOWN_OPERATION";
        static final String ARGUMENTS = "ARGUMENTS";
        /** The operation itself said no, and why. */
        static final String REFUSED = "REFUSED";
        /** The peer is another user. */
        static final String DENIED = "DENIED";
        static final String TOO_MANY = "TOO_MANY";
        static final String TIMEOUT = "TIMEOUT";
        /** The store is closing; the request was not begun. */
        static final String CLOSING = "CLOSING";
        /** The store was closed while the request ran. */
        static final String INTERRUPTED = "INTERRUPTED";
        static final String INTERNAL = "INTERNAL";
        /** Of the client: nobody there; nothing was asked. */
        static final String UNREACHABLE = "UNREACHABLE";
        /** Of the client: the answer did not come to its end. */
        static final String LOST = "LOST";

        private Code() {}
    }
}
