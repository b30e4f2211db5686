/*
 * What a page fault in user space costs at the least: the physical limits that the fault benchmark compares with.
 *
 * Four ways of producing a missing page, each touched once in random order, each touch timed:
 *   sigbus_copy   UFFD_FEATURE_SIGBUS, resolved in the faulting thread, UFFDIO_COPY of a ready page: the floor
 *   thread_copy   a handler thread that blocks in read(userfaultfd), UFFDIO_COPY of a ready page
 *   sigbus_work   as sigbus_copy, and before that pread of a block, CRC32C, LZ4
 *   thread_work   as thread_copy, and before that the same
 * The blocks are pages of a real file, compressed, in an unlinked file that the operating system has in its cache.
 * Prints one line "name p50_ns p99_ns" for each way; the last two are left out when liblz4.so.1 is not there.
 *
 * usage: fault_floor INPUT_FILE SCRATCH_DIRECTORY PAGES
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

enum { PAGE_BYTES = 4096, BLOCK_UNIT_BYTES = 64 };

typedef int (*lz4_compress)(const char *, char *, int, int);
typedef int (*lz4_decompress)(const char *, char *, int, int);

struct block {
    uint64_t offset;
    uint32_t length;
    uint32_t crc;
};

static int uffd;
static int block_fd;
static char *region;
static size_t pages;
static struct block *blocks;
static int does_work;
static lz4_compress compress_page;
static lz4_decompress decompress_page;
static uint32_t crc_table[256];
static char ready_page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "fault_floor: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
        }
        crc_table[i] = crc;
    }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c(const char *data, size_t length)
{
    uint64_t crc = 0xFFFFFFFFu;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; i < length; i++) {
        crc = __builtin_ia32_crc32qi((uint32_t)crc, (unsigned char)data[i]);
    }
    return (uint32_t)crc;
}
#else
static uint32_t crc32c(const char *data, size_t length)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc = (crc >> 8) ^ crc_table[(crc ^ (unsigned char)data[i]) & 0xFF];
    }
    return crc;
}
#endif

static void copy_in(uint64_t page, const char *source)
{
    struct uffdio_copy copy = {
        .dst = (uint64_t)(uintptr_t)region + page * PAGE_BYTES, .src = (uint64_t)(uintptr_t)source, .len = PAGE_BYTES};
    if (ioctl(uffd, UFFDIO_COPY, &copy) < 0 && errno != EEXIST) {
        die("UFFDIO_COPY");
    }
}

static void resolve(uint64_t address)
{
    uint64_t page = (address - (uint64_t)(uintptr_t)region) / PAGE_BYTES;
    if (!does_work) {
        copy_in(page, ready_page);
        return;
    }
    char stored[PAGE_BYTES + BLOCK_UNIT_BYTES];
    char plain[PAGE_BYTES] __attribute__((aligned(64)));
    const struct block *block = &blocks[page];
    if (pread(block_fd, stored, block->length, (off_t)block->offset) != (ssize_t)block->length) {
        die("pread");
    }
    if (crc32c(stored, block->length) != block->crc) {
        errno = EIO;
        die("checksum");
    }
    if (block->length == PAGE_BYTES) {
        copy_in(page, stored);
        return;
    }
    if (decompress_page(stored, plain, (int)block->length, PAGE_BYTES) != PAGE_BYTES) {
        errno = EIO;
        die("decompress");
    }
    copy_in(page, plain);
}

static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    int saved = errno;
    resolve((uint64_t)(uintptr_t)info->si_addr);
    errno = saved;
}

static void *handle_faults(void *unused)
{
    (void)unused;
    for (;;) {
        struct uffd_msg message;
        ssize_t n = read(uffd, &message, sizeof message);
        if (n == (ssize_t)sizeof message && message.event == UFFD_EVENT_PAGEFAULT) {
            resolve(message.arg.pagefault.address);
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            die("read userfaultfd");
        }
    }
    return NULL;
}

static void open_region(int features)
{
    uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (uffd < 0) {
        die("userfaultfd");
    }
    struct uffdio_api api = {.api = UFFD_API, .features = (uint64_t)features};
    if (ioctl(uffd, UFFDIO_API, &api) < 0) {
        die("UFFDIO_API");
    }
    region = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) {
        die("mmap");
    }
    madvise(region, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
    struct uffdio_register registration = {
        .range = {(uint64_t)(uintptr_t)region, pages * PAGE_BYTES}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (ioctl(uffd, UFFDIO_REGISTER, &registration) < 0) {
        die("UFFDIO_REGISTER");
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t gcd(size_t a, size_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

static void measure(const char *name, int by_thread, int with_work)
{
    uint64_t *latency_ns = malloc(pages * sizeof *latency_ns);
    if (latency_ns == NULL) {
        die("malloc");
    }
    does_work = with_work;
    open_region(by_thread ? 0 : UFFD_FEATURE_SIGBUS);
    pthread_t thread = 0;
    if (by_thread) {
        if (pthread_create(&thread, NULL, handle_faults, NULL) != 0) {
            die("pthread_create");
        }
    } else {
        struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};
        sigaction(SIGBUS, &action, NULL);
    }
    size_t stride = (size_t)((double)pages * 0.618);
    while (stride > 1 && gcd(stride, pages) != 1) {
        stride++;
    }
    volatile char sink = 0;
    size_t page = 0;
    for (size_t i = 0; i < pages; i++) {
        uint64_t start = now_ns();
        sink = (char)(sink + ((volatile char *)region)[page * PAGE_BYTES]);
        latency_ns[i] = now_ns() - start;
        page = (page + stride) % pages;
    }
    qsort(latency_ns, pages, sizeof *latency_ns, by_value);
    printf("%s %llu %llu\n", name, (unsigned long long)latency_ns[pages / 2],
        (unsigned long long)latency_ns[pages - pages / 100 - 1]);
    fflush(stdout);
    if (by_thread) {
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    munmap(region, pages * PAGE_BYTES);
    close(uffd);
    free(latency_ns);
}

/* Compresses the pages of the input, again from its start when it is shorter. Returns 0 without the library. */
static int write_blocks(const char *input, const char *directory)
{
    void *library = dlopen("liblz4.so.1", RTLD_NOW);
    if (library == NULL) {
        return 0;
    }
    *(void **)&compress_page = dlsym(library, "LZ4_compress_default");
    *(void **)&decompress_page = dlsym(library, "LZ4_decompress_safe");
    if (compress_page == NULL || decompress_page == NULL) {
        return 0;
    }
    int input_fd = open(input, O_RDONLY | O_CLOEXEC);
    block_fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    blocks = calloc(pages, sizeof *blocks);
    if (input_fd < 0 || block_fd < 0 || blocks == NULL) {
        die("opening the input and a scratch file");
    }
    uint64_t offset = 0;
    off_t position = 0;
    for (size_t page = 0; page < pages; page++) {
        char plain[PAGE_BYTES];
        char stored[PAGE_BYTES + BLOCK_UNIT_BYTES];
        if (pread(input_fd, plain, PAGE_BYTES, position) != PAGE_BYTES) {
            position = 0;
            if (pread(input_fd, plain, PAGE_BYTES, position) != PAGE_BYTES) {
                die("the input is shorter than a page");
            }
        }
        position += PAGE_BYTES;
        int length = compress_page(plain, stored, PAGE_BYTES, PAGE_BYTES - BLOCK_UNIT_BYTES);
        if (length <= 0) {
            length = PAGE_BYTES;
            memcpy(stored, plain, PAGE_BYTES);
        }
        blocks[page] = (struct block){offset, (uint32_t)length, crc32c(stored, (size_t)length)};
        if (pwrite(block_fd, stored, (size_t)length, (off_t)offset) != length) {
            die("pwrite");
        }
        offset += ((uint64_t)length + BLOCK_UNIT_BYTES - 1) / BLOCK_UNIT_BYTES * BLOCK_UNIT_BYTES;
    }
    close(input_fd);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 4 || (pages = strtoul(argv[3], NULL, 10)) < 100) {
        fprintf(stderr, "usage: fault_floor INPUT_FILE SCRATCH_DIRECTORY PAGES (at least 100)\n");
        return 2;
    }
    crc_init();
    memset(ready_page, 7, sizeof ready_page);
    int has_lz4 = write_blocks(argv[1], argv[2]);
    measure("sigbus_copy", 0, 0);
    measure("thread_copy", 1, 0);
    if (has_lz4) {
        measure("sigbus_work", 0, 1);
        measure("thread_work", 1, 1);
    }
    return 0;
}
