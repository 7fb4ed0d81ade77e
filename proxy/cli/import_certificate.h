/*
 * import_certificate: writes the lines of a section that name files:
 * certificate, passphrase and CA.
 */
#ifndef CLI_IMPORT_CERTIFICATE_H
#define CLI_IMPORT_CERTIFICATE_H

#include "cli/import_parts.h"

/* Writes the lines, with comments about where the files come from. A certificate in the export is
 * written into s->certificates, unless that is NULL. */
enum status import_certificate_write(const struct section *s) MUST_CHECK;

#endif
