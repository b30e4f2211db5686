package org.kvmdb.tools.demo;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.kvmdb.Pin;
import org.kvmdb.PinMode;
import org.kvmdb.Scope;
import org.kvmdb.Snapshot;
import org.kvmdb.Volume;
import org.kvmdb.WriteAheadLog;

/** A volume that is nothing but memory: for tests of what looks at volumes. */
final class FakeVolume implements Volume {

    private final String name;
    private final int pageSizeBytes;
    private final MemorySegment memory;

    FakeVolume(String name, long sizeBytes, int pageSizeBytes) {
        this.name = name;
        this.pageSizeBytes = pageSizeBytes;
        this.memory = Arena.ofAuto().allocate(sizeBytes, 8);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return memory.byteSize();
    }

    @Override
    public int pageSizeBytes() {
        return pageSizeBytes;
    }

    @Override
    public MemorySegment memory() {
        return memory;
    }

    @Override
    public boolean isMapped() {
        return true;
    }

    @Override
    public void commit() {}

    @Override
    public void rollback() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshot(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshotCommitted(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Snapshot> snapshots() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshotNamed(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void rollbackTo(Snapshot snapshot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void quota(long bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long quotaBytes() {
        return 0;
    }

    @Override
    public long referencedBytes() {
        return memory.byteSize();
    }

    @Override
    public void resize(long sizeBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void prefetch(long offset, long lengthBytes) {}

    @Override
    public void load(long offset, long lengthBytes) {}

    @Override
    public Pin pin(long offset, long lengthBytes, PinMode mode) {
        return () -> {};
    }

    @Override
    public void read(long offset, MemorySegment destination) {
        destination.copyFrom(memory.asSlice(offset, destination.byteSize()));
    }

    @Override
    public void write(long offset, MemorySegment source) {
        MemorySegment.copy(source, 0, memory, offset, source.byteSize());
    }

    @Override
    public Scope readScope() {
        return () -> {};
    }

    @Override
    public Scope writeScope() {
        return () -> {};
    }

    @Override
    public void writeAheadLog(WriteAheadLog log) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long committedLsn() {
        return 0;
    }

    @Override
    public long badPageCount() {
        return 0;
    }
}
