/* Bundles of files that are unpacked already: how one goes from one process to another of the same build. */
#ifndef AARD_BUNDLE_COPY_H
#define AARD_BUNDLE_COPY_H

#include <aardvark/bundle.h>

#include "base/pack.h"
#include "bundle/unpack.h"

/* Takes the files, also on an error.  Errors: AARD_ERR_MANIFEST_*, no_memory. */
aard_error *aard__bundle_of_files(aard__bundle_file *files, size_t count, aard_bundle **out);

/* ---- copy.c */

void aard__bundle_pack(const aard_bundle *bundle, aard__buf *out);

/* Errors: engine (malformed), AARD_ERR_MANIFEST_*, no_memory. */
aard_error *aard__bundle_unpack(aard__unpacker *in, aard_bundle **out);

#endif
