/* The compatibility tags in a wheel's name (PEP 425). */
#ifndef AARD_DISTRIBUTION_WHEEL_TAG_H
#define AARD_DISTRIBUTION_WHEEL_TAG_H

#include <stdbool.h>

#include "distribution/pins.h"

/* Whether that Pyodide can load a wheel of this tag, "<python>-<abi>-<platform>" ("py2.py3-none-any"). */
bool aard__wheel_tag_fits(const char *tag, const aard__pins *pins);

#endif
