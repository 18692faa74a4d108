#include "config.h"
#include "core/cli/crash.h"
#include "core/plugin/inside.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n; /* nobody is left to be told */
}

/* Only what a signal handler may call. The signal is raised again and ends the process as it would
 * have done. */
static void crashed(int signo)
{
    static const struct {
        int signo;
        const char *name;
    } names[] = {{SIGSEGV, "SIGSEGV"},
                 {SIGBUS, "SIGBUS"},
                 {SIGILL, "SIGILL"},
                 {SIGFPE, "SIGFPE"},
                 {SIGABRT, "SIGABRT"}};
    const char *file = sr_plugin_inside();
    if (file) {
        say("strongroom: crashed in the plugin ");
        say(file);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (names[i].signo == signo) {
                say(" (");
                say(names[i].name);
                say(")");
            }
        say("; whatever was under way is unfinished and will be swept. Leave that store out of "
            "BACKUP_STORAGE_ADAPTER and tell the plugin's makers\n");
    }
    (void)raise(signo);
}

void sr_crash_watch(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction now, ours = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND};
    const struct rlimit none = {0, 0};
    /* A core file would hold keys and passwords; our children inherit this. */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)sigemptyset(&ours.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &ours, NULL);
}
