package org.kvmdb;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The tower: each module uses those below it and knows nothing of those above. */
@AnalyzeClasses(packages = "org.kvmdb", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule TOWER_IS_ONE_WAY = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .withOptionalLayers(true)
            .layer("native").definedBy("org.kvmdb.ffi..")
            .layer("journal").definedBy("org.kvmdb.journal..")
            .layer("cache").definedBy("org.kvmdb.cache..")
            .layer("gc").definedBy("org.kvmdb.gc..")
            .layer("core").definedBy("org.kvmdb", "org.kvmdb.control..", "org.kvmdb.telemetry..")
            .layer("tools").definedBy("org.kvmdb.tools..", "org.kvmdb.crashtest..")
            .whereLayer("tools").mayNotBeAccessedByAnyLayer()
            .whereLayer("core").mayOnlyBeAccessedByLayers("tools")
            .whereLayer("cache").mayOnlyBeAccessedByLayers("core", "tools")
            .whereLayer("gc").mayOnlyBeAccessedByLayers("core", "tools")
            .whereLayer("journal").mayOnlyBeAccessedByLayers("cache", "gc", "core", "tools");

    @ArchTest
    static final ArchRule NO_CYCLES = slices().matching("org.kvmdb.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule CACHE_KNOWS_NOTHING_OF_GC = noClasses()
            .that()
            .resideInAPackage("org.kvmdb.cache..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.kvmdb.gc..");

    @ArchTest
    static final ArchRule GC_KNOWS_NOTHING_OF_CACHE = noClasses()
            .that()
            .resideInAPackage("org.kvmdb.gc..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.kvmdb.cache..")
            .allowEmptyShould(true);

    private static final DescribedPredicate<JavaClass> INTERNAL =
            resideInAnyPackage("org.kvmdb.ffi..", "org.kvmdb.journal..", "org.kvmdb.cache..", "org.kvmdb.gc..");

    @ArchTest
    static final ArchRule PUBLIC_API_RETURNS_NOTHING_INTERNAL = noMethods()
            .that()
            .arePublic()
            .and()
            .areDeclaredInClassesThat(publicApi())
            .should()
            .haveRawReturnType(INTERNAL);

    @ArchTest
    static final ArchRule PUBLIC_API_TAKES_NOTHING_INTERNAL = methods()
            .that()
            .arePublic()
            .and()
            .areDeclaredInClassesThat(publicApi())
            .should()
            .haveRawParameterTypes(parametersThat(not(INTERNAL)));

    @ArchTest
    static final ArchRule ONLY_THE_SHIMS_MODULE_CALLS_THE_SHIM = noClasses()
            .that()
            .resideOutsideOfPackage("org.kvmdb.ffi..")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("org.kvmdb.ffi.Shim");

    @ArchTest
    static final ArchRule NO_GETTERS_OR_SETTERS = noMethods()
            .that()
            .areDeclaredInClassesThat(resideInAPackage("org.kvmdb.."))
            .and()
            .areNotPrivate()
            .should()
            .haveNameMatching("(get|set)[A-Z].*");

    private static DescribedPredicate<JavaClass> publicApi() {
        return resideInAPackage("org.kvmdb").and(DescribedPredicate.describe(
                "are public", c -> c.getModifiers().contains(JavaModifier.PUBLIC)));
    }

    private static DescribedPredicate<java.util.List<JavaClass>> parametersThat(DescribedPredicate<JavaClass> each) {
        return DescribedPredicate.describe("all are " + each.getDescription(), all -> all.stream().allMatch(each));
    }
}
