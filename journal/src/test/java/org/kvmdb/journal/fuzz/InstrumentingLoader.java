package org.kvmdb.journal.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ExceptionCatch;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.HashSet;
import java.util.Set;

/**
 * Loads the project's classes anew, above the native module, and has those that parse count the edges that they take: the begin
 * of a method, the target of a jump, what follows one that was not taken, a handler. Edges are numbered as classes are
 * loaded.
 */
public final class InstrumentingLoader extends ClassLoader {

    private static final String OURS = "org.kvmdb.";
    private static final String SHARED_NATIVE = "org.kvmdb.ffi.";
    private static final String SHARED_FUZZER = InstrumentingLoader.class.getPackageName() + ".";
    private static final Set<String> COUNTED =
            Set.of("org.kvmdb", "org.kvmdb.journal", "org.kvmdb.gc", "org.kvmdb.cache", "org.kvmdb.control");
    private static final String COUNTERS = EdgeCounters.class.getName();
    private static final ClassDesc COUNTERS_DESC = ClassDesc.of(COUNTERS);
    private static final MethodTypeDesc TAKE_DESC =
            MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

    private final ClassFile classFile = ClassFile.of(
            ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(getParent())
                    .orElse(ClassHierarchyResolver.defaultResolver())),
            ClassFile.DebugElementsOption.PASS_DEBUG);
    private int edges;

    public InstrumentingLoader(ClassLoader parent) {
        super(parent);
    }

    /** Edges of the classes that were loaded by now. */
    public synchronized int edges() {
        return Math.min(edges, EdgeCounters.COUNT);
    }

    /** What the classes of this loader count in. */
    public byte[] counts() {
        try {
            return (byte[]) loadClass(COUNTERS).getField("COUNTS").get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the counters cannot be reached", e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            final Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            return isOwn(name) ? define(name) : super.loadClass(name, resolve);
        }
    }

    private static boolean isOwn(String name) {
        return name.equals(COUNTERS)
                || name.startsWith(OURS) && !name.startsWith(SHARED_NATIVE) && !name.startsWith(SHARED_FUZZER);
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            final byte[] bytes = in.readAllBytes();
            final byte[] counting = isCounted(name) ? count(bytes) : bytes;
            return defineClass(name, counting, 0, counting.length);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }

    /** Code of the product: that of tests is on the class path as well, and its names say so. */
    private boolean isCounted(String name) {
        final int dot = name.lastIndexOf('.');
        return COUNTED.contains(name.substring(0, dot)) && !isTest(name);
    }

    private boolean isTest(String name) {
        final var from = getParent().getResource(name.replace('.', '/') + ".class");
        return from == null || from.toString().contains("test-classes") || from.toString().contains("-tests.jar");
    }

    private synchronized byte[] count(byte[] bytes) {
        return classFile.transformClass(classFile.parse(bytes), (builder, element) -> {
            if (element instanceof MethodModel method
                    && method.code().isPresent()
                    && !method.methodName().equalsString(ConstantDescs.CLASS_INIT_NAME)) {
                builder.transformMethod(
                        method, MethodTransform.transformingCode(new Counting(method.code().orElseThrow())));
            } else {
                builder.with(element);
            }
        });
    }

    private void take(CodeBuilder code) {
        code.loadConstant(edges++ % EdgeCounters.COUNT).invokestatic(COUNTERS_DESC, "take", TAKE_DESC);
    }

    /** Of one method. */
    private final class Counting implements CodeTransform {
        private final Set<Label> targets = new HashSet<>();

        Counting(CodeModel model) {
            model.forEach(this::note);
        }

        @Override
        public void atStart(CodeBuilder code) {
            take(code);
        }

        private void note(CodeElement element) {
            switch (element) {
                case BranchInstruction branch -> targets.add(branch.target());
                case LookupSwitchInstruction lookup -> {
                    targets.add(lookup.defaultTarget());
                    lookup.cases().stream().map(SwitchCase::target).forEach(targets::add);
                }
                case TableSwitchInstruction table -> {
                    targets.add(table.defaultTarget());
                    table.cases().stream().map(SwitchCase::target).forEach(targets::add);
                }
                case ExceptionCatch handler -> targets.add(handler.handler());
                default -> {}
            }
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            code.with(element);
            final boolean isJumpedTo = element instanceof LabelTarget label && targets.contains(label.label());
            if (isJumpedTo || element instanceof BranchInstruction branch && isConditional(branch)) {
                take(code);
            }
        }

        private static boolean isConditional(BranchInstruction branch) {
            return switch (branch.opcode()) {
                case GOTO, GOTO_W -> false;
                default -> true;
            };
        }
    }
}
