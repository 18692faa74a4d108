/* Tables by name, each with a count of rows: what pg_scan counts into.
 *
 *     struct sr_pg_tables t = {0};
 *     sr_pg_tables_at(&t, name, len, &i)      // found or added
 *     t.items[i].rows += ...
 *     sr_pg_tables_done(&t)
 *
 * Bounded: past SR_PG_TABLES_MAX tables, or 16 MiB of names, no more are added and `cut` is set.
 * Found by a hash of the name, so that a dump of very many tables costs no more per table than one
 * of few. One thread at a time.
 */
#ifndef SR_SOURCE_PG_TABLES_H
#define SR_SOURCE_PG_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define SR_PG_TABLES_MAX 250000
#define SR_PG_TABLES_NAMES_MAX (16 << 20) /* bytes of their names together */

struct sr_pg_table {
    char *name;
    uint64_t rows;
};

struct sr_pg_tables {
    struct sr_pg_table *items; /* in the order they came; valid until the next sr_pg_tables_at */
    size_t len;
    int cut;
    size_t cap, names_len;
    size_t *slots; /* hash of names to index + 1 */
    size_t slot_count;
};

/* Finds or adds the table of that name (len bytes); *ret: its index, or SIZE_MAX past the bounds.
 * SR_OK or SR_E_NO_MEMORY. */
int sr_pg_tables_at(struct sr_pg_tables *t, const char *name, size_t len, size_t *ret);
/* Frees everything; t is then as at the beginning. */
void sr_pg_tables_done(struct sr_pg_tables *t);

#endif
