package org.kvmdb.journal.simulation;

import java.nio.file.Path;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.MemoryDevice;

/**
 * Lies beneath the one store in a directory: whatever creates or opens it by path gets the device that was inserted, and
 * the device stays when that is closed.
 */
public final class SimulatedDisk implements Devices.Source, AutoCloseable {

    private final Devices.Mount mount;
    private volatile KeptDevice device;

    /** @param directory where the store is opened; it exists, and holds what that needs beside its file */
    public SimulatedDisk(Path directory) {
        mount = Devices.mount(directory, this);
    }

    /** What is opened next lies on this one; with no device at all, there is no store yet. */
    public void insert(KeptDevice next) {
        device = next;
    }

    /** The device that was inserted, or made for a store that was created. */
    public KeptDevice device() {
        return device;
    }

    @Override
    public Device create(Path path) {
        if (device == null) {
            device = new KeptDevice(new MemoryDevice(path.getFileName().toString()));
        }
        return open(path, false);
    }

    @Override
    public Device open(Path path, boolean readOnly) {
        device.reopen();
        return device;
    }

    @Override
    public boolean exists(Path path) {
        return device != null;
    }

    @Override
    public void close() {
        mount.close();
    }
}
