#include "config.h"
#include "core/cli/table.h"
#include "core/cli/progress.h"
#include "core/cli/screen.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP "  "
#define LINE_BYTES (1u << 20)

void sr_table_init(struct sr_table *t, const struct sr_column *columns, size_t width)
{
    *t = (struct sr_table){.columns = columns, .width = width};
}

void sr_table_cell(struct sr_table *t, const char *text)
{
    _cleanup_free_ char *clean = sr_screen_clean(text && *text ? text : "-");
    if (!clean || sr_strlist_add(&t->cells, clean) != SR_OK)
        t->no_memory = 1;
}

void sr_table_cellf(struct sr_table *t, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    _cleanup_free_ char *owned = n < 0 ? NULL : text;
    if (owned)
        sr_table_cell(t, owned);
    else
        t->no_memory = 1;
}

static void pad(struct sr_buf *b, size_t n)
{
    while (n-- > 0)
        (void)sr_buf_addc(b, ' ');
}

/* cell_of(i) is a title or a cell; the line is put together whole, so that a failed write cannot
 * leave half a row with a newline after it. */
static int row_print(const struct sr_table *t, const char *const *cells, const size_t *widths,
                     FILE *to)
{
    struct sr_buf b;
    sr_buf_init(&b, LINE_BYTES);
    for (size_t c = 0; c < t->width; c++) {
        size_t space = widths[c] - sr_screen_width(cells[c]);
        if (c > 0)
            (void)sr_buf_adds(&b, GAP);
        if (t->columns[c].right)
            pad(&b, space);
        (void)sr_buf_adds(&b, cells[c]);
        if (!t->columns[c].right && c + 1 < t->width)
            pad(&b, space);
    }
    int rc = sr_buf_addc(&b, '\n');
    if (rc == SR_OK)
        (void)fwrite(b.data, 1, b.len, to);
    sr_buf_done(&b);
    return rc;
}

void sr_table_print(struct sr_table *t, struct sr_output *o)
{
    if (o->json || o->quiet || t->cells.len == 0)
        return;
    while (t->cells.len % t->width != 0 && !t->no_memory)
        sr_table_cell(t, NULL);
    _cleanup_free_ size_t *widths = calloc(t->width, sizeof *widths);
    _cleanup_free_ const char **titles = calloc(t->width, sizeof *titles);
    if (!widths || !titles || t->no_memory) {
        o->no_memory = 1;
        return;
    }
    for (size_t c = 0; c < t->width; c++) {
        titles[c] = t->columns[c].title;
        widths[c] = sr_screen_width(titles[c]);
    }
    for (size_t i = 0; i < t->cells.len; i++) {
        size_t w = sr_screen_width(t->cells.items[i]);
        if (w > widths[i % t->width])
            widths[i % t->width] = w;
    }
    sr_progress_clear();
    int rc = row_print(t, titles, widths, o->file);
    for (size_t i = 0; i < t->cells.len && rc == SR_OK; i += t->width)
        rc = row_print(t, (const char *const *)&t->cells.items[i], widths, o->file);
    if (rc != SR_OK)
        o->no_memory = 1;
}

void sr_table_done(struct sr_table *t)
{
    sr_strlist_done(&t->cells);
    t->no_memory = 0;
}
