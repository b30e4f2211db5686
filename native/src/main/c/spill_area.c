#include "spill_area.h"
#include "crc32c.h"
#include "device_reader.h"

#include <errno.h>

static uint32_t sum_of(const struct region *region, const void *page)
{
    return ~crc32c_update(~0u, page, region->page_bytes);
}

int spill_write(struct region *region, uint64_t lpn, const void *page)
{
    atomic_store_explicit(&region->spill_sums[lpn], sum_of(region, page), memory_order_relaxed);
    return kvmdb_file_write(region->spill_fd, page, region->page_bytes, lpn << region->page_shift);
}

static int verify(const struct region *region, uint64_t lpn, const void *page)
{
    return sum_of(region, page) == atomic_load_explicit(&region->spill_sums[lpn], memory_order_relaxed) ? 0 : -EBADMSG;
}

int spill_read_in_fault(struct region *region, uint64_t lpn, struct fault_slot *slot)
{
    struct read_device spill = {.fd = region->spill_fd, .direct_fd = -1, .waits = region->spill_waits};
    int r = device_read(region->pool, &spill, slot, region->page_bytes, lpn << region->page_shift, false);
    return r ? r : verify(region, lpn, slot->blocks);
}

int spill_read(struct region *region, uint64_t lpn, void *page)
{
    int64_t n = kvmdb_file_read(region->spill_fd, page, region->page_bytes, lpn << region->page_shift);
    return n < 0 ? (int)n : n < region->page_bytes ? -EIO : verify(region, lpn, page);
}
