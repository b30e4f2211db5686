package org.kvmdb.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The signal handler that resolves page faults in the faulting thread ({@code page_faulter.c}). It is installed once a
 * process, in front of the virtual machine's own, and never taken out.
 */
public final class PageFaulter {

    private static final int NO_USERFAULTFD = 1;
    private static final int NO_FEATURES = 2;
    static final int NO_LZ4 = 3;
    private static final int PAGE_SIZE = 4;

    private PageFaulter() {}

    /** Tries what is needed by using it, and installs the handler; throws a sentence that says what lacks. */
    public static void install() {
        LayoutCheck.run();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment detail = arena.allocate(ValueLayout.JAVA_LONG);
            final int platform = ShimLibrary.shim().kvmdb_platform_check(detail.address());
            if (platform != 0) {
                throw new StorageException(
                        ErrorCode.UNSUPPORTED, describe(platform, detail.get(ValueLayout.JAVA_LONG, 0)));
            }
        }
        Errno.check(ShimLibrary.shim().kvmdb_faulter_install(), "install the page fault handler");
    }

    /** Whether SIGBUS still comes to us; some other library may have replaced the handler. */
    public static boolean isInstalled() {
        return ShimLibrary.shim().kvmdb_faulter_is_installed() == 1;
    }

    static String describe(int platform, long detail) {
        return switch (platform) {
            case NO_USERFAULTFD -> describeUserfaultfd((int) detail);
            case NO_FEATURES ->
                "this kernel's userfaultfd lacks features (mask 0x%x: 0x80 is SIGBUS, since Linux 4.14; 0x1 is".formatted(detail)
                        + " write-protection, since Linux 5.7): run on Linux 5.11 or newer";
            case NO_LZ4 -> "liblz4.so.1 cannot be loaded: install it (Debian and Ubuntu: liblz4-1, Fedora: lz4-libs)";
            case PAGE_SIZE -> "the machine's page size is %d bytes; only 4096 is supported".formatted(detail);
            default -> "the platform check failed with code %d, detail %d".formatted(platform, detail);
        };
    }

    private static String describeUserfaultfd(int errno) {
        final String remedy =
                switch (errno) {
                    case Errno.ENOSYS -> "use a kernel built with CONFIG_USERFAULTFD, Linux 5.11 or newer";
                    case Errno.EPERM ->
                        "in a container, allow the system call userfaultfd in the seccomp profile (Docker: --security-opt"
                                + " seccomp=PROFILE), or pass --device /dev/userfaultfd";
                    case Errno.EINVAL -> "user-mode-only userfaultfd needs Linux 5.11 or newer";
                    case Errno.EMFILE -> "raise the limit of open files (ulimit -n)";
                    default -> "see userfaultfd(2)";
                };
        return "the kernel does not give us a userfaultfd: %s; %s".formatted(Errno.describe(errno), remedy);
    }
}
