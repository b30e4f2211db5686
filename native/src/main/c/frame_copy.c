#define _GNU_SOURCE
#include "frame_copy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <string.h>

/* Where the copy that is under way returns to, and the address of its page. */
static __thread sigjmp_buf *volatile way_back;
static __thread volatile uint64_t copied_page;

int frame_copy(struct region *region, uint64_t lpn, void *destination)
{
    sigjmp_buf here;
    int r = 0;
    if (sigsetjmp(here, 0) == 0) {
        way_back = &here;
        copied_page = page_address(region, lpn);
        atomic_signal_fence(memory_order_seq_cst);
        memcpy(destination, (const void *)page_address(region, lpn), region->page_bytes);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        r = -EHWPOISON;
    }
    copied_page = 0;
    return r;
}

bool frame_copy_is_of(const struct region *region, uint64_t lpn)
{
    return copied_page == page_address(region, lpn);
}

_Noreturn void frame_copy_abandon(void)
{
    siglongjmp(*way_back, 1);
}
