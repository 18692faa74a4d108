/* What the tests of plugins/common/http share: a client on a host of the test's own.
 *
 *     struct fixture f;
 *     begin(&f, NULL);         options, or NULL: none but a label
 *     ... f.http, f.h.host, f.err ...
 *     end(&f); */
#ifndef SR_TESTS_HTTP_FIXTURE_H
#define SR_TESTS_HTTP_FIXTURE_H

#include "common/encode.h"
#include "common/http.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/scripted.h"

static const struct sc_retry_policy quick = {3, 1, 5, 50, 60000};

struct fixture {
    struct test_host h;
    struct sc_http *http;
    struct sc_error err;
};

static inline void begin(struct fixture *f, const struct sc_http_options *options)
{
    static const struct sc_http_options plain = {.label = "test"};
    f->err = (struct sc_error)SC_ERROR_INIT;
    test_host_init(&f->h);
    ASSERT_OK(sc_http_new(&f->h.host, options ? options : &plain, &f->http, &f->err), f->err);
}

static inline void end(struct fixture *f)
{
    sc_http_free(f->http);
    test_host_done(&f->h);
}

#endif
