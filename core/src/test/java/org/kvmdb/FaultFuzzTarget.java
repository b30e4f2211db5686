package org.kvmdb;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.ForgedImages;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.FuzzTarget;
import org.kvmdb.journal.fuzz.Place;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A store with lies anywhere, opened as users do, read through page faults, by the reader that is C, checked and scrubbed. A page
 * is what it must be, or the access is refused; the virtual machine lives on.
 */
public final class FaultFuzzTarget implements FuzzTarget {

    private static final long PAGES_MAX = 40;
    private static final int VOLUMES_MAX = 12;

    private ForgedImages images;
    private Path directory;

    @Override
    public String name() {
        return "faults";
    }

    @Override
    public String valid() {
        return "read, checked";
    }

    @Override
    public boolean isSteady() {
        return false;
    }

    @Override
    public int cost() {
        return 8;
    }

    @Override
    public List<Place> places() {
        images = new ForgedImages();
        try {
            directory = Files.createTempDirectory("kvmdb-fuzz-faults");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return images.places();
    }

    @Override
    public String run(List<Edit> program) {
        final Device device = images.device(program);
        final KeptDevice kept = new KeptDevice(device);
        try (Devices.Mount _ = Devices.mount(directory, new Source(kept))) {
            return use(ForgedImages.isContentTrue(program)) + check(kept);
        } finally {
            kept.dispose();
        }
    }

    private String use(boolean isContentTrue) {
        final StoreOptions options = StoreOptions.defaults()
                .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                .withMaxSizeBytes(256 << 20)
                .withControlSocket(false)
                .withCountersFile(false);
        try (Store store = Store.open(directory, options)) {
            boolean isBad = false;
            final List<Volume> volumes = store.volumes();
            for (Volume volume : volumes.subList(0, Math.min(VOLUMES_MAX, volumes.size()))) {
                isBad |= !read(volume, isContentTrue);
            }
            return isBad ? "read, pages bad" : "read";
        } catch (StoreException e) {
            return e.getClass().getSimpleName();
        }
    }

    /** Whether all pages could be had. */
    private static boolean read(Volume volume, boolean isContentTrue) {
        boolean isGood = true;
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(volume.pageSizeBytes());
            final long pages = Math.min(PAGES_MAX, volume.sizeBytes() / volume.pageSizeBytes());
            for (long lpn = 0; lpn < pages; lpn++) {
                isGood &= read(volume, lpn, page, isContentTrue);
            }
        } catch (StoreException e) {
            return false; // it cannot be mapped
        }
        return isGood;
    }

    private static boolean read(Volume volume, long lpn, MemorySegment page, boolean isContentTrue) {
        final long offset = lpn * volume.pageSizeBytes();
        try (Scope _ = volume.readScope()) {
            page.copyFrom(volume.memory().asSlice(offset, volume.pageSizeBytes()));
        } catch (CorruptPageException | InternalError e) {
            return false;
        }
        if (isContentTrue) {
            ForgedImages.check(page, lpn);
        }
        return true;
    }

    private static String check(KeptDevice kept) {
        kept.reopen();
        try {
            StoreChecker.check(kept, (done, total) -> {});
            return ", checked";
        } catch (StorageException e) {
            return ", " + e.code();
        }
    }

    private record Source(KeptDevice device) implements Devices.Source {

        @Override
        public Device create(Path path) {
            return open(path, false);
        }

        @Override
        public Device open(Path path, boolean readOnly) {
            device.reopen();
            return device;
        }

        @Override
        public boolean exists(Path path) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        if (directory != null) {
            try (var left = Files.list(directory)) {
                for (Path file : (Iterable<Path>) left::iterator) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }
}
