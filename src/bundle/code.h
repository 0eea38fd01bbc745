/* Compiled code of a bundle's files, kept with the bundle for whoever loads the same file again.  Any thread. */
#ifndef AARD_BUNDLE_CODE_H
#define AARD_BUNDLE_CODE_H

#include <aardvark/bundle.h>

/* NULL while there is none; lives as long as the bundle. */
const void *aard__bundle_code(const aard_bundle *bundle, size_t index, size_t *len);

/* Copies the code; the first to come stays. */
void aard__bundle_keep_code(aard_bundle *bundle, size_t index, const void *code, size_t len);

#endif
