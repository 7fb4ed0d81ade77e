#include "sf/refusal.h"

#include "base/status.h"
#include "sf/cause.h"

/* nginx's pages for its statuses 495 and 496, which it sends with status 400. */
static const enum cause_id pages[] = {CAUSE_EDGE_CERTIFICATE_ERROR, CAUSE_EDGE_NO_CERTIFICATE};
static const char code[] = "AUTH0032";

static const char *find_in_page(const struct error_body *b)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (error_body_has(b, ERROR_TITLE, slice_of(cause_words(pages[i]))))
            return cause_words(pages[i]);
    return NULL;
}

static const char *find_in_error(const struct error_body *b)
{
    struct slice token = SLICE("[AUTH0032]");

    if (slice_eq(b->text[ERROR_CODE], SLICE("AuthenticationFailed")) &&
        (error_body_has(b, ERROR_DETAILS, token) || error_body_has(b, ERROR_MESSAGE, token)))
        return code;
    return NULL;
}

const char *sf_refusal_find(int status, struct slice content_type, struct slice content)
{
    struct error_body b;

    if (!sf_refusal_status(status))
        return NULL;
    error_body_read(&b, content_type, content);
    if (status == 400)
        return b.form == ERROR_BODY_HTML ? find_in_page(&b) : NULL;
    return b.form == ERROR_BODY_JSON ? find_in_error(&b) : NULL;
}

static bool mentions(struct slice content, const char *words)
{
    return content.n > 0 && memmem(content.p, content.n, words, strlen(words)) != NULL;
}

bool sf_refusal_is_mentioned(struct slice content)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (mentions(content, cause_words(pages[i])))
            return true;
    return mentions(content, code);
}
