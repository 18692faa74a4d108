#include "config.h"
#include "core/cli/output.h"
#include "core/cli/progress.h"
#include "core/cli/screen.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void sr_output_init(struct sr_output *o, FILE *file, int json, int quiet)
{
    *o = (struct sr_output){.file = file, .json = json, .quiet = quiet};
}

void sr_output_line(struct sr_output *o, const char *fmt, ...)
{
    if (o->json || o->quiet)
        return;
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    _cleanup_free_ char *raw = n < 0 ? NULL : text;
    _cleanup_free_ char *clean = raw ? sr_screen_clean(raw) : NULL;
    if (!clean) {
        o->no_memory = 1;
        return;
    }
    sr_progress_clear();
    (void)fprintf(o->file, "%s\n", clean);
}

void sr_output_text(struct sr_output *o, const char *text)
{
    if (o->json || o->quiet)
        return;
    sr_progress_clear();
    (void)fputs(text, o->file);
}

void sr_output_detail(struct sr_output *o, const char *text)
{
    if (sr_strlist_add(&o->details, text) != SR_OK)
        o->no_memory = 1;
}

void sr_output_document(struct sr_output *o, json_t *object)
{
    json_decref(o->document);
    o->document = object;
    if (!object)
        o->no_memory = 1;
}

static json_t *failure_object(const struct sr_error *failure, int exit_code)
{
    json_t *e = json_object();
    if (!e || json_object_set_new(e, "code", json_string(sr_code_name(failure->code))) != 0 ||
        json_object_set_new(e, "message", sr_json_text_or_null(failure->text)) != 0 ||
        json_object_set_new(e, "exit", json_integer(exit_code)) != 0) {
        json_decref(e);
        return NULL;
    }
    return e;
}

#define DUMP_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY)

/* One value as it stands in a document, so many levels deep. A newline is never part of a string.
 */
static int value_write(struct sr_output *o, const json_t *value, int depth)
{
    _cleanup_free_ char *text = value ? json_dumps(value, DUMP_FLAGS) : NULL;
    if (!text)
        return SR_E_NO_MEMORY;
    for (const char *p = text, *end; *p; p = end) {
        end = strchr(p, '\n');
        end = end ? end + 1 : p + strlen(p);
        (void)fwrite(p, 1, (size_t)(end - p), o->file);
        if (end[-1] == '\n')
            (void)fprintf(o->file, "%*s", 2 * depth, "");
    }
    return SR_OK;
}

void sr_output_stream(struct sr_output *o, const char *name, size_t n,
                      json_t *(*make)(const void *ctx, size_t i), const void *ctx)
{
    (void)fprintf(o->file, "{\n  \"schema\": %d,\n  \"%s\": [", SR_OUTPUT_SCHEMA, name);
    o->streamed = 1;
    for (size_t i = 0; i < n && !o->no_memory && !ferror(o->file); i++) {
        json_t *value = make(ctx, i);
        (void)fputs(i ? ",\n    " : "\n    ", o->file);
        o->no_memory |= value_write(o, value, 2) != SR_OK;
        json_decref(value);
    }
    (void)fputs(n ? "\n  ]" : "]", o->file);
}

void sr_output_stream_member(struct sr_output *o, const char *name, json_t *value)
{
    (void)fprintf(o->file, ",\n  \"%s\": ", name);
    o->no_memory |= value_write(o, value, 1) != SR_OK;
    json_decref(value);
}

/* What a streamed document lacks. */
static void stream_end(struct sr_output *o, const struct sr_error *failure, int exit_code)
{
    if (failure)
        sr_output_stream_member(o, "error", failure_object(failure, exit_code));
    (void)fputs("\n}\n", o->file);
}

static int document_write(struct sr_output *o, const struct sr_error *failure, int exit_code)
{
    json_t *root = json_object();
    int bad = !root || json_object_set_new(root, "schema", json_integer(SR_OUTPUT_SCHEMA)) != 0;
    if (!bad && o->document)
        bad = json_object_update(root, o->document) != 0;
    if (!bad && failure)
        bad = json_object_set_new(root, "error", failure_object(failure, exit_code)) != 0;
    if (!bad) {
        /* dumpf fails on a bad stream too, which the caller looks at itself. */
        (void)json_dumpf(root, o->file, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        (void)fputc('\n', o->file);
    }
    json_decref(root);
    return bad ? SR_E_NO_MEMORY : SR_OK;
}

int sr_output_finish(struct sr_output *o, const struct sr_error *failure, int exit_code,
                     struct sr_error *err)
{
    errno = 0;
    if (o->streamed)
        stream_end(o, failure, exit_code);
    int no_memory = o->no_memory;
    if (!o->streamed && o->json && (o->document || failure))
        no_memory |= document_write(o, failure, exit_code) != SR_OK;
    json_decref(o->document);
    o->document = NULL;
    sr_strlist_done(&o->details);
    int bad = ferror(o->file) != 0;
    int saved = errno;
    if (fflush(o->file) != 0) {
        bad = 1;
        saved = errno;
    }
    /* Some file systems tell only at close that the bytes did not arrive. */
    if (fclose(o->file) != 0 && !bad) {
        bad = 1;
        saved = errno;
    }
    o->file = NULL;
    if (bad && saved == EPIPE)
        return sr_fail(err, SR_E_IO, "%s", "");
    if (bad)
        return sr_fail(err, SR_E_IO, "the result could not be written to standard output: %s",
                       strerror(saved ? saved : EIO));
    if (no_memory)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while writing the result");
    return SR_OK;
}

json_t *sr_json_text_or_null(const char *s)
{
    return s ? sr_json_text(s) : json_null();
}

json_t *sr_json_time(int64_t t)
{
    char iso[SR_TIME_ISO_SIZE];
    sr_time_iso(t, iso);
    return json_string(iso);
}

json_t *sr_json_size(uint64_t n)
{
    return n <= INT64_MAX ? json_integer((json_int_t)n) : json_null();
}

json_t *sr_json_strings(const struct sr_strlist *l)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < l->len; i++)
        sr_json_append(&a, sr_json_text_or_null(l->items[i]));
    return a;
}

void sr_json_append(json_t **array, json_t *item)
{
    if (json_array_append_new(*array, item) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

json_t *sr_json_seconds(double s)
{
    if (!(s >= 0))
        s = 0;
    if (s > 1e12)
        s = 1e12;
    return json_real((double)(int64_t)(s * 1000 + 0.5) / 1000);
}
