package org.kvmdb.tools.demo;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.kvmdb.CleanProgress;
import org.kvmdb.DeletionProgress;
import org.kvmdb.ReceiveOptions;
import org.kvmdb.Received;
import org.kvmdb.ScrubOptions;
import org.kvmdb.ScrubProgress;
import org.kvmdb.ScrubReport;
import org.kvmdb.Snapshot;
import org.kvmdb.SpaceReport;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/** Some volumes under their names. */
record FakeStore(List<Volume> volumes) implements Store {

    FakeStore(Volume... volumes) {
        this(List.of(volumes));
    }

    @Override
    public Volume volume(String name) {
        return volumes.stream().filter(volume -> volume.name().equals(name)).findFirst().orElseThrow();
    }

    @Override
    public Path path() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Volume createVolume(String name, VolumeOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void deleteVolume(String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Snapshot> snapshot(String name, Collection<Volume> together) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Snapshot> snapshotCommitted(String name, Collection<Volume> together) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Snapshot> snapshots() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Snapshot snapshotNamed(String fullName) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void deleteSnapshots(Collection<Snapshot> chosen) {
        throw new UnsupportedOperationException();
    }

    @Override
    public DeletionProgress deletionProgress() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Received receive(InputStream input, ReceiveOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean abandonReceive(String volumeName) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void clean(double deadShareMax, CleanProgress progress) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SpaceReport space() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScrubReport scrub(ScrubOptions options, ScrubProgress progress) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void commit() {}

    @Override
    public void commit(Collection<Volume> together) {}

    @Override
    public long commitAsync() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sync() {}

    @Override
    public void rollback() {
        throw new UnsupportedOperationException();
    }

    @Override
    public long checkpoint() {
        return 0;
    }

    @Override
    public StoreStatistics statistics() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
