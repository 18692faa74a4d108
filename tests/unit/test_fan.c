/* One stream for several readers: none waits for another, none misses a byte. */
#include "config.h"
#include "core/engine/fan.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1u << 20)

static char dir[] = "/tmp/sr-test-fan-XXXXXX";

/* The byte at a place of the stream; no short period. */
static unsigned char at(uint64_t i)
{
    return (unsigned char)((i * 2654435761u) >> 13 ^ i >> 20);
}

static struct sr_fan *fan(size_t ring, unsigned readers, const char *folder)
{
    struct sr_fan *f = NULL;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_fan_new(ring, readers, folder, "the test", &f, &err), err);
    for (unsigned i = 0; i < readers; i++)
        sr_fan_name(f, i, "test");
    return f;
}

/* Writes up to len bytes in pieces; how many were taken before one did not fit within timeout_ms.
 * *ret_rc: of the last write. */
static uint64_t put(struct sr_fan *f, uint64_t from, uint64_t len, int timeout_ms, int *ret_rc)
{
    unsigned char buf[65536];
    uint64_t done = 0;
    *ret_rc = SR_OK;
    while (done < len && *ret_rc == SR_OK) {
        size_t n = len - done < sizeof buf ? (size_t)(len - done) : sizeof buf, m = 0;
        for (size_t i = 0; i < n; i++)
            buf[i] = at(from + done + i);
        *ret_rc = sr_fan_write(f, buf, n, timeout_ms, &m, NULL);
        done += *ret_rc == SR_OK ? m : 0;
    }
    return done;
}

/* Reads up to len bytes; how many were right and in order. */
static uint64_t get(struct sr_fan *f, unsigned reader, uint64_t from, uint64_t len, int timeout_ms,
                    int *ret_rc)
{
    unsigned char buf[50000];
    uint64_t done = 0;
    *ret_rc = SR_OK;
    while (done < len) {
        size_t n = 0, cap = len - done < sizeof buf ? (size_t)(len - done) : sizeof buf;
        *ret_rc = sr_fan_read(f, reader, buf, cap, timeout_ms, &n, NULL);
        if (*ret_rc != SR_OK || n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            if (buf[i] != at(from + done + i))
                return done + i;
        done += n;
    }
    return done;
}

struct side {
    struct sr_fan *f;
    unsigned reader;
    uint64_t len, got; /* len: where it leaves */
    unsigned pause_us; /* now and then */
    int rc;
    pthread_t thread;
};

static void *side_main(void *arg)
{
    struct side *s = arg;
    unsigned char buf[70000];
    unsigned seed = s->reader + 1;
    while (s->got < s->len) {
        size_t n = 0;
        s->rc =
            sr_fan_read(s->f, s->reader, buf, 1 + (size_t)rand_r(&seed) % sizeof buf, 5, &n, NULL);
        if (s->rc == SR_E_AGAIN)
            continue;
        if (s->rc != SR_OK || n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            if (buf[i] != at(s->got + i)) {
                s->rc = SR_E_CORRUPT;
                sr_fan_leave(s->f, s->reader);
                return NULL;
            }
        s->got += n;
        if (s->pause_us && rand_r(&seed) % 8 == 0)
            usleep(s->pause_us);
    }
    sr_fan_leave(s->f, s->reader);
    return NULL;
}

static void side_start_for(struct side *s, struct sr_fan *f, unsigned reader, unsigned pause_us,
                           uint64_t len)
{
    *s = (struct side){.f = f, .reader = reader, .len = len, .pause_us = pause_us};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread, NULL, side_main, s), 0);
}

static void side_start(struct side *s, struct sr_fan *f, unsigned reader, unsigned pause_us)
{
    side_start_for(s, f, reader, pause_us, UINT64_MAX);
}

static uint64_t side_end(struct side *s)
{
    (void)pthread_join(s->thread, NULL);
    return s->got;
}

/* Bytes on the disk of the one spool file of this process. */
static long long spool_blocks(void)
{
    long long blocks = -1;
    DIR *d = opendir("/proc/self/fd");
    for (const struct dirent *e; d && (e = readdir(d));) {
        char link[512], path[4096];
        struct stat st;
        (void)snprintf(link, sizeof link, "/proc/self/fd/%s", e->d_name);
        ssize_t n = readlink(link, path, sizeof path - 1);
        if (n > 0 && strncmp(path, dir, strlen(dir)) == 0 && stat(link, &st) == 0)
            blocks = (long long)st.st_blocks * 512;
    }
    if (d)
        (void)closedir(d);
    return blocks;
}

static void a_reader_that_stands_still_holds_up_nobody(void)
{
    struct sr_fan *f = fan(MIB, 3, dir);
    struct side a, b;
    int rc = SR_OK;
    const uint64_t all = 40 * MIB;
    side_start(&a, f, 0, 0);
    side_start(&b, f, 1, 0);
    CU_ASSERT_EQUAL(put(f, 0, all, 20000, &rc), all);
    sr_fan_end(f);
    CU_ASSERT_EQUAL(side_end(&a), all);
    CU_ASSERT_EQUAL(side_end(&b), all);
    CU_ASSERT_TRUE(spool_blocks() >= (long long)(all - 2 * MIB));
    CU_ASSERT_EQUAL(get(f, 2, 0, all / 2, -1, &rc), all / 2);
    CU_ASSERT_TRUE(spool_blocks() < (long long)(all / 2 + 10 * MIB)); /* given back on the way */
    CU_ASSERT_EQUAL(get(f, 2, all / 2, UINT64_MAX, -1, &rc), all - all / 2);
    CU_ASSERT_EQUAL(rc, SR_OK);
    CU_ASSERT_TRUE(sr_fan_spooled(f, 2) >= all - 2 * MIB && sr_fan_spooled(f, 2) <= all);
    CU_ASSERT_TRUE(sr_fan_spooled(f, 0) + sr_fan_spooled(f, 1) < all);
    sr_fan_unref(f);
    CU_ASSERT_EQUAL(spool_blocks(), -1);
}

static void while_all_are_behind_the_writer_waits(void)
{
    struct sr_fan *f = fan(MIB, 2, dir);
    int rc = SR_OK;
    CU_ASSERT_EQUAL(put(f, 0, 8 * MIB, 50, &rc), MIB);
    CU_ASSERT_EQUAL(rc, SR_E_AGAIN);
    CU_ASSERT_EQUAL(get(f, 0, 0, MIB / 2, 0, &rc), MIB / 2); /* one is ahead, and has not all */
    CU_ASSERT_EQUAL(put(f, MIB, 8 * MIB, 50, &rc), 0);
    CU_ASSERT_EQUAL(spool_blocks(), -1);
    CU_ASSERT_EQUAL(get(f, 0, MIB / 2, MIB, 0, &rc), MIB / 2); /* now it waits for more */
    CU_ASSERT_EQUAL(rc, SR_E_AGAIN);
    CU_ASSERT_TRUE(put(f, MIB, MIB / 8, 50, &rc) > 0);
    CU_ASSERT_TRUE(spool_blocks() > 0);
    sr_fan_unref(f);
}

static void without_a_disk_the_slowest_sets_the_pace(void)
{
    struct sr_fan *f = fan(MIB, 2, "/dev/null/none");
    struct side fast, slow;
    int rc = SR_OK;
    side_start(&fast, f, 0, 0);
    CU_ASSERT_EQUAL(put(f, 0, 3 * MIB, 100, &rc), MIB);
    CU_ASSERT_EQUAL(rc, SR_E_AGAIN);
    side_start(&slow, f, 1, 200);
    CU_ASSERT_EQUAL(put(f, MIB, 7 * MIB, 20000, &rc), 7 * MIB);
    sr_fan_end(f);
    CU_ASSERT_EQUAL(side_end(&fast), 8 * MIB);
    CU_ASSERT_EQUAL(side_end(&slow), 8 * MIB);
    CU_ASSERT_EQUAL(sr_fan_spooled(f, 1), 0);
    sr_fan_unref(f);
}

static void a_deferred_reader_begins_after_the_end(void)
{
    for (int disk = 1; disk >= 0; disk--) {
        struct sr_fan *f = fan(MIB, 2, disk ? dir : "/dev/null/none");
        struct side fast;
        struct sr_error err = SR_ERROR_INIT;
        int rc = SR_OK;
        sr_fan_defer(f, 1);
        side_start(&fast, f, 0, 0);
        CU_ASSERT_EQUAL(put(f, 0, 512, 20000, &rc), 512);
        CU_ASSERT_EQUAL(get(f, 1, 0, 1, 20, &rc), 0);
        CU_ASSERT_EQUAL(rc, SR_E_AGAIN);
        CU_ASSERT_EQUAL(put(f, 512, 20 * MIB, 20000, &rc), 20 * MIB);
        sr_fan_end(f);
        CU_ASSERT_EQUAL(side_end(&fast), 20 * MIB + 512);
        for (int again = 0; disk && again < 2; again++) {
            ASSERT_OK(sr_fan_await(f, 1, &err), err);
            CU_ASSERT_EQUAL(get(f, 1, 0, UINT64_MAX, -1, &rc), 20 * MIB + 512);
            sr_fan_rewind(f, 1);
        }
        if (!disk) {
            CU_ASSERT_EQUAL(sr_fan_await(f, 1, &err), SR_E_NO_SPACE);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "--stream"));
        }
        sr_fan_unref(f);
    }
}

static void who_leaves_holds_up_nobody(void)
{
    struct sr_fan *f = fan(MIB, 2, "/dev/null/none");
    struct side fast;
    int rc = SR_OK;
    side_start(&fast, f, 0, 0);
    CU_ASSERT_EQUAL(put(f, 0, 3 * MIB, 50, &rc), MIB);
    sr_fan_leave(f, 1);
    CU_ASSERT_EQUAL(put(f, MIB, 3 * MIB, 20000, &rc), 3 * MIB);
    sr_fan_end(f);
    CU_ASSERT_EQUAL(side_end(&fast), 4 * MIB);
    sr_fan_unref(f);
    f = fan(MIB, 2, dir);
    sr_fan_leave(f, 0);
    CU_ASSERT_EQUAL(put(f, 0, 1, 20, &rc), 1);
    sr_fan_leave(f, 1);
    CU_ASSERT_EQUAL(put(f, 1, 1, 20, &rc), 0);
    CU_ASSERT_EQUAL(rc, SR_E_CANCELLED);
    sr_fan_unref(f);
}

static void a_failure_reaches_who_has_read_everything(void)
{
    struct sr_fan *f = fan(MIB, 2, dir);
    struct side waits;
    struct sr_error why = SR_ERROR_INIT;
    int rc = SR_OK;
    side_start(&waits, f, 0, 0);
    CU_ASSERT_EQUAL(put(f, 0, 1000, 20, &rc), 1000);
    CU_ASSERT_FALSE(sr_fan_gave_up(f));
    sr_fail(&why, SR_E_UNAVAILABLE, "the dump broke off");
    sr_fan_fail(f, &why);
    (void)side_end(&waits);
    CU_ASSERT_EQUAL(waits.rc, SR_E_UNAVAILABLE);
    CU_ASSERT_EQUAL(get(f, 1, 0, 1, -1, &rc), 0);
    CU_ASSERT_EQUAL(rc, SR_E_UNAVAILABLE);
    CU_ASSERT_EQUAL(put(f, 1000, 1, 20, &rc), 0);
    CU_ASSERT_TRUE(sr_fan_gave_up(f));
    CU_ASSERT_EQUAL(sr_fan_settle(f, 0), SR_OK);
    sr_fan_unref(f);
}

static void settled_it_needs_no_memory(void)
{
    struct sr_fan *f = fan(MIB, 2, dir);
    int rc = SR_OK;
    CU_ASSERT_EQUAL(put(f, 0, MIB / 2, 20, &rc), MIB / 2);
    sr_fan_end(f);
    CU_ASSERT_EQUAL(sr_fan_settle(f, 20), SR_E_AGAIN); /* nobody waits for anybody */
    CU_ASSERT_EQUAL(get(f, 1, 0, 1000, -1, &rc), 1000);
    CU_ASSERT_EQUAL(get(f, 0, 0, UINT64_MAX, -1, &rc), MIB / 2);
    sr_fan_leave(f, 0);
    CU_ASSERT_EQUAL(sr_fan_settle(f, 20), SR_OK);
    CU_ASSERT_EQUAL(get(f, 1, 1000, UINT64_MAX, -1, &rc), MIB / 2 - 1000);
    CU_ASSERT_EQUAL(rc, SR_OK);
    CU_ASSERT_EQUAL(sr_fan_spooled(f, 1), MIB / 2 - 1000);
    CU_ASSERT_EQUAL(sr_fan_written(f), MIB / 2);
    sr_fan_unref(f);
}

/* Room is not made by forgetting what a reader may have to begin again with. */
static void settled_while_it_may_begin_again(void)
{
    struct sr_fan *f = fan(MIB, 1, dir);
    int rc = SR_OK;
    sr_fan_defer(f, 0);
    CU_ASSERT_EQUAL(put(f, 0, MIB / 2, 20, &rc), MIB / 2);
    sr_fan_end(f);
    CU_ASSERT_EQUAL(get(f, 0, 0, UINT64_MAX, -1, &rc), MIB / 2);
    CU_ASSERT_EQUAL(sr_fan_settle(f, 5000), SR_OK);
    sr_fan_rewind(f, 0);
    CU_ASSERT_EQUAL(get(f, 0, 0, UINT64_MAX, -1, &rc), MIB / 2);
    CU_ASSERT_EQUAL(rc, SR_OK);
    sr_fan_leave(f, 0);
    sr_fan_unref(f);
}

static void every_pace_gets_every_byte(void)
{
    /* A ring that is no multiple of anything, readers that stop and go, one that leaves early. */
    struct sr_fan *f = fan(300007, 5, dir);
    struct side sides[5];
    int rc = SR_OK;
    const uint64_t all = 12 * MIB + 3;
    sr_fan_defer(f, 4);
    for (unsigned i = 0; i < 5; i++)
        side_start_for(&sides[i], f, i, i == 4 ? 0 : i * 700, i == 2 ? 3 * MIB : UINT64_MAX);
    CU_ASSERT_EQUAL(put(f, 0, all, 20000, &rc), all);
    sr_fan_end(f);
    for (int i = 0; i < 1000 && sr_fan_settle(f, 20) != SR_OK; i++)
        ;
    for (unsigned i = 0; i < 5; i++) {
        uint64_t got = side_end(&sides[i]);
        CU_ASSERT_TRUE(i == 2 ? got >= 3 * MIB : got == all);
        CU_ASSERT_EQUAL(sides[i].rc, SR_OK);
    }
    CU_ASSERT_EQUAL(sr_fan_settle(f, 20), SR_OK);
    sr_fan_unref(f);
}

/* --- a reader that is held in the middle of its copy --- */

#define HELD_BYTES (256u << 10) /* as much as is moved to the disk at a time */

/* Its buffer may not be touched: the copy stops there, in the handler, until it is let go. */
static struct {
    unsigned char *page;
    int stopped[2], go[2]; /* pipes: the copy stands; it may go on */
} held;

static void on_segv(int signo, siginfo_t *info, void *context)
{
    unsigned char *where = info->si_addr;
    char c = 'x';
    (void)context;
    if (where < held.page || where >= held.page + HELD_BYTES) {
        (void)signal(signo, SIG_DFL);
        return;
    }
    while (write(held.stopped[1], &c, 1) < 0 && errno == EINTR)
        ;
    while (read(held.go[0], &c, 1) < 0 && errno == EINTR)
        ;
    (void)mprotect(held.page, HELD_BYTES, PROT_READ | PROT_WRITE);
}

static void *held_read(void *arg)
{
    struct side *s = arg;
    size_t n = 0;
    s->rc = sr_fan_read(s->f, s->reader, held.page, HELD_BYTES, -1, &n, NULL);
    s->got = n;
    return NULL;
}

static void hold_begin(struct side *s, struct sr_fan *f, struct sigaction *old)
{
    const struct sigaction catch = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    char c;
    held.page = mmap(NULL, HELD_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(held.page != MAP_FAILED);
    CU_ASSERT_FATAL(pipe2(held.stopped, O_CLOEXEC) == 0 && pipe2(held.go, O_CLOEXEC) == 0);
    CU_ASSERT_FATAL(sigaction(SIGSEGV, &catch, old) == 0);
    *s = (struct side){.f = f, .reader = 0};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread, NULL, held_read, s), 0);
    CU_ASSERT_EQUAL_FATAL(read(held.stopped[0], &c, 1), 1); /* now it copies */
}

static void hold_go(void)
{
    CU_ASSERT_EQUAL(write(held.go[1], "x", 1), 1);
}

/* How many of the bytes that it got are right. */
static uint64_t hold_end(struct side *s, const struct sigaction *old)
{
    uint64_t right = 0;
    (void)pthread_join(s->thread, NULL);
    (void)sigaction(SIGSEGV, old, NULL);
    while (right < s->got && held.page[right] == at(right))
        right++;
    (void)munmap(held.page, HELD_BYTES);
    for (int i = 0; i < 2; i++) {
        (void)close(held.stopped[i]);
        (void)close(held.go[i]);
    }
    return right;
}

static void *put_more(void *arg)
{
    struct side *s = arg;
    s->got = put(s->f, MIB, 2 * MIB, 20000, &s->rc);
    sr_fan_end(s->f);
    return NULL;
}

/* The block that a reader copies from is on the disk already, the writer has bytes for its place
 * and another reader waits for them: the place is not given away before the copy is over. */
static void a_copy_under_way_is_waited_for(void)
{
    struct sr_fan *f = fan(MIB, 2, dir);
    struct side slow, fast, writer = {.f = f};
    struct sigaction old;
    int rc = SR_OK;
    CU_ASSERT_EQUAL(put(f, 0, MIB, 20, &rc), MIB);
    hold_begin(&slow, f, &old);
    side_start(&fast, f, 1, 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&writer.thread, NULL, put_more, &writer), 0);
    for (int i = 0; i < 2000 && spool_blocks() < (long long)HELD_BYTES; i++)
        (void)usleep(5000);
    CU_ASSERT(spool_blocks() >= (long long)HELD_BYTES);
    for (int i = 0; i < 20 && sr_fan_written(f) == MIB; i++)
        (void)usleep(5000); /* one that does not wait has all this time to show it */
    CU_ASSERT_EQUAL(sr_fan_written(f), MIB);
    hold_go();
    CU_ASSERT_EQUAL(hold_end(&slow, &old), HELD_BYTES);
    CU_ASSERT_EQUAL(slow.rc, SR_OK);
    CU_ASSERT_EQUAL(get(f, 0, HELD_BYTES, UINT64_MAX, 20000, &rc), 3 * MIB - HELD_BYTES);
    (void)pthread_join(writer.thread, NULL);
    CU_ASSERT_EQUAL(writer.got, 2 * MIB);
    CU_ASSERT_EQUAL(side_end(&fast), 3 * MIB);
    sr_fan_unref(f);
}

/* The same when the writer is done and wants its memory back. */
static void memory_is_not_given_back_under_a_copy(void)
{
    struct sr_fan *f = fan(MIB, 2, dir);
    struct side slow;
    struct sigaction old;
    struct sr_error why = SR_ERROR_INIT;
    int rc = SR_OK;
    CU_ASSERT_EQUAL(put(f, 0, MIB / 2, 20, &rc), MIB / 2);
    hold_begin(&slow, f, &old);
    sr_fail(&why, SR_E_UNAVAILABLE, "the dump broke off");
    sr_fan_fail(f, &why);
    CU_ASSERT_EQUAL(sr_fan_settle(f, 20), SR_E_AGAIN);
    hold_go();
    CU_ASSERT_EQUAL(hold_end(&slow, &old), HELD_BYTES);
    CU_ASSERT_EQUAL(sr_fan_settle(f, 20), SR_OK);
    sr_fan_unref(f);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"a reader that stands still holds up nobody", a_reader_that_stands_still_holds_up_nobody},
        {"while all are behind the writer waits", while_all_are_behind_the_writer_waits},
        {"without a disk the slowest sets the pace", without_a_disk_the_slowest_sets_the_pace},
        {"a deferred reader begins after the end", a_deferred_reader_begins_after_the_end},
        {"who leaves holds up nobody", who_leaves_holds_up_nobody},
        {"a failure reaches who has read everything", a_failure_reaches_who_has_read_everything},
        {"settled it needs no memory", settled_it_needs_no_memory},
        {"settled while it may begin again", settled_while_it_may_begin_again},
        {"every pace gets every byte", every_pace_gets_every_byte},
        {"a copy under way is waited for", a_copy_under_way_is_waited_for},
        {"memory is not given back under a copy", memory_is_not_given_back_under_a_copy},
        {NULL, NULL},
    };
    if (!mkdtemp(dir))
        return 2;
    int rc = unit_main("fan", tests);
    (void)rmdir(dir);
    return rc;
}
