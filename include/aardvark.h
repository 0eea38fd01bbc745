/* Aardvark: other people's Python and JavaScript in isolates of their own, with budgets and a full account.
 * Include this, or the header of one concept; every header compiles alone, as C11 and as C++17. */
#ifndef AARDVARK_H
#define AARDVARK_H

#include <aardvark/bundle.h>
#include <aardvark/callback.h>
#include <aardvark/cancel.h>
#include <aardvark/distribution.h>
#include <aardvark/engine.h>
#include <aardvark/error.h>
#include <aardvark/export.h>
#include <aardvark/function.h>
#include <aardvark/hooks.h>
#include <aardvark/isolate.h>
#include <aardvark/manifest.h>
#include <aardvark/network.h>
#include <aardvark/outcome.h>
#include <aardvark/pool.h>
#include <aardvark/registry.h>
#include <aardvark/warm.h>

#endif
