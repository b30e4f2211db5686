package org.kvmdb.journal.planted;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;

/** Applies a {@link Patch} to the bytes of its class. */
final class MethodPatcher {

    private final ClassFile classFile;
    private final ClassDesc plantedCode;

    /** @param resources where classes are found that the patched ones refer to */
    MethodPatcher(ClassLoader resources, String plantedCode) {
        classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(resources).cached()));
        this.plantedCode = ClassDesc.of(plantedCode);
    }

    byte[] apply(byte[] bytes, Patch patch) {
        final ClassModel model = classFile.parse(bytes);
        check(model, patch);
        if (patch.change() instanceof Patch.Return(int value)) {
            return classFile.transformClass(model, ClassTransform.transformingMethods(
                    method -> method.methodName().equalsString(patch.method()), returning(value)));
        }
        final Edit edit = new Edit(model, patch);
        return classFile.transformClass(model, ClassTransform.transformingMethodBodies(
                method -> isOf(patch, method), edit));
    }

    private static boolean isOf(Patch patch, MethodModel method) {
        return patch.isOf(method.methodName().stringValue());
    }

    // ---- whether it fits ----

    private static void check(ClassModel model, Patch patch) {
        switch (patch.change()) {
            case Patch.Skip(Patch.Call call) -> check(model, patch, call);
            case Patch.Answer(Patch.Call call, int _) -> check(model, patch, call);
            case Patch.Twice(Patch.Call call) -> check(model, patch, call);
            case Patch.Redirect(Patch.Call call, String _) -> check(model, patch, call);
            case Patch.Decide(Patch.Call call, boolean _) -> check(model, patch, call);
            case Patch.Swap(Patch.Call one, Patch.Call other) -> {
                check(model, patch, one);
                check(model, patch, other);
            }
            case Patch.NegateNth(int _, int of) -> checkConditions(model, patch, of);
            case Patch.DecideNth(int _, int of, boolean _) -> checkConditions(model, patch, of);
            case Patch.Keep(String field) ->
                check(patch, "stores to " + field, 1, elements(model, patch).stream().filter(e -> stores(e, field)).count());
            case Patch.Return _ -> check(patch, "methods", 1, model.methods().stream()
                    .filter(method -> method.methodName().equalsString(patch.method()))
                    .count());
        }
    }

    private static void check(ClassModel model, Patch patch, Patch.Call call) {
        check(patch, "calls of " + call, call.of(),
                elements(model, patch).stream().filter(element -> calls(element, call)).count());
    }

    private static void checkConditions(ClassModel model, Patch patch, int of) {
        check(patch, "conditions", of, elements(model, patch).stream().filter(MethodPatcher::isCondition).count());
    }

    private static void check(Patch patch, String what, int expected, long found) {
        if (found != expected) {
            throw new PatchMisfitException("%s.%s has %d %s, the planted bug expects %d: describe it anew"
                    .formatted(patch.type(), patch.method(), found, what, expected));
        }
    }

    private static List<CodeElement> elements(ClassModel model, Patch patch) {
        final List<CodeElement> result = new ArrayList<>();
        for (MethodModel method : model.methods()) {
            if (isOf(patch, method)) {
                method.code().ifPresent(code -> code.forEach(result::add));
            }
        }
        return result;
    }

    private static boolean calls(CodeElement element, Patch.Call call) {
        return element instanceof InvokeInstruction invoke
                && call.names(invoke.owner().asInternalName(), invoke.name().stringValue());
    }

    private static boolean stores(CodeElement element, String field) {
        return element instanceof FieldInstruction store
                && store.opcode() == Opcode.PUTFIELD
                && store.name().equalsString(field);
    }

    private static boolean isCondition(CodeElement element) {
        return element instanceof BranchInstruction branch && branch.opcode() != Opcode.GOTO && branch.opcode() != Opcode.GOTO_W;
    }

    // ---- the change ----

    private static MethodTransform returning(int value) {
        return (builder, element) -> {
            if (element instanceof CodeModel code) {
                final MethodTypeDesc type = code.parent().orElseThrow().methodTypeSymbol();
                builder.withCode(body -> {
                    push(body, type.returnType(), value);
                    body.return_(TypeKind.from(type.returnType()));
                });
            } else {
                builder.with(element);
            }
        };
    }

    private static void push(CodeBuilder code, ClassDesc type, int value) {
        switch (TypeKind.from(type)) {
            case VOID -> {}
            case LONG -> code.loadConstant((long) value);
            case REFERENCE -> code.aconst_null();
            case FLOAT, DOUBLE -> throw new PatchMisfitException("no constants of type " + type.displayName());
            default -> code.loadConstant(value);
        }
    }

    private static void pop(CodeBuilder code, ClassDesc type) {
        switch (TypeKind.from(type).slotSize()) {
            case 0 -> {}
            case 1 -> code.pop();
            default -> code.pop2();
        }
    }

    /** Goes through the code of the method, and of the lambdas in it, once, and counts what it passes. */
    private final class Edit implements CodeTransform {
        private final Patch patch;
        private final InvokeInstruction one;
        private final InvokeInstruction other;
        private int calls;
        private int othersCalled;
        private int conditions;
        private boolean conditionIsNext;

        Edit(ClassModel model, Patch patch) {
            this.patch = patch;
            if (patch.change() instanceof Patch.Swap(Patch.Call first, Patch.Call second)) {
                one = find(model, first);
                other = find(model, second);
                if (!one.typeSymbol().equals(other.typeSymbol()) || one.opcode() != other.opcode()) {
                    throw new PatchMisfitException("%s and %s do not take the same".formatted(first, second));
                }
            } else {
                one = null;
                other = null;
            }
        }

        private InvokeInstruction find(ClassModel model, Patch.Call call) {
            return (InvokeInstruction)
                    elements(model, patch).stream().filter(e -> calls(e, call)).skip(call.nth() - 1L).findFirst().orElseThrow();
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            switch (patch.change()) {
                case Patch.Skip(Patch.Call call) when isAt(call, element) -> skip(code, (InvokeInstruction) element, 0);
                case Patch.Answer(Patch.Call call, int value) when isAt(call, element) ->
                    skip(code, (InvokeInstruction) element, value);
                case Patch.Twice(Patch.Call call) when isAt(call, element) -> twice(code, (InvokeInstruction) element);
                case Patch.Redirect(Patch.Call call, String to) when isAt(call, element) ->
                    redirect(code, (InvokeInstruction) element, to);
                case Patch.Swap(Patch.Call first, Patch.Call second) -> swap(code, element, first, second);
                case Patch.Decide(Patch.Call behind, boolean jumps) when isConditionBehind(behind, element) ->
                    decide(code, (BranchInstruction) element, jumps);
                case Patch.DecideNth(int nth, int _, boolean jumps) when isCondition(element, nth) ->
                    decide(code, (BranchInstruction) element, jumps);
                case Patch.NegateNth(int nth, int _) when isCondition(element, nth) ->
                    negate(code, (BranchInstruction) element);
                case Patch.Keep(String field) when stores(element, field) -> {
                    pop(code, ((FieldInstruction) element).typeSymbol());
                    code.pop();
                }
                default -> code.with(element);
            }
        }

        private boolean isAt(Patch.Call call, CodeElement element) {
            return calls(element, call) && ++calls == call.nth();
        }

        private boolean isCondition(CodeElement element, int nth) {
            return MethodPatcher.isCondition(element) && ++conditions == nth;
        }

        private boolean isConditionBehind(Patch.Call behind, CodeElement element) {
            if (conditionIsNext && MethodPatcher.isCondition(element)) {
                conditionIsNext = false;
                return true;
            }
            conditionIsNext |= isAt(behind, element);
            return false;
        }

        private void skip(CodeBuilder code, InvokeInstruction call, int value) {
            final List<ClassDesc> arguments = call.typeSymbol().parameterList();
            arguments.reversed().forEach(type -> pop(code, type));
            if (call.opcode() != Opcode.INVOKESTATIC) {
                code.pop();
            }
            push(code, call.typeSymbol().returnType(), value);
        }

        private void twice(CodeBuilder code, InvokeInstruction call) {
            final List<ClassDesc> taken = taken(call);
            final int[] slots = new int[taken.size()];
            for (int i = slots.length - 1; i >= 0; i--) {
                final TypeKind kind = TypeKind.from(taken.get(i));
                slots[i] = code.allocateLocal(kind);
                code.storeLocal(kind, slots[i]);
            }
            for (int time = 0; time < 2; time++) {
                for (int i = 0; i < slots.length; i++) {
                    code.loadLocal(TypeKind.from(taken.get(i)), slots[i]);
                }
                code.with(call);
                if (time == 0) {
                    pop(code, call.typeSymbol().returnType());
                }
            }
        }

        /** Receiver, unless it is static, and arguments. */
        private static List<ClassDesc> taken(InvokeInstruction call) {
            final List<ClassDesc> result = new ArrayList<>(call.typeSymbol().parameterList());
            if (call.opcode() != Opcode.INVOKESTATIC) {
                result.addFirst(call.owner().asSymbol());
            }
            return result;
        }

        private void redirect(CodeBuilder code, InvokeInstruction call, String to) {
            code.invokestatic(plantedCode, to, MethodTypeDesc.of(call.typeSymbol().returnType(), taken(call)));
        }

        private void swap(CodeBuilder code, CodeElement element, Patch.Call first, Patch.Call second) {
            if (calls(element, first) && ++calls == first.nth()) {
                code.with(other);
            } else if (calls(element, second) && ++othersCalled == second.nth()) {
                code.with(one);
            } else {
                code.with(element);
            }
        }

        private static void decide(CodeBuilder code, BranchInstruction branch, boolean jumps) {
            final String name = branch.opcode().name();
            code.pop();
            if (name.startsWith("IF_ICMP") || name.startsWith("IF_ACMP")) {
                code.pop();
            }
            if (jumps) {
                code.goto_(branch.target());
            }
        }

        private static void negate(CodeBuilder code, BranchInstruction branch) {
            code.branch(reverse(branch.opcode()), branch.target());
        }

        private static Opcode reverse(Opcode opcode) {
            return switch (opcode) {
                case IFEQ -> Opcode.IFNE;
                case IFNE -> Opcode.IFEQ;
                case IFLT -> Opcode.IFGE;
                case IFGE -> Opcode.IFLT;
                case IFGT -> Opcode.IFLE;
                case IFLE -> Opcode.IFGT;
                case IF_ICMPEQ -> Opcode.IF_ICMPNE;
                case IF_ICMPNE -> Opcode.IF_ICMPEQ;
                case IF_ICMPLT -> Opcode.IF_ICMPGE;
                case IF_ICMPGE -> Opcode.IF_ICMPLT;
                case IF_ICMPGT -> Opcode.IF_ICMPLE;
                case IF_ICMPLE -> Opcode.IF_ICMPGT;
                case IF_ACMPEQ -> Opcode.IF_ACMPNE;
                case IF_ACMPNE -> Opcode.IF_ACMPEQ;
                case IFNULL -> Opcode.IFNONNULL;
                case IFNONNULL -> Opcode.IFNULL;
                default -> throw new PatchMisfitException("no condition: " + opcode);
            };
        }
    }
}
