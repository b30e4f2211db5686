#define _GNU_SOURCE
#include "hotspot.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

/*
 * libjvm exports tables that describe its own structures, for debuggers (vmStructs.cpp in the OpenJDK sources). They
 * lead from an address to the code blob that holds it, and a blob has a name. When a table lacks an entry that is
 * needed, no address counts as compiled Java: then bad pages are poisoned, never handed on, which is safe.
 */
struct vm_struct_entry {
    const char *type_name;
    const char *field_name;
    const char *type_string;
    int32_t is_static;
    uint64_t offset;
    void *address;
};

static struct {
    uint64_t libjvm_low, libjvm_high;
    const uint8_t *const *heaps; /* static CodeCache::_heaps: GrowableArray<CodeHeap*>* */
    uint64_t array_length, array_data;
    uint64_t heap_memory, heap_segmap, heap_log2_segment;
    uint64_t space_low, space_high;
    uint64_t blob_name;
    uint64_t block_used; /* last field of the header before a blob */
    int found;
} vm;

#define VM_FIELDS 9
#define HEAPS_MAX 8

static void note_field(const struct vm_struct_entry *e)
{
    static const struct {
        const char *type, *field;
        uint64_t *offset;
    } wanted[] = {
        {"GrowableArrayBase", "_len", &vm.array_length},
        {"GrowableArray<int>", "_data", &vm.array_data},
        {"CodeHeap", "_memory", &vm.heap_memory},
        {"CodeHeap", "_segmap", &vm.heap_segmap},
        {"CodeHeap", "_log2_segment_size", &vm.heap_log2_segment},
        {"VirtualSpace", "_low", &vm.space_low},
        {"VirtualSpace", "_high", &vm.space_high},
        {"CodeBlob", "_name", &vm.blob_name},
        {"HeapBlock::Header", "_used", &vm.block_used},
    };
    _Static_assert(sizeof wanted / sizeof *wanted == VM_FIELDS, "all are needed");
    if (e->is_static) {
        if (!strcmp(e->type_name, "CodeCache") && !strcmp(e->field_name, "_heaps"))
            vm.heaps = e->address;
        return;
    }
    for (int i = 0; i < VM_FIELDS; i++) {
        if (!strcmp(e->type_name, wanted[i].type) && !strcmp(e->field_name, wanted[i].field)) {
            *wanted[i].offset = e->offset;
            vm.found++;
        }
    }
}

static int note_libjvm(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    const char *file = strrchr(info->dlpi_name, '/');
    if (strcmp(file ? file + 1 : info->dlpi_name, "libjvm.so") != 0)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
            continue;
        vm.libjvm_low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        vm.libjvm_high = vm.libjvm_low + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

void hotspot_open(void)
{
    if (vm.libjvm_high)
        return;
    dl_iterate_phdr(note_libjvm, NULL);
    void *libjvm = dlopen("libjvm.so", RTLD_NOW | RTLD_NOLOAD);
    const struct vm_struct_entry **table = libjvm ? dlsym(libjvm, "gHotSpotVMStructs") : NULL;
    if (!table || !*table)
        return;
    for (const struct vm_struct_entry *e = *table; e->type_name; e++)
        note_field(e);
}

static uint64_t word_at(const uint8_t *structure, uint64_t offset)
{
    uint64_t value;
    memcpy(&value, structure + offset, sizeof value);
    return value;
}

/* Name of the code blob that holds the address, as CodeHeap::find_start finds it. */
static const char *blob_name_at(const uint8_t *heap, uint64_t address)
{
    uint64_t low = word_at(heap, vm.heap_memory + vm.space_low);
    uint64_t high = word_at(heap, vm.heap_memory + vm.space_high);
    if (address < low || address >= high)
        return NULL;
    int32_t shift;
    memcpy(&shift, heap + vm.heap_log2_segment, sizeof shift);
    const uint8_t *map = (const uint8_t *)word_at(heap, vm.heap_segmap + vm.space_low);
    const uint8_t *map_end = (const uint8_t *)word_at(heap, vm.heap_segmap + vm.space_high);
    uint64_t i = (address - low) >> shift;
    if (shift < 4 || shift > 16 || map + i >= map_end || map[i] == 0xff)
        return NULL;
    while (map[i] > 0 && i >= map[i])
        i -= map[i];
    /* The header ends with a bool and is padded to 8 bytes. */
    const uint8_t *blob = (const uint8_t *)(low + (i << shift)) + ((vm.block_used + 8) & ~7ull);
    return (const char *)word_at(blob, vm.blob_name);
}

static bool is_compiled_method(uint64_t address)
{
    if (vm.found != VM_FIELDS || !vm.heaps || !*vm.heaps)
        return false;
    int32_t count;
    memcpy(&count, *vm.heaps + vm.array_length, sizeof count);
    const uint8_t *const *heaps = (const uint8_t *const *)word_at(*vm.heaps, vm.array_data);
    for (int i = 0; i < count && i < HEAPS_MAX; i++) {
        const char *name = blob_name_at(heaps[i], address);
        if (name)
            return strcmp(name, "nmethod") == 0;
    }
    return false;
}

bool hotspot_handles_fault_at(uint64_t program_counter)
{
    return (program_counter >= vm.libjvm_low && program_counter < vm.libjvm_high) || is_compiled_method(program_counter);
}
