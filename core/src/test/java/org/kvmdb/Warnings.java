package org.kvmdb;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What a class logs. */
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
        messages.add(message.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
