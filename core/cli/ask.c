#include "config.h"
#include "core/cli/ask.h"
#include "core/cli/progress.h"
#include "core/cli/screen.h"
#include "core/engine/context.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sr_ask_possible(void)
{
    return isatty(STDIN_FILENO);
}

static void wake(void *arg)
{
    uint64_t one = 1;
    (void)!write(*(int *)arg, &one, sizeof one);
}

/* Reads one line; its length, or -1 when it was cancelled, ended or failed. */
static ssize_t line_read(int fd, int stop, char *line, size_t cap)
{
    size_t len = 0;
    while (len + 1 < cap) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
        int n = poll(p, 2, -1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || p[1].revents)
            return -1;
        ssize_t got = read(fd, line + len, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        if (line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
    return (ssize_t)len;
}

int sr_ask_is_yes(const char *answer)
{
    char word[8] = "";
    answer += strspn(answer, " \t\r");
    size_t n = strcspn(answer, " \t\r");
    if (n >= sizeof word || answer[n + strspn(answer + n, " \t\r")] != '\0')
        return 0;
    memcpy(word, answer, n);
    return strcasecmp(word, "y") == 0 || strcasecmp(word, "yes") == 0;
}

int sr_ask(void *ctx, const char *question)
{
    _cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    _cleanup_close_ int stop = eventfd(0, EFD_CLOEXEC);
    if (stop < 0)
        return 0;
    _cleanup_free_ char *clean = sr_screen_clean(question);
    _cleanup_free_ char *text = NULL;
    int n = clean ? asprintf(&text, "%s [y/N] ", clean) : -1;
    if (n < 0) {
        text = NULL;
        return 0;
    }
    char line[64];
    sr_progress_clear();
    sr_context_on_cancel(ctx, wake, &stop);
    int yes = sr_write_full(tty >= 0 ? tty : STDERR_FILENO, text, (size_t)n) == 0 &&
              line_read(tty >= 0 ? tty : STDIN_FILENO, stop, line, sizeof line) >= 0 &&
              sr_ask_is_yes(line);
    sr_context_off_cancel(ctx, wake, &stop);
    return yes;
}
