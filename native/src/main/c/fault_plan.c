#define _GNU_SOURCE
#include "fault_plan.h"
#include "futex_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DISARMED, ARMED };

#define GARBAGE_BYTES 65536

_Atomic uint32_t fault_plan_state; /* a futex word: what hangs waits for it to change */

static _Atomic uint32_t arm_lock;
static _Atomic uint32_t in_hand; /* operations that look at the rules */
static struct kvmdb_fault_rule rules[KVMDB_RULES_MAX];
static _Atomic int64_t seen[KVMDB_RULES_MAX];
static _Atomic int64_t hits[KVMDB_RULES_MAX];
static int rule_count;
static int silence[2] = {-1, -1}; /* a pipe that nothing comes out of, for submitted reads that hang */

/* ---- arming ---- */

static bool makes_sense(const struct kvmdb_fault_rule *rule)
{
    return rule->operations != 0 && rule->operations < 1ull << KVMDB_OPERATIONS && rule->effect < KVMDB_EFFECTS
        && rule->files <= KVMDB_FILES_UNNAMED;
}

static bool needs_silence(const struct kvmdb_fault_rule *rule)
{
    return rule->effect == KVMDB_EFFECT_HANG && rule->operations & 1ull << KVMDB_READ_SUBMIT;
}

static int take_rules(const struct kvmdb_fault_rule *from, int count)
{
    bool silent = false;
    for (int i = 0; i < count; i++) {
        if (!makes_sense(&from[i]))
            return -EINVAL;
        silent |= needs_silence(&from[i]);
    }
    if (silent && pipe2(silence, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    if (count)
        memcpy(rules, from, (size_t)count * sizeof *rules);
    rule_count = count;
    for (int i = 0; i < KVMDB_RULES_MAX; i++) {
        atomic_store(&seen[i], 0);
        atomic_store(&hits[i], 0);
    }
    return 0;
}

int kvmdb_faults_arm(const struct kvmdb_fault_rule *from, int count)
{
    if (count < 0 || count > KVMDB_RULES_MAX)
        return -EINVAL;
    futex_lock(&arm_lock);
    int r = fault_plan_is_armed() ? -EBUSY : take_rules(from, count);
    if (r == 0)
        atomic_store(&fault_plan_state, ARMED);
    futex_unlock(&arm_lock);
    return r;
}

/* Late reads end with what nobody may take for their block. */
static void end_silence(void)
{
    static const uint8_t garbage[GARBAGE_BYTES] = {[0 ... GARBAGE_BYTES - 1] = 0xee};
    if (silence[0] < 0)
        return;
    ssize_t written = write(silence[1], garbage, sizeof garbage);
    (void)written; /* whatever fits */
    close(silence[0]);
    close(silence[1]);
    silence[0] = silence[1] = -1;
}

int kvmdb_faults_disarm(void)
{
    futex_lock(&arm_lock);
    atomic_store(&fault_plan_state, DISARMED);
    futex_wake(&fault_plan_state, INT32_MAX);
    while (atomic_load(&in_hand))
        usleep(100);
    end_silence();
    futex_unlock(&arm_lock);
    return 0;
}

int64_t kvmdb_faults_seen(int rule)
{
    return rule >= 0 && rule < KVMDB_RULES_MAX ? atomic_load(&seen[rule]) : -EINVAL;
}

int64_t kvmdb_faults_hits(int rule)
{
    return rule >= 0 && rule < KVMDB_RULES_MAX ? atomic_load(&hits[rule]) : -EINVAL;
}

/* ---- whose turn it is ---- */

static bool is_about_file(const struct kvmdb_fault_rule *rule, int fd)
{
    if (rule->files == KVMDB_FILES_ALL && rule->inode == 0)
        return true;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (rule->files != KVMDB_FILES_ALL && (st.st_nlink == 0) != (rule->files == KVMDB_FILES_UNNAMED))
        return false;
    return rule->inode == 0 || (rule->inode == st.st_ino && rule->device == st.st_dev);
}

static bool is_about(const struct kvmdb_fault_rule *rule, enum kvmdb_operation operation, int fd, uint64_t position)
{
    return rule->operations & 1ull << operation && (rule->end == 0 || (position >= rule->begin && position < rule->end))
        && is_about_file(rule, fd);
}

/* Every rule counts what it is about, whoever has the effect. NULL: nothing goes wrong. */
static const struct kvmdb_fault_rule *turn_of(enum kvmdb_operation operation, int fd, uint64_t position)
{
    const struct kvmdb_fault_rule *turn = NULL;
    for (int i = 0; i < rule_count; i++) {
        if (!is_about(&rules[i], operation, fd, position))
            continue;
        uint64_t index = (uint64_t)atomic_fetch_add(&seen[i], 1);
        bool hit = index >= rules[i].first && (rules[i].times == 0 || index - rules[i].first < rules[i].times);
        if (!hit || turn || rules[i].effect == KVMDB_EFFECT_NONE)
            continue;
        atomic_fetch_add(&hits[i], 1);
        turn = &rules[i];
    }
    return turn;
}

/* ---- what happens ---- */

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static void wait_until_disarmed(void)
{
    while (fault_plan_is_armed())
        futex_wait(&fault_plan_state, ARMED, NULL);
}

static void flip_bit(uint8_t *buffer, int64_t transferred, int64_t bit)
{
    if (transferred > 0)
        buffer[bit / 8 % transferred] ^= (uint8_t)(1u << bit % 8);
}

static bool transfers(enum kvmdb_operation operation)
{
    return operation == KVMDB_READ_CACHED || operation == KVMDB_READ || operation == KVMDB_WRITE;
}

/* What comes before an operation. Waits or dies; returns false when the operation is not to be done. */
static bool comes_through(const struct kvmdb_fault_rule *rule)
{
    struct timespec pause_time = {rule->value / 1000, rule->value % 1000 * 1000000};
    switch ((enum kvmdb_effect)rule->effect) {
    case KVMDB_EFFECT_DELAY:
        nanosleep(&pause_time, NULL);
        return true;
    case KVMDB_EFFECT_HANG:
        wait_until_disarmed();
        return true;
    case KVMDB_EFFECT_KILL_BEFORE:
        die();
        return false;
    case KVMDB_EFFECT_ERROR:
    case KVMDB_EFFECT_SKIP:
        return false;
    default:
        return true;
    }
}

static int64_t with_effect(const struct kvmdb_fault_rule *rule, enum kvmdb_operation operation, int fd, void *buffer,
    uint64_t bytes, uint64_t position)
{
    bool moves = transfers(operation);
    if (!comes_through(rule))
        return rule->effect == KVMDB_EFFECT_ERROR ? -rule->value : moves ? (int64_t)bytes : 0;
    if (rule->effect == KVMDB_EFFECT_SHORT && moves && bytes > (uint64_t)rule->value)
        bytes = (uint64_t)rule->value;
    if (rule->effect == KVMDB_EFFECT_MISPLACE && moves)
        position += (uint64_t)rule->value;
    int64_t r = kernel_call_plain(operation, fd, buffer, bytes, position);
    if (rule->effect == KVMDB_EFFECT_KILL_AFTER)
        die();
    if (rule->effect == KVMDB_EFFECT_FLIP && moves && operation != KVMDB_WRITE)
        flip_bit(buffer, r, rule->value);
    return r;
}

/* Whether the plan is still armed, and stays as it is until leave(). */
static bool enter(void)
{
    atomic_fetch_add(&in_hand, 1);
    if (atomic_load(&fault_plan_state) == ARMED)
        return true;
    atomic_fetch_sub(&in_hand, 1);
    return false;
}

static void leave(void)
{
    atomic_fetch_sub(&in_hand, 1);
}

int64_t fault_plan_call(enum kvmdb_operation operation, int fd, void *buffer, uint64_t bytes, uint64_t position)
{
    if (!enter())
        return kernel_call_plain(operation, fd, buffer, bytes, position);
    const struct kvmdb_fault_rule *rule = turn_of(operation, fd, position);
    int64_t r = rule ? with_effect(rule, operation, fd, buffer, bytes, position)
                     : kernel_call_plain(operation, fd, buffer, bytes, position);
    leave();
    return r;
}

/* ---- io_uring ---- */

int fault_plan_submit(int *fd, uint64_t *position, uint32_t *bytes)
{
    if (!enter())
        return 0;
    int r = 0;
    const struct kvmdb_fault_rule *rule = turn_of(KVMDB_READ_SUBMIT, *fd, *position);
    if (rule && rule->effect == KVMDB_EFFECT_HANG)
        *fd = silence[0];
    else if (rule && !comes_through(rule))
        r = rule->effect == KVMDB_EFFECT_ERROR ? (int)-rule->value : -EAGAIN;
    else if (rule && rule->effect == KVMDB_EFFECT_SHORT && *bytes > (uint64_t)rule->value)
        *bytes = (uint32_t)rule->value;
    else if (rule && rule->effect == KVMDB_EFFECT_MISPLACE)
        *position += (uint64_t)rule->value;
    leave();
    return r;
}

enum fault_completion fault_plan_complete(int fd, void *buffer, int64_t *result)
{
    enum fault_completion what = COMPLETION_COMES;
    if (!enter())
        return what;
    const struct kvmdb_fault_rule *rule = turn_of(KVMDB_READ_COMPLETE, fd, 0);
    if (rule && rule->effect == KVMDB_EFFECT_REPEAT) {
        what = COMPLETION_STAYS;
    } else if (rule && !comes_through(rule)) {
        if (rule->effect == KVMDB_EFFECT_ERROR)
            *result = -rule->value;
        else
            what = COMPLETION_IS_LOST;
    } else if (rule && rule->effect == KVMDB_EFFECT_SHORT && *result > rule->value) {
        *result = rule->value;
    } else if (rule && rule->effect == KVMDB_EFFECT_FLIP) {
        flip_bit(buffer, *result, rule->value);
    } else if (rule && rule->effect == KVMDB_EFFECT_KILL_AFTER) {
        die();
    }
    leave();
    return what;
}
