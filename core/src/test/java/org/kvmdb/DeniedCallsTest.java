package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a container may forbid. The program that forbids it is built with the tests of the shim.
 */
@Timeout(120)
class DeniedCallsTest {

    private static final Path TOOL = Path.of("..", "native", "target", "c-tests", "deny_calls").toAbsolutePath();

    @TempDir
    Path directory;

    private String run(String errno, String calls) throws Exception {
        assumeTrue(Files.isExecutable(TOOL), () -> "the tests of the shim were not built: " + TOOL);
        try (ChildJvm child = ChildJvm.start(
                directory, List.of(TOOL.toString(), errno, calls), List.of("-Xmx64m"), UseStore.class,
                directory.resolve("s"))) {
            return child.awaitSuccess(60);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, io_uring", "38, io_uring", "12, io_uring", "1, process_madvise", "38, 'io_uring,process_madvise'"})
    void shouldDoWithoutWhatOnlyMakesItFaster(String errno, String calls) throws Exception {
        final String said = run(errno, calls);
        assertTrue(said.contains("it works"), said);
    }

    @ParameterizedTest
    @CsvSource({
        "1, operation not permitted (EPERM); in a container",
        "38, not implemented by this kernel (ENOSYS); use a kernel built with CONFIG_USERFAULTFD"
    })
    void shouldSayThatItMayNotHaveUserfaultfd(String errno, String reason) throws Exception {
        final String said = run(errno, "userfaultfd,userfaultfd-device");
        assertTrue(
                said.contains("UnsupportedPlatformException: the kernel does not give us a userfaultfd: " + reason), said);
    }

    @Test
    void shouldTakeUserfaultfdFromTheDeviceWhenTheCallIsForbidden() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/userfaultfd")), "this user may not open /dev/userfaultfd");
        final String said = run("1", "userfaultfd");
        assertTrue(said.contains("it works"), said);
    }

    /** Writes, commits, and reads from the device what it wrote. */
    static final class UseStore {
        private static final int PAGES = 2000;

        private UseStore() {}

        public static void main(String[] arguments) {
            final Path directory = Path.of(arguments[0]);
            try (Store store = Store.create(directory, TestStores.small())) {
                final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * TestStores.PAGE));
                TestStores.writePages(volume, 1, 0, PAGES, 1);
                store.commit();
            } catch (StoreException e) {
                System.out.println(e);
                return;
            }
            try (Store store = Store.open(directory, TestStores.small())) {
                TestStores.checkPages(store.volume("v"), 1, 0, PAGES, 1);
                TestStores.writePages(store.volume("v"), 1, 0, PAGES, 2);
                store.commit();
                TestStores.checkPages(store.volume("v"), 1, 0, PAGES, 2);
            }
            System.out.println("it works");
        }
    }
}
