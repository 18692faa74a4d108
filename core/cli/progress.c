#include "config.h"
#include "core/cli/progress.h"
#include "core/cli/screen.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NSEC 1000000000
#define TERMINAL_EVERY (NSEC / 5)
#define LOG_EVERY ((int64_t)60 * NSEC)
#define CLEAR_LINE "\r\033[K"

/* The logger's hook has no argument, so the terminal that holds a drawn line, or -1, lives here. */
static atomic_int drawn_on = -1;

void sr_progress_clear(void)
{
    int fd = atomic_exchange(&drawn_on, -1);
    if (fd >= 0)
        (void)sr_write_full(fd, CLEAR_LINE, sizeof CLEAR_LINE - 1);
}

static void add(char *out, size_t cap, const char *text)
{
    size_t n = strlen(out);
    if (n + 1 < cap)
        (void)snprintf(out + n, cap - n, "%s", text);
}

void sr_progress_text(const char *what, uint64_t bytes, uint64_t total, uint64_t moved,
                      double seconds, size_t width, char *out, size_t cap)
{
    char size[SR_SIZE_TEXT], piece[96];
    _cleanup_free_ char *clean = sr_screen_clean(what);
    (void)snprintf(out, cap, "%s", clean ? clean : "");
    int known = total != UINT64_MAX && total > 0;
    sr_format_size(bytes, size);
    if (bytes > 0 || known) {
        (void)snprintf(piece, sizeof piece, ": %s", size);
        add(out, cap, piece);
    }
    if (known) {
        sr_format_size(total, size);
        (void)snprintf(piece, sizeof piece, " of %s", size);
        add(out, cap, piece);
    }
    if (moved > 0 && seconds >= 0.5) {
        double rate = (double)moved / seconds;
        sr_format_size((uint64_t)rate, size);
        (void)snprintf(piece, sizeof piece, ", %s/s", size);
        add(out, cap, piece);
        double left = known && total > bytes ? (double)(total - bytes) / rate : -1;
        if (left >= 0 && left < 360000) {
            uint64_t s = (uint64_t)(left + 0.5);
            if (s >= 3600)
                (void)snprintf(piece, sizeof piece, ", %" PRIu64 ":%02u:%02u left", s / 3600,
                               (unsigned)(s / 60 % 60), (unsigned)(s % 60));
            else
                (void)snprintf(piece, sizeof piece, ", %u:%02u left", (unsigned)(s / 60),
                               (unsigned)(s % 60));
            add(out, cap, piece);
        }
    }
    if (width > 0)
        out[sr_screen_cut(out, width)] = '\0';
}

void sr_progress_init(struct sr_progress *p, int fd, const struct sr_clock *clock, int wanted)
{
    const char *term = getenv("TERM");
    *p = (struct sr_progress){.clock = clock, .fd = fd, .wanted = wanted};
    p->terminal = isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
    p->shown = p->began = sr_clock_monotonic(clock);
    if (wanted && p->terminal)
        sr_log_set_hook(sr_progress_clear);
}

static void draw(struct sr_progress *p, uint64_t bytes, uint64_t total, double seconds)
{
    struct winsize ws;
    size_t width = ioctl(p->fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 1 ? ws.ws_col - 1u : 79;
    char text[512], line[sizeof text + sizeof CLEAR_LINE];
    sr_progress_text(p->what, bytes, total, bytes - p->first, seconds, width, text, sizeof text);
    int n = snprintf(line, sizeof line, CLEAR_LINE "%s", text);
    atomic_store(&drawn_on, p->fd);
    (void)sr_write_full(p->fd, line, (size_t)n);
}

void sr_progress_show(void *progress, const char *what, uint64_t bytes, uint64_t total)
{
    struct sr_progress *p = progress;
    if (!p->wanted)
        return;
    int64_t now = sr_clock_monotonic(p->clock);
    int fresh = strncmp(p->what, what, sizeof p->what - 1) != 0 || bytes < p->last;
    if (fresh) {
        (void)snprintf(p->what, sizeof p->what, "%s", what);
        p->began = now;
        p->first = bytes;
    }
    p->last = bytes;
    double seconds = (double)(now - p->began) / NSEC;
    if (p->terminal && (fresh || now - p->shown >= TERMINAL_EVERY)) {
        p->shown = now;
        draw(p, bytes, total, seconds);
    } else if (!p->terminal && now - p->shown >= LOG_EVERY) {
        char text[512];
        p->shown = now;
        sr_progress_text(what, bytes, total, bytes - p->first, seconds, 0, text, sizeof text);
        sr_log(SR_LOG_INFO, "%s", text);
    }
}

void sr_progress_done(struct sr_progress *p)
{
    sr_progress_clear();
    if (p->wanted && p->terminal)
        sr_log_set_hook(NULL);
    p->wanted = 0;
}
