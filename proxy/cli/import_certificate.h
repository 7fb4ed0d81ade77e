/*
 * import_certificate: the lines of a section that name files: certificate,
 * passphrase and CA.
 */
#ifndef CLI_IMPORT_CERTIFICATE_H
#define CLI_IMPORT_CERTIFICATE_H

#include "cli/import_parts.h"

/* With comments that say where they come from. A certificate that is in the export is written into
 * the folder for them, if there is one. */
enum status import_certificate_write(const struct section *s) MUST_CHECK;

#endif
