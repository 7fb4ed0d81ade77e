#include "sf/error_body.h"

#include <string.h>

#include "sf/error_body_readers.h"
#include "sf/link_syntax.h"

static enum error_body_form form_of(struct slice content_type)
{
    struct slice media_type = slice_trim(slice_split(&content_type, ';'));
    enum link_syntax syntax;

    if (slice_eq_nocase(media_type, SLICE("text/html")))
        return ERROR_BODY_HTML;
    if (!link_syntax_of(media_type, &syntax))
        return ERROR_BODY_OTHER;
    return syntax == LINK_JSON ? ERROR_BODY_JSON : ERROR_BODY_XML;
}

void error_body_read(struct error_body *b, struct slice content_type, struct slice content)
{
    static enum error_read (*const readers[])(struct error_body *, struct slice) = {
        [ERROR_BODY_JSON] = error_body_read_json,
        [ERROR_BODY_XML] = error_body_read_xml,
        [ERROR_BODY_HTML] = error_body_read_html,
    };

    b->form = form_of(content_type);
    b->claimed = 0;
    b->used = 0;
    memset(b->text, 0, sizeof(b->text));
    if (content.n > ERROR_BODY_LOOK)
        content.n = ERROR_BODY_LOOK;
    if (b->form != ERROR_BODY_OTHER && readers[b->form](b, content) == ERROR_READ_BAD)
        memset(b->text, 0, sizeof(b->text));
}

bool error_body_has(const struct error_body *b, enum error_body_place at, struct slice words)
{
    struct slice text = b->text[at];

    return text.n >= words.n && memmem(text.p, text.n, words.p, words.n) != NULL;
}
