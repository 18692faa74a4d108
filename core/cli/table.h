/* A table for people: aligned columns, the last one ragged.
 *
 *     static const struct sr_column columns[] = {{"SET", 0}, {"SIZE", 1}};
 *     struct sr_table t;
 *     sr_table_init(&t, columns, 2);
 *     sr_table_cell(&t, set); sr_table_cellf(&t, "%s", size);      // row by row
 *     sr_table_print(&t, out);
 *     sr_table_done(&t);
 *
 * Cells are made harmless for a terminal; widths are counted in columns of UTF-8 text. */
#ifndef SR_CLI_TABLE_H
#define SR_CLI_TABLE_H

#include "core/cli/output.h"

struct sr_column {
    const char *title;
    int right; /* numbers end where the column ends */
};
struct sr_table {
    const struct sr_column *columns;
    size_t width; /* number of columns */
    struct sr_strlist cells;
    int no_memory;
};

/* columns must outlive the table. */
void sr_table_init(struct sr_table *t, const struct sr_column *columns, size_t width);
/* NULL or "" is shown as "-". */
void sr_table_cell(struct sr_table *t, const char *text);
void sr_table_cellf(struct sr_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes titles and rows; nothing without rows. A last row that is not full is filled up. */
void sr_table_print(struct sr_table *t, struct sr_output *o);
void sr_table_done(struct sr_table *t);

#endif
