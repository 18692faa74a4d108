/* A range of an object, fetched over as many tries as it takes.
 *
 *     struct sc_resume f;
 *     sc_resume_init(&f, options, writer);
 *     prepare:  if (sc_resume_range(&f, text)) add "Range: text"; if (f.tag[0]) pin that version
 *     head:     return sc_resume_head(&f, &call->response, etag, err);
 *     sink:     return sc_resume_sink(&f, data, len, err);
 *     judge:    ...; sc_resume_judge(&f, &call->response, v);
 *     rc = sc_resume_end(&f, sc_http_run(http, call, err), err);
 *
 * Each try asks for what is still missing, of the object as it was at the first: its tag (an ETag,
 * a generation) is kept, and another one is E_CHANGED. A server that ignores the range sends
 * everything; what comes before it is passed over, and where it breaks again and again before
 * anything new has come that is the end: the client counts such bytes as progress. Pure but for the
 * writer, which is called on the thread of the call. */
#ifndef SC_RESUME_H
#define SC_RESUME_H

#include "common/http.h"

#define SC_TAG_MAX 160
#define SC_RANGE_MAX 64

struct sc_resume {
    const struct sr_storage_writer *writer;
    uint64_t offset; /* of the range asked for */
    uint64_t length; /* of it; SR_STORAGE_SIZE_UNKNOWN: to the end */
    uint64_t done;   /* bytes of it handed over */
    uint64_t skip;   /* bytes still to be passed over: the server began too early */
    uint64_t total;  /* of the object; SR_STORAGE_SIZE_UNKNOWN until it is told */
    char tag[SC_TAG_MAX];
    uint64_t begun;  /* done, as this try began */
    unsigned barren; /* tries in a row that brought nothing new */
    int stopped;     /* the writer wants no more */
    int ranged;      /* this try asked for a range */
};

void sc_resume_init(struct sc_resume *f, const struct sr_storage_fetch_options *o,
                    const struct sr_storage_writer *writer);
/* The value of a Range header for the next try; 0 when the whole object is wanted: none. Begins the
 * try. */
int sc_resume_range(struct sc_resume *f, char out[SC_RANGE_MAX]);
/* Whether what begins here is what was asked for. tag "": the answer names none. E_CORRUPT,
 * E_CHANGED. */
int32_t sc_resume_head(struct sc_resume *f, const struct sc_response *r, const char *tag,
                       struct sc_error *err);
int32_t sc_resume_sink(struct sc_resume *f, const void *data, size_t len, struct sc_error *err);
/* Called for each try that ended. 416: nothing is there any more, which is the end or a change;
 * 412: it changed. */
void sc_resume_judge(struct sc_resume *f, const struct sc_response *r, struct sc_verdict *v);
/* What the fetch ends with, after the call ended with rc: E_CANCELLED when the writer stopped it,
 * E_CORRUPT when less came than was announced. */
int32_t sc_resume_end(const struct sc_resume *f, int32_t rc, struct sc_error *err);

#endif
