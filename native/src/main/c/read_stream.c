#include "read_stream.h"

#define STREAMS 4
#define GUESSES 8
#define STRIDE_MAX 0xffff  /* read_ahead.c packs it */
#define REPEATS_MIN 2      /* of a distance, before it counts as a stride */
#define FIRST_STEPS 8      /* of a stride, asked for first */
#define PAUSE_RUNS 16      /* without windows, when they came too early */
#define FORGET_AFTER 64    /* faults of the thread elsewhere */

struct stream {
    const struct region *region;
    uint64_t last; /* where it faulted last */
    int64_t stride;
    uint64_t due;  /* a fault here or behind asks for more */
    uint64_t end;  /* behind what was filled or asked for */
    uint32_t seen;   /* at which of the thread's faults it went on last */
    uint32_t run;    /* pages that a fault fills */
    uint32_t window; /* pages asked for last; 0: none yet, or they were evicted before they were used */
};

/* All of this is of the current thread. */
static __thread struct stream streams[STREAMS];
static __thread uint32_t newest;
static __thread uint32_t faults;

/* The last faults that belong to no stream: each may be the first of one. */
static __thread struct {
    const struct region *region;
    uint64_t lpn;
} guesses[GUESSES];
static __thread uint32_t last_guess;
/* The distance between the last two of them, and how often it was the same. */
static __thread int64_t distance;
static __thread uint32_t repeats;

static uint64_t page_after(uint64_t lpn, int64_t stride, uint32_t steps)
{
    return lpn + (uint64_t)(stride * (int64_t)steps);
}

/* Steps from where the stream faulted last. */
static int64_t steps_to(const struct stream *s, uint64_t lpn)
{
    return (int64_t)(lpn - s->last) / s->stride;
}

/* Else faults at random, sooner or later, would hit upon where it might go on, and go on from there. */
static bool is_forgotten(const struct stream *s)
{
    return faults - s->seen > FORGET_AFTER + 4 * s->window;
}

/* Pages that were in memory before are passed without a fault, so the reader may come out a little behind the end. */
static bool is_on_way(const struct stream *s, const struct region *region, uint64_t lpn)
{
    if (s->region != region || is_forgotten(s) || (int64_t)(lpn - s->last) % s->stride != 0)
        return false;
    int64_t steps = steps_to(s, lpn);
    return steps > 0 && steps <= steps_to(s, s->end) + s->run;
}

static struct stream *stream_of(const struct region *region, uint64_t lpn)
{
    for (int i = 0; i < STREAMS; i++) {
        if (is_on_way(&streams[i], region, lpn))
            return &streams[i];
    }
    return NULL;
}

/* The stride of the stream that this fault and those before it may be, or 0. */
static int64_t guess_stride(const struct region *region, uint64_t lpn)
{
    int64_t now = guesses[last_guess].region == region ? (int64_t)(lpn - guesses[last_guess].lpn) : 0;
    if (now > STRIDE_MAX || now < -STRIDE_MAX)
        now = 0;
    repeats = now != 0 && now == distance ? repeats + 1 : 0;
    distance = now;
    if (repeats >= REPEATS_MIN)
        return now;
    for (int i = 0; i < GUESSES; i++) {
        if (guesses[i].region == region && guesses[i].lpn + 1 == lpn)
            return 1;
    }
    return 0;
}

static struct stream *stream_begun(const struct region *region, uint64_t lpn)
{
    int64_t stride = guess_stride(region, lpn);
    last_guess = (last_guess + 1) % GUESSES;
    guesses[last_guess].region = region;
    guesses[last_guess].lpn = lpn;
    if (stride == 0)
        return NULL;
    newest = (newest + 1) % STREAMS;
    streams[newest] = (struct stream){
        .region = region, .last = lpn - (uint64_t)stride, .stride = stride, .due = lpn, .end = lpn, .seen = faults, .run = 1};
    return &streams[newest];
}

static void ask(struct stream *s, const struct stream_fault *fault, bool passed_all, struct stream_plan *plan)
{
    uint32_t window = s->window * 2;
    if (s->window == 0)
        window = s->stride == 1 ? s->run * 2 : FIRST_STEPS;
    else if (passed_all) /* nobody was quick enough to read ahead */
        window = s->window;
    plan->used = s->window ? s->window - 1 : 0;
    s->window = window < fault->window_pages ? window : fault->window_pages;
    plan->ahead = (struct page_steps){page_after(s->end, s->stride, 1), s->stride, s->window - 1};
    s->due = s->end;
    s->end = page_after(s->end, s->stride, s->window);
}

static void back_off(struct stream *s)
{
    s->window /= 2;
    if (s->window <= s->run) {
        s->window = 0;
        s->due = page_after(s->end, s->stride, PAUSE_RUNS * s->run);
    }
}

void stream_fault(const struct stream_fault *fault, struct stream_plan *plan)
{
    *plan = (struct stream_plan){.pages = 1};
    faults++;
    struct stream *s = stream_of(fault->region, fault->lpn);
    if (!s)
        s = stream_begun(fault->region, fault->lpn);
    if (!s)
        return;
    bool passed_all = steps_to(s, fault->lpn) >= steps_to(s, s->end);
    bool is_due = steps_to(s, fault->lpn) >= steps_to(s, s->due);
    s->last = fault->lpn;
    s->seen = faults;
    if (s->stride == 1)
        s->run = s->run * 2 < fault->run_pages ? s->run * 2 : fault->run_pages;
    plan->pages = s->run;
    if (passed_all)
        s->end = page_after(fault->lpn, s->stride, s->run);
    if (s->stride == 1 && s->run < fault->run_pages)
        return;
    if (!passed_all && s->window != 0 && fault->evictions_ago <= 4 * s->window)
        back_off(s);
    else if (is_due && fault->window_pages > s->run)
        ask(s, fault, passed_all, plan);
    int64_t ahead = steps_to(s, s->due) - 1;
    if (ahead > 0 && s->window != 0)
        plan->rest = (struct page_steps){page_after(fault->lpn, s->stride, 1), s->stride, (uint32_t)ahead};
}
