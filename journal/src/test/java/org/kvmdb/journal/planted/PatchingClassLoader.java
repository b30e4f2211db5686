package org.kvmdb.journal.planted;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Loads the journal, and the harness that looks into it, once more, with some methods changed. What lies beneath them (the
 * shim, libraries, the JDK) is that of the parent; so what goes in and out are types of the JDK.
 */
final class PatchingClassLoader extends ClassLoader {

    static {
        registerAsParallelCapable();
    }

    /** What is loaded anew. */
    private static final String PREFIX = "org.kvmdb.journal.";

    private static final String PLANTED_CODE = PREFIX + "PlantedCode";

    private final Map<String, byte[]> patched = new HashMap<>();
    private final Instrument instrument;

    /** Changes what is loaded, whatever class it is. */
    interface Instrument {
        Instrument NONE = (name, bytes) -> bytes;

        byte[] apply(String className, byte[] bytes);
    }

    /** Throws {@link PatchMisfitException} if a patch does not fit. */
    PatchingClassLoader(ClassLoader parent, List<Patch> patches, Instrument instrument) {
        super("planted", parent);
        this.instrument = instrument;
        final MethodPatcher patcher = new MethodPatcher(parent, PLANTED_CODE);
        for (Patch patch : patches) {
            final String name = PREFIX + patch.type();
            try {
                patched.put(name, patcher.apply(patched.containsKey(name) ? patched.get(name) : bytesOf(name), patch));
            } catch (ClassNotFoundException e) {
                throw new PatchMisfitException("there is no class %s: %s".formatted(name, e.getMessage()));
            }
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(PREFIX)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            final Class<?> before = findLoadedClass(name);
            return before == null ? define(name) : before;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        final byte[] known = patched.get(name);
        final byte[] bytes = instrument.apply(name, known == null ? bytesOf(name) : known);
        return defineClass(name, bytes, 0, bytes.length);
    }

    /** The bytes of a class as it was compiled. */
    byte[] bytesOf(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }

    /** An instance of a class that is loaded here, by its constructor without arguments, as a type of the JDK. */
    <T> T make(String name, Class<T> type) {
        try {
            final var constructor = loadClass(PREFIX + name).getDeclaredConstructor();
            constructor.setAccessible(true);
            return type.cast(constructor.newInstance());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("cannot make " + name, e);
        }
    }
}
