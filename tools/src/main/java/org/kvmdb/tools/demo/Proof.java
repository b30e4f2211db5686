package org.kvmdb.tools.demo;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.Volume;

/**
 * The demo's own copy of what the store must hold, and the comparison with what it does hold. The copy starts as the
 * input file and follows the workload, transaction by transaction; it never looks at the store's data.
 *
 * <p>What is proven of a recovered store: per thread it stands at one transaction k with acknowledged <= k <= issued,
 * and every page of it, changed or not, is byte for byte what the workload makes of the input by then. So no
 * acknowledged commit is lost, none is there in part, and nothing else has changed.
 */
final class Proof implements AutoCloseable {

    private static final int PIECE_BYTES = 1 << 20;

    private final Arena arena = Arena.ofShared();
    private final Workload workload;
    private final MemorySegment data;
    private final MemorySegment ledger;
    private final MemorySegment scratch;

    private Proof(DemoSettings settings) {
        workload = new Workload(settings.seed(), settings.threads(), settings.pages(), settings.pageSizeBytes());
        data = arena.allocate(settings.dataSizeBytes(), 4096);
        ledger = arena.allocate(workload.ledgerSizeBytes(), 4096);
        scratch = arena.allocate(settings.pageSizeBytes(), 4096);
    }

    static Proof of(DemoSettings settings) throws IOException {
        Proof proof = new Proof(settings);
        try (FileChannel channel = FileChannel.open(settings.input(), StandardOpenOption.READ)) {
            for (long position = 0; position < settings.inputBytes(); position += PIECE_BYTES) {
                long length = Math.min(PIECE_BYTES, settings.inputBytes() - position);
                ByteBuffer piece = proof.data.asSlice(position, length).asByteBuffer();
                while (piece.hasRemaining()) {
                    if (channel.read(piece, position + piece.position()) < 0) {
                        throw new EOFException("the file became shorter while it was read: " + settings.input());
                    }
                }
            }
            return proof;
        } catch (IOException | RuntimeException e) {
            proof.close();
            throw e;
        }
    }

    Workload workload() {
        return workload;
    }

    /** Where each thread stands. */
    long[] standing() {
        long[] standing = new long[workload.threads()];
        for (int thread = 0; thread < standing.length; thread++) {
            standing[thread] = workload.ledgerNumber(ledger, thread);
        }
        return standing;
    }

    /**
     * Proves a store that was just recovered.
     *
     * @return how many transactions are there whose commit had not returned
     * @throws ProofFailedException when it does not hold what it must
     */
    long proveRecovered(Store store, CommitRecord record, long orderSeed) throws InterruptedException {
        long unacknowledged = 0;
        Volume ledgerVolume = store.volume(Demo.LEDGER);
        for (int thread = 0; thread < workload.threads(); thread++) {
            long found;
            try (Scope _ = ledgerVolume.readScope()) {
                found = workload.ledgerNumber(ledgerVolume.memory(), thread);
            }
            check(found, record, thread);
            unacknowledged += found - record.acknowledged(thread);
            advance(thread, found);
        }
        proveEqual(store, orderSeed);
        return unacknowledged;
    }

    private static void check(long found, CommitRecord record, int thread) {
        if (found < record.acknowledged(thread)) {
            throw new ProofFailedException("acknowledged commits are lost: thread=%d acknowledged=%d found=%d"
                    .formatted(thread, record.acknowledged(thread), found));
        }
        if (found > record.issued(thread)) {
            throw new ProofFailedException("a transaction is there that was never started: thread=%d issued=%d found=%d"
                    .formatted(thread, record.issued(thread), found));
        }
    }

    private void advance(int thread, long to) {
        for (long number = workload.ledgerNumber(ledger, thread) + 1; number <= to; number++) {
            workload.apply(thread, number, data, ledger, scratch);
        }
    }

    /** Compares every byte of both volumes, in random order. Returns the pages compared. */
    long proveEqual(Store store, long orderSeed) throws InterruptedException {
        PageComparison dataPages = dataPages(store);
        PageComparison ledgerPages = new PageComparison(store.volume(Demo.LEDGER), ledger);
        dataPages.inRandomOrder(workload.threads(), orderSeed);
        ledgerPages.inSequence();
        return dataPages.pages() + ledgerPages.pages();
    }

    PageComparison dataPages(Store store) {
        return new PageComparison(store.volume(Demo.DATA), data);
    }

    @Override
    public void close() {
        arena.close();
    }
}
