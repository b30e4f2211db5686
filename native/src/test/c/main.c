/* Runs the tests, or those whose names contain one of the arguments. Stops at the first failure. */
#include "tests.h"
#include "fake_store.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 60

/* Must fail: shows that the harness can. Runs only when it is asked for by name. */
static void canary(void)
{
    CHECK_EQUAL(1 + 1, 3);
}

#define ENTRY(name_) {#name_, name_},
static const struct test tests[] = {TESTS(ENTRY)};

static int is_wanted(const char *name, int count, char **wanted)
{
    for (int i = 0; i < count; i++) {
        if (strstr(name, wanted[i]))
            return 1;
    }
    return count == 0;
}

static void *run(void *argument)
{
    const struct test *test = argument;
    test->run();
    return NULL;
}

/* In a thread of its own: what the shim knows of a thread, as the streams that it reads, is of no other test. */
static void run_alone(const struct test *test)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, run, (void *)test), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

int main(int argc, char **argv)
{
    int passed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "canary") == 0)
        canary();
    install_older_handler();
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (!is_wanted(tests[i].name, argc - 1, argv + 1))
            continue;
        alarm(WATCHDOG_SECONDS); /* a hang is a failure */
        uint64_t begin = milliseconds();
        printf("  %s", tests[i].name);
        fflush(stdout);
        run_alone(&tests[i]);
        printf(" (%" PRIu64 " ms)\n", milliseconds() - begin);
        passed++;
    }
    printf("%d tests passed\n", passed);
    return passed == 0;
}
