/* A library to be preloaded: the wall clock of a program, moved by SR_CLOCK_OFFSET seconds, or
 * standing still at SR_CLOCK_AT (seconds since 1970). Asks the kernel itself, so that it gets along
 * with a sanitizer that stands before the C library. The monotonic clock stays. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Children keep the true time, and are spared a sanitizer's library that was preloaded beside. */
__attribute__((constructor)) static void alone(void)
{
    (void)unsetenv("LD_PRELOAD");
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    long rc = syscall(SYS_clock_gettime, clock, t);
    const char *offset = getenv("SR_CLOCK_OFFSET"), *at = getenv("SR_CLOCK_AT");
    if (rc != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)rc;
    if (at)
        *t = (struct timespec){.tv_sec = atol(at)};
    if (offset)
        t->tv_sec += atol(offset);
    return (int)rc;
}

time_t time(time_t *ret)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec t = {0};
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    ret->tv_sec = t.tv_sec;
    ret->tv_usec = t.tv_nsec / 1000;
    return 0;
}
