#include "sf/refusal.h"

#include <stddef.h>

#include "test.h"

TEST(refusals_are_known_by_status_and_phrase)
{
    static const struct {
        int status;
        const char *content, *phrase;
    } cases[] = {
        {401, "{\"details\":\"[AUTH0032]Invalid client certificate\"}", "AUTH0032"},
        {401, "{\"details\":\"[LGN0003]\"}", NULL},
        {401, "", NULL},
        {400, "<p>The SSL certificate error</p>", "SSL certificate error"},
        {400, "No required SSL certificate was sent", "No required SSL certificate was sent"},
        {400, "AUTH0032", NULL},
        {403, "AUTH0032", NULL},
        {200, "SSL certificate error", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *found = sf_refusal_find(cases[i].status, slice_of(cases[i].content));
        if (cases[i].phrase == NULL)
            CHECK(found == NULL);
        else
            CHECK_SLICE(slice_of(found), cases[i].phrase, cases[i].content);
    }
}
