/* A library to be preloaded: the program dies of SIGKILL where it would take away a file whose name
 * ends in SR_KILL_AT_UNLINK. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Children are spared, also a sanitizer's library that was preloaded beside. */
__attribute__((constructor)) static void alone(void)
{
    (void)unsetenv("LD_PRELOAD");
}

int unlinkat(int folder, const char *name, int flags)
{
    const char *end = getenv("SR_KILL_AT_UNLINK");
    size_t n = strlen(name), e = end ? strlen(end) : 0;
    if (e > 0 && n >= e && strcmp(name + n - e, end) == 0)
        (void)kill(getpid(), SIGKILL);
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}
