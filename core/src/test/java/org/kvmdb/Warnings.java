package org.kvmdb;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What a class logs, each a sentence without a trace. */
final class Warnings extends Handler {

    private final List<String> messages = Collections.synchronizedList(new ArrayList<>());

    private Warnings() {}

    static List<String> during(Class<?> logger, Runnable action) {
        final Logger heard = Logger.getLogger(logger.getName());
        final Warnings handler = new Warnings();
        heard.addHandler(handler);
        try {
            action.run();
        } finally {
            heard.removeHandler(handler);
        }
        return List.copyOf(handler.messages);
    }

    @Override
    public void publish(LogRecord message) {
        messages.add(message.getThrown() == null ? message.getMessage() : message.getMessage() + message.getThrown());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
