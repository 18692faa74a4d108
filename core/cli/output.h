/* Results on standard output: lines for people (tables: table.h), or one JSON document.
 *
 *     struct sr_output out;
 *     sr_output_init(&out, stdout, json, quiet);
 *     if (out.json) sr_output_document(&out, object); else sr_output_line(&out, "..."), tables
 *     rc = sr_output_finish(&out, code, exit_code, &err);   // once, at the very end
 *
 * A document with a list that may be long is not built at all:
 *     sr_output_stream(&out, "backups", count, entry_json, ctx)   // instead of the document
 *
 * In JSON there is exactly one document, written by finish: what the verb handed over, with
 * "schema": 1 first and, after a failure, "error" last (alone when the verb handed nothing over).
 * Text from outside is made harmless for a terminal on its way. One thread. */
#ifndef SR_CLI_OUTPUT_H
#define SR_CLI_OUTPUT_H

#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SR_OUTPUT_SCHEMA 1

struct sr_output {
    FILE *file;
    int json;
    int quiet;                 /* nothing for people; JSON all the same */
    json_t *document;          /* owned */
    int streamed;              /* the document was begun and lacks its end */
    struct sr_strlist details; /* lines that go with a failure, for standard error */
    int no_memory;             /* something could not be put together: finish fails */
};

void sr_output_init(struct sr_output *o, FILE *file, int json, int quiet);

/* One line for people (nothing in JSON or when quiet). Control characters are spelled out, newlines
 * too: an argument cannot make a second line. */
void sr_output_line(struct sr_output *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Text of our own (help), as it is, several lines; nothing in JSON or when quiet. */
void sr_output_text(struct sr_output *o, const char *text);

/* A line that belongs to the failure the verb is about to return (a statement to paste): told on
 * standard error after the message, whatever --json and --quiet say. */
void sr_output_detail(struct sr_output *o, const char *text);

/* Hands over the document; NULL (memory ran out while it was built) makes finish fail. */
void sr_output_document(struct sr_output *o, json_t *object);

/* Begins a document with a member that is an array of n values, each made by make (a new reference;
 * NULL: no memory) and forgotten once it is written. No document may be handed over beside it; more
 * members, and what finish adds, come after it. The text is the same as that of a document. Only
 * with json. */
void sr_output_stream(struct sr_output *o, const char *name, size_t n,
                      json_t *(*make)(const void *ctx, size_t i), const void *ctx);
/* One more member of it; value is taken, and NULL as above. */
void sr_output_stream_member(struct sr_output *o, const char *name, json_t *value);

/* failure: NULL, or what went wrong, with the exit code it leads to. Writes the document, flushes
 * and closes; SR_OK only when every byte was taken. A reader that went away (EPIPE) is SR_E_IO with
 * an empty text: nobody needs to be told. */
int sr_output_finish(struct sr_output *o, const struct sr_error *failure, int exit_code,
                     struct sr_error *err);

/* --- JSON made of what came from outside --- */

/* A JSON string of any bytes (sr_json_text); NULL gives null. */
json_t *sr_json_text_or_null(const char *s);
/* ISO 8601 UTC. */
json_t *sr_json_time(int64_t t);
/* Sizes and counts; past INT64_MAX: null. */
json_t *sr_json_size(uint64_t n);
json_t *sr_json_strings(const struct sr_strlist *l);
/* Seconds, to the millisecond. */
json_t *sr_json_seconds(double s);
/* Appends item, which is taken, to *array; when that fails, or item is NULL, *array is given up and
 * becomes NULL, which a later json_pack or sr_output_document reports. */
void sr_json_append(json_t **array, json_t *item);

#endif
