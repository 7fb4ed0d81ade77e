#include "caller/record.h"

#include "sf/cause.h"

bool record_words(const struct record *r, struct record_words *out)
{
    if (r->failure != NULL) {
        *out = (struct record_words){fail_info(r->failure->id)->token, failure_code(r->failure),
                                     r->failure->detail.text, failure_cure(r->failure)};
    } else if (r->cause != NULL) {
        *out = (struct record_words){NULL, r->cause->code, r->sentence, r->cause->cure};
    } else {
        return false;
    }
    return true;
}
