package org.kvmdb.tools;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** A writer that knows why it could not write; those of the library know only that they could not. */
final class StandardOutput extends PrintWriter {

    private final Kept kept;

    StandardOutput(OutputStream stream) {
        this(new Kept(stream));
    }

    private StandardOutput(Kept kept) {
        super(kept, false, StandardCharsets.UTF_8);
        this.kept = kept;
    }

    /** The first failure, or null. */
    IOException failure() {
        return kept.failure;
    }

    private static final class Kept extends FilterOutputStream {
        private IOException failure;

        Kept(OutputStream stream) {
            super(stream);
        }

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            try {
                out.write(bytes, from, length);
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }
    }
}
