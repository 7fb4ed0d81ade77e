#include <stdlib.h>

#include "base/mem.h"
#include "config/parent_proxy.h"
#include "test.h"

/* Where tickets are: what is configured comes before what the environment says. */
TEST(the_place_of_tickets)
{
    static const struct {
        const char *configured, *keytab, *environment, *place;
    } rows[] = {{"FILE:/c", NULL, "FILE:/e", "FILE:/c"},
                {"FILE:/c", NULL, NULL, "FILE:/c"},
                {NULL, NULL, "FILE:/e", "FILE:/e"},
                {NULL, NULL, "KEYRING:persistent:0", "FILE:/tmp/krb5cc_"},
                {NULL, NULL, "", "FILE:/tmp/krb5cc_"},
                {NULL, "/k", "FILE:/e", "MEMORY:sfmtls /k"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *configured = rows[i].configured == NULL ? NULL : mem_copy_string(rows[i].configured),
             *keytab = rows[i].keytab == NULL ? NULL : mem_copy_string(rows[i].keytab);
        if (rows[i].environment == NULL)
            (void)unsetenv("KRB5CCNAME");
        else
            (void)setenv("KRB5CCNAME", rows[i].environment, 1);
        char *place =
            parent_proxy_ccache(&(struct parent_proxy){.ccache = configured, .keytab = keytab});
        CHECK_CONTAINS(place, rows[i].place);
        free(place);
        free(configured);
        free(keytab);
    }
    (void)unsetenv("KRB5CCNAME");
}
