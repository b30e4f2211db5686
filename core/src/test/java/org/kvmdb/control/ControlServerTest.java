package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;

/** What comes through the socket, good and bad, and what becomes of the server. */
@Timeout(60)
class ControlServerTest {

    private static final Limits PATIENT =
            new Limits(32, Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofMinutes(1));
    private static final Duration SHORT = Duration.ofMillis(150);

    @TempDir
    private Path directory;

    private Store store;
    private ControlServer server;

    /** Of operations that only tests have. */
    private final CountDownLatch begun = new CountDownLatch(1);

    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @BeforeEach
    void createStore() {
        store = Store.create(
                directory.resolve("store"),
                StoreOptions.defaults()
                        .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                        .withSegmentSizeBytes(256 << 10)
                        .withControlSocket(false));
    }

    @AfterEach
    void close() {
        mayEnd.countDown();
        if (server != null) {
            server.close();
        }
        store.close();
    }

    // ---- the means ----

    private void serve(Limits limits) throws IOException {
        serve(limits, Map.of());
    }

    private void serve(Limits limits, Map<String, Operation.Handler> more) throws IOException {
        server = new ControlServer(
                store,
                limits,
                peer -> true,
                name -> more.containsKey(name) ? new Operation("", more.get(name)) : Operations.find(name));
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(store.path().resolve("control.sock")));
    }

    private static void send(SocketChannel channel, byte[] bytes) {
        final ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } catch (IOException e) {
            // A server need not take all that it does not want.
            assertTrue(e.getMessage().contains("pipe") || e.getMessage().contains("reset"), e.toString());
        }
    }

    private static void send(SocketChannel channel, String text) {
        send(channel, text.getBytes(StandardCharsets.UTF_8));
    }

    /** All until the server closes. */
    private static String receive(SocketChannel channel) {
        final ByteArrayOutputStream all = new ByteArrayOutputStream();
        final ByteBuffer buffer = ByteBuffer.allocate(8192);
        try {
            while (channel.read(buffer.clear()) >= 0) {
                all.write(buffer.array(), 0, buffer.position());
            }
        } catch (IOException e) {
            assertTrue(e.getMessage().contains("reset"), e.toString());
        }
        return all.toString(StandardCharsets.US_ASCII);
    }

    private String converse(byte[] request) throws IOException {
        try (SocketChannel channel = connect()) {
            send(channel, request);
            return receive(channel);
        }
    }

    private String converse(String request) throws IOException {
        return converse(request.getBytes(StandardCharsets.UTF_8));
    }

    private Reply ask(String operation, String... arguments) {
        return ControlClient.ask(store.path(), operation, List.of(arguments), (done, total, unit) -> {});
    }

    private void assertServes() {
        assertTrue(ask("info").facts().number("fileBytes") > 0);
    }

    private static String code(String answer) {
        assertTrue(answer.startsWith("error ") && answer.indexOf('\n') == answer.length() - 1, answer);
        return answer.split(" ")[1];
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(2);
        }
    }

    private void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void untilCancelled(Store ignored, Arguments arguments, Answer answer) {
        begun.countDown();
        try {
            await(answer::isCancelled);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        ended.countDown();
    }

    private static long openFiles() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    private static long threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(prefix))
                .count();
    }

    // ---- requests ----

    @Test
    void shouldAnswerInLinesWhenAsked() throws IOException {
        serve(PATIENT);
        assertTrue(converse("kvmdb/1 info\n").matches("(?s)(fact \\S+=\\d+\n)+ok\n"));
        assertEquals(
                "row volumes name=gr%C3%B6%C3%9Fer sizeBytes=8192 pageSizeBytes=4096"
                        + " referencedBytes=0 quotaBytes=0 committedLsn=0\nok\n",
                converse("kvmdb/1 volume.create gr%C3%B6%C3%9Fer 5000 4096\n"));
        assertEquals(8192, store.volume("größer").sizeBytes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GARBAGE | hello\\n",
                "GARBAGE | \\n",
                "GARBAGE | kvmdb/1\\n",
                "GARBAGE | GET / HTTP/1.1\\r\\n\\r\\n",
                "GARBAGE | kvmdb/1 info\\r\\n",
                "GARBAGE | kvmdb/1 info\\nkvmdb/1 info\\n",
                "GARBAGE | kvmdb/1 volume.delete %zz false\\n",
                "GARBAGE | kvmdb/1 volume.delete %ff false\\n",
                "GARBAGE | kvmdb/1 volume.delete \\0 false\\n",
                "GARBAGE | kvmdb/1 volume.delete ö false\\n",
                "VERSION | kvmdb/2 info\\n",
                "VERSION | kvmdb/11 info\\n",
                "UNKNOWN_OPERATION | kvmdb/1 explode now\\n",
                "UNKNOWN_OPERATION | kvmdb/1  info\\n",
                "ARGUMENTS | kvmdb/1 info now\\n",
                "ARGUMENTS | kvmdb/1 info \\n",
                "ARGUMENTS | kvmdb/1 volume.create v\\n",
                "ARGUMENTS | kvmdb/1 volume.create v x 4096\\n",
                "ARGUMENTS | kvmdb/1 volume.create v 99999999999999999999 4096\\n",
                "ARGUMENTS | kvmdb/1 volume.create v -1 4096\\n",
                "ARGUMENTS | kvmdb/1 volume.create v 8192 4097\\n",
                "ARGUMENTS | kvmdb/1 volume.delete v maybe\\n",
                "ARGUMENTS | kvmdb/1 snapshot.create s\\n",
                "NO_SUCH_VOLUME | kvmdb/1 snapshot.create s v w\\n",
                "NO_SUCH_VOLUME | kvmdb/1 snapshot.delete true v@s\\n",
                "NO_SUCH_VOLUME | kvmdb/1 volume.delete v false\\n",
                "ILLEGAL_USE | kvmdb/1 volume.create ../v 8192 4096\\n",
                "ILLEGAL_USE | kvmdb/1 volume.create  8192 4096\\n"
            })
    void shouldSayWhatIsWrongWhenARequestIs(String expected, String request) throws IOException {
        serve(PATIENT);
        assertEquals(
                expected,
                code(converse(request.replace("\\n", "\n").replace("\\r", "\r").replace("\\0", "\0"))));
        assertServes();
        assertTrue(store.volumes().isEmpty());
    }

    @Test
    void shouldGoOnWhenGarbageComes() throws IOException {
        serve(PATIENT);
        final Random random = new Random(42);
        for (int i = 0; i < 500; i++) {
            final byte[] bytes = new byte[1 + random.nextInt(i % 5 == 0 ? 100_000 : 100)];
            random.nextBytes(bytes);
            // The last one of them ends whatever the rest is.
            bytes[bytes.length - 1] = 0;
            final String answer = converse(bytes);
            assertTrue(answer.isEmpty() || code(answer).equals("GARBAGE"), answer);
        }
        assertServes();
    }

    @Test
    void shouldGoOnWhenRequestsAreMutated() throws IOException {
        serve(PATIENT);
        final Random random = new Random(43);
        final byte[] good = "kvmdb/1 volume.resize v 8192 false\n".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 500; i++) {
            final byte[] bytes = good.clone();
            bytes[random.nextInt(bytes.length - 1)] = (byte) random.nextInt();
            final String answer = converse(bytes);
            assertTrue(answer.isEmpty() || !code(answer).equals("INTERNAL"), answer);
        }
        assertServes();
    }

    @Test
    void shouldEndALineWithoutEnd() throws IOException {
        serve(PATIENT);
        final byte[] endless = new byte[4 << 20];
        Arrays.fill(endless, (byte) 'x');
        final String answer = converse(endless);
        assertTrue(answer.isEmpty() || code(answer).equals("GARBAGE"), answer);
        assertEquals("GARBAGE", code(converse("x".repeat(Protocol.REQUEST_BYTES_MAX))));
        final String longest = "kvmdb/1 volume.delete %s false\n";
        final int length = Protocol.REQUEST_BYTES_MAX - longest.length() + 2;
        assertEquals("NO_SUCH_VOLUME", code(converse(longest.formatted("x".repeat(length)))));
        assertServes();
    }

    @Test
    void shouldTakeARequestThatComesByteByByte() throws IOException {
        serve(PATIENT);
        try (SocketChannel channel = connect()) {
            for (byte b : "kvmdb/1 volume.list\n".getBytes(StandardCharsets.US_ASCII)) {
                send(channel, new byte[] {b});
                Thread.yield();
            }
            assertEquals("ok\n", receive(channel));
        }
    }

    @Test
    void shouldAnswerWhenTheClientEndsItsSideAfterTheRequest() throws IOException {
        serve(PATIENT);
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 volume.list\n");
            channel.shutdownOutput();
            assertEquals("ok\n", receive(channel));
        }
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 volume.li");
            channel.shutdownOutput();
            assertEquals("GARBAGE", code(receive(channel)));
        }
    }

    // ---- clients that do harm ----

    @ParameterizedTest
    @ValueSource(strings = {"", "kvmdb/1 inf"})
    void shouldEndTheWaitWhenARequestDoesNotArrive(String part) throws IOException {
        serve(new Limits(32, SHORT, Duration.ofMinutes(1), Duration.ofMinutes(1)));
        try (SocketChannel channel = connect()) {
            send(channel, part);
            assertEquals("TIMEOUT", code(receive(channel)));
        }
        assertServes();
    }

    @Test
    void shouldEndTheWaitWhenARequestArrivesTooSlowly() throws IOException, InterruptedException {
        serve(new Limits(32, SHORT, Duration.ofMinutes(1), Duration.ofMinutes(1)));
        try (SocketChannel channel = connect()) {
            channel.configureBlocking(false);
            final ByteBuffer answer = ByteBuffer.allocate(8192);
            while (channel.read(answer) >= 0 && answer.position() == 0) {
                send(channel, "x");
                Thread.sleep(10);
            }
            final String text = new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII);
            assertTrue(text.startsWith("error TIMEOUT "), text);
        }
        assertServes();
    }

    @Test
    void shouldServeAgainWhenAThousandConnectionsHaveGone() throws IOException, InterruptedException {
        serve(PATIENT);
        assertServes();
        await(() -> threads("kvmdb-request") == 0);
        final long before = openFiles();
        final List<SocketChannel> channels = new ArrayList<>();
        int refused = 0;
        for (int i = 0; i < 1000; i++) {
            channels.add(connect());
            if (i >= PATIENT.connectionsMax()) {
                assertEquals("TOO_MANY", code(receive(channels.getLast())));
                refused++;
            }
        }
        assertEquals(1000 - PATIENT.connectionsMax(), refused);
        assertEquals("TOO_MANY", assertThrows(ControlException.class, () -> ask("info")).code());
        assertEquals(0, threads("kvmdb-request"));
        for (SocketChannel channel : channels) {
            channel.close();
        }
        await(this::isServed);
        awaitOpenFiles(before);
    }

    private boolean isServed() {
        try {
            assertServes();
            return true;
        } catch (ControlException e) {
            assertEquals("TOO_MANY", e.code());
            return false;
        }
    }

    private static void awaitOpenFiles(long before) throws IOException, InterruptedException {
        while (openFiles() > before) {
            Thread.sleep(2);
        }
    }

    @Test
    void shouldLeaveNothingBehindWhenClientsBreakOff() throws IOException, InterruptedException {
        serve(PATIENT);
        assertServes();
        final long before = openFiles();
        for (int i = 0; i < 300; i++) {
            try (SocketChannel channel = connect()) {
                send(channel, "kvmdb/1 statistics\n".substring(0, i % 20));
            }
        }
        await(this::isServed);
        awaitOpenFiles(before);
    }

    @Test
    void shouldCancelAnOperationWhenItsClientHasGone() throws IOException {
        serve(PATIENT, Map.of("last", this::untilCancelled));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 last\n");
            awaitQuietly(begun);
            assertEquals(1, ended.getCount());
        }
        awaitQuietly(ended);
        assertServes();
    }

    @Test
    void shouldCancelAnOperationWhenItsClientGoesOnTalking() throws IOException {
        serve(PATIENT, Map.of("last", this::untilCancelled));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 last\n");
            awaitQuietly(begun);
            send(channel, "more");
            assertEquals("", receive(channel));
        }
        awaitQuietly(ended);
    }

    @Test
    void shouldFreeAnOperationWhenItsClientTakesNothingIn() throws IOException {
        serve(new Limits(32, Duration.ofMinutes(1), SHORT, Duration.ofMinutes(1)), Map.of("flood", this::flood));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 flood\n");
            awaitQuietly(ended);
            assertFalse(receive(channel).contains("ok\n"));
        }
        assertServes();
    }

    private void flood(Store ignored, Arguments arguments, Answer answer) {
        final Values values = new Values().with("text", "x".repeat(10_000));
        while (!answer.isCancelled()) {
            answer.row("rows", values);
            answer.progress(1, 100, "pages");
        }
        ended.countDown();
    }

    @Test
    void shouldCountAnOperationUntilItHasEnded() throws IOException, InterruptedException {
        serve(
                new Limits(1, Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofMinutes(1)),
                Map.of("stuck", this::stuck));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 stuck\n");
            awaitQuietly(begun);
        }
        assertEquals("TOO_MANY", code(converse("kvmdb/1 info\n")));
        mayEnd.countDown();
        await(this::isServed);
    }

    private void stuck(Store ignored, Arguments arguments, Answer answer) {
        begun.countDown();
        awaitQuietly(mayEnd);
        ended.countDown();
    }

    @Test
    void shouldTellNothingToStrangers() throws IOException {
        server = new ControlServer(store, PATIENT, peer -> false, Operations::find);
        assertEquals("DENIED", code(converse("kvmdb/1 info\n")));
        assertEquals("DENIED", assertThrows(ControlException.class, () -> ask("info")).code());
    }

    // ---- operations ----

    @Test
    void shouldAnswerAllThatManyClientsAskAtATime() throws InterruptedException, IOException {
        serve(PATIENT);
        final List<Thread> clients = new ArrayList<>();
        final List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            final int client = i;
            clients.add(Thread.ofPlatform().start(() -> {
                try {
                    ask("volume.create", "v" + client, "4096", "4096");
                    assertFalse(ask("volume.list").rows("volumes").isEmpty());
                } catch (RuntimeException | Error e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
        assertEquals(List.of(), failures);
        assertEquals(16, store.volumes().size());
    }

    @Test
    void shouldGiveSignsOfLifeAndProgress() throws IOException {
        serve(
                new Limits(32, Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofMillis(20)),
                Map.of("quiet", this::stuck, "counts", (s, a, answer) -> {
                    answer.progress(0, 1000, "map nodes");
                    for (int i = 0; i <= 1000; i++) {
                        answer.progress(i, 1000, "map nodes");
                    }
                }));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 quiet\n");
            final ByteBuffer first = ByteBuffer.allocate(6);
            while (first.hasRemaining()) {
                assertTrue(channel.read(first) > 0);
            }
            assertEquals("alive\n", new String(first.array(), StandardCharsets.US_ASCII));
            mayEnd.countDown();
            assertTrue(receive(channel).matches("(alive\n)*ok\n"));
        }
        final List<Long> reached = new ArrayList<>();
        ControlClient.ask(store.path(), "counts", List.of(), (done, total, unit) -> {
            assertEquals(1000, total);
            assertEquals("map nodes", unit);
            reached.add(done);
        });
        assertEquals(0, reached.getFirst());
        assertTrue(reached.size() < 100, reached.toString());
    }

    @Test
    void shouldCarryMoreThanTheQueueHolds() throws IOException {
        serve(PATIENT, Map.of("rows", (s, a, answer) -> {
            for (int i = 0; i < 20_000; i++) {
                answer.row("rows", new Values().with("number", i).with("text", "a b=ö%\n" + "x".repeat(100)));
            }
            answer.fact("none", null);
            answer.fact("name with space", "");
        }));
        final Reply reply = ask("rows");
        assertEquals(20_000, reply.rows("rows").size());
        for (int i = 0; i < 20_000; i++) {
            final Values row = reply.rows("rows").get(i);
            assertEquals(i, row.number("number"));
            assertTrue(row.text("text").startsWith("a b=ö%\nx"));
        }
        assertEquals("", reply.facts().text("name with space"));
        assertFalse(reply.facts().has("none"));
    }

    @Test
    void shouldAnswerWithAnErrorWhateverAnOperationThrows() throws IOException {
        serve(PATIENT, Map.of(
                "runtime", (s, a, answer) -> {
                    throw new IllegalStateException("odd\nthing");
                },
                "error", (s, a, answer) -> {
                    throw new StackOverflowError();
                },
                "long", (s, a, answer) -> answer.fact("long", "x".repeat(100_000)),
                "wordy", (s, a, answer) -> {
                    throw new IllegalArgumentException("ö".repeat(100_000));
                }));
        final ControlException failure = assertThrows(ControlException.class, () -> ask("runtime"));
        assertEquals("INTERNAL", failure.code());
        assertTrue(failure.getMessage().contains("odd\nthing"), failure.getMessage());
        assertEquals("INTERNAL", assertThrows(ControlException.class, () -> ask("error")).code());
        assertEquals("INTERNAL", assertThrows(ControlException.class, () -> ask("long")).code());
        assertEquals("ARGUMENTS", assertThrows(ControlException.class, () -> ask("wordy")).code());
        assertServes();
    }

    // ---- the end ----

    @Test
    void shouldTellClientsWhenItIsClosed() throws IOException {
        serve(PATIENT, Map.of("last", this::untilCancelled));
        try (SocketChannel running = connect();
                SocketChannel silent = connect()) {
            send(running, "kvmdb/1 last\n");
            awaitQuietly(begun);
            server.close();
            assertEquals("INTERRUPTED", code(receive(running)));
            final String answer = receive(silent);
            // It may not even have been accepted.
            assertTrue(answer.isEmpty() || code(answer).equals("CLOSING"), answer);
        }
        awaitQuietly(ended);
        assertEquals(0, threads("kvmdb-control"));
        assertFalse(Files.exists(store.path().resolve("control.sock")));
        server.close();
    }

    @Test
    void shouldNotWaitForAnOperationWhenItIsClosed() throws IOException {
        serve(PATIENT, Map.of("stuck", this::stuck));
        try (SocketChannel channel = connect()) {
            send(channel, "kvmdb/1 stuck\n");
            awaitQuietly(begun);
            server.close();
            assertEquals(1, ended.getCount());
            assertEquals("INTERRUPTED", code(receive(channel)));
        }
        mayEnd.countDown();
        awaitQuietly(ended);
    }
}
