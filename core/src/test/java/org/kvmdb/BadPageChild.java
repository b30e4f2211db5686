package org.kvmdb;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;

/**
 * Reads a bad page in every way that HotSpot does not turn into an exception: intrinsics, native libraries, downcalls.
 * None may end the JVM, and after each the scope must say that what was read is wrong.
 */
final class BadPageChild {

    private interface Access {
        void to(MemorySegment page, MemorySegment scratch) throws Throwable;
    }

    private record Way(String name, Access access) {}

    private BadPageChild() {}

    private static List<Way> ways() {
        final Linker linker = Linker.nativeLinker();
        final MethodHandle memcpy = linker.downcallHandle(
                linker.defaultLookup().find("memcpy").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        final List<Way> ways = new ArrayList<>();
        ways.add(new Way("memcpy from", (page, scratch) -> {
            final MemorySegment end = (MemorySegment) memcpy.invokeExact(scratch, page, page.byteSize());
        }));
        ways.add(new Way("memcpy to", (page, scratch) -> {
            final MemorySegment end = (MemorySegment) memcpy.invokeExact(page, scratch, page.byteSize());
        }));
        ways.add(new Way("CRC32", (page, scratch) -> new CRC32().update(page.asByteBuffer())));
        ways.add(new Way("CRC32C", (page, scratch) -> new CRC32C().update(page.asByteBuffer())));
        ways.add(new Way("Adler32", (page, scratch) -> new Adler32().update(page.asByteBuffer())));
        ways.add(new Way("Deflater", (page, scratch) -> {
            try (Deflater deflater = new Deflater()) {
                deflater.setInput(page.asByteBuffer());
                deflater.finish();
                deflater.deflate(new byte[10_000]);
            }
        }));
        ways.add(new Way("copy", (page, scratch) -> scratch.copyFrom(page)));
        ways.add(new Way("copy to an array", (page, scratch) -> page.toArray(ValueLayout.JAVA_BYTE)));
        ways.add(new Way("fill", (page, scratch) -> page.fill((byte) 1)));
        ways.add(new Way("mismatch", (page, scratch) -> page.mismatch(scratch)));
        ways.add(new Way("get", (page, scratch) -> page.get(ValueLayout.JAVA_LONG, 128)));
        ways.add(new Way("set", (page, scratch) -> page.set(ValueLayout.JAVA_LONG, 128, 5)));
        ways.add(new Way("string", (page, scratch) -> page.getString(0)));
        ways.add(new Way("buffer", (page, scratch) -> page.asByteBuffer().get(new byte[100])));
        return ways;
    }

    /** Arguments: store, LPN of the bad page. */
    public static void main(String[] arguments) {
        final long lpn = Long.parseLong(arguments[1]);
        try (Store store = Store.open(Path.of(arguments[0]), TestStores.small());
                Arena arena = Arena.ofConfined()) {
            final Volume volume = store.volume("v");
            final MemorySegment scratch = arena.allocate(volume.pageSizeBytes());
            for (int round = 0; round < 300; round++) {
                for (Way way : ways()) {
                    access(store, volume, lpn, way, scratch);
                }
            }
            TestStores.checkPages(volume, 1, 0, lpn, 1);
        }
        System.out.println("survived");
    }

    private static void access(Store store, Volume volume, long lpn, Way way, MemorySegment scratch) {
        final long before = volume.badPageCount();
        try (Scope _ = volume.readScope()) {
            way.access.to(TestStores.page(volume, lpn), scratch);
        } catch (CorruptPageException e) {
            checkCounted(volume, lpn, way, before, e);
            return;
        } catch (InternalError e) {
            if (volume.badPageCount() == before) {
                throw new AssertionError(way.name + " was not counted", e);
            }
            return;
        } catch (Throwable e) {
            throw new AssertionError(way.name, e);
        } finally {
            store.rollback();
        }
        throw new AssertionError(way.name + " of a bad page was taken for good");
    }

    private static void checkCounted(Volume volume, long lpn, Way way, long before, CorruptPageException e) {
        if (e.lpn() != lpn || !e.volume().equals("v") || volume.badPageCount() == before) {
            throw new AssertionError(way.name + " blamed another page", e);
        }
    }
}
