#!/bin/bash
# What a packager sets is what is built with, and the library is linked as it should be.  test-timeout: 300
status=0
check() { # NAME COMMAND…
    if "${@:2}"; then echo "ok $1"; else
        echo "not ok $1"
        status=1
    fi
}
build=$TMPDIR/build
in_build() { # as the make that runs this one was called, but for its jobs
    MAKEFLAGS=$(sed -E 's/ *(-j[0-9]*|--jobserver[^ ]*)//g' <<<"${MAKEFLAGS-}") make --no-print-directory BUILD="$build" "$@"
}
object=$build/obj/src/base/version.o
compiles() { # with these settings the object is made anew
    in_build "$@" "$object" | grep -q "CC.*version.o"
}
check 'an object is compiled' compiles
check 'it is not compiled again' eval '! compiles'
check 'other flags compile it again' compiles OPT=-O0
check 'as often as they change' compiles OPT=-O1
check 'and not where they are the same' eval '! compiles OPT=-O1'

prelinker=(src/prelink/*.[ch])
knows_the_prelinker() { # what it prelinks is another library's as soon as one of these files is another
    local file
    in_build "$build/obj/src/guest/python/python_layout.o" >/dev/null || return
    for file in "${prelinker[@]}"; do
        in_build -n --what-if "$file" "$build/obj/src/guest/python/python_layout.o" | grep -q 'HASH.*prelink_sources' || return
    done
    grep -q "$(cat "${prelinker[@]}" | sha256sum | cut -c 1-64)" "$build/gen/prelink_sources.h"
}
check 'a cache that was prelinked otherwise is not taken for its own' knows_the_prelinker

commands=$(in_build -n V=1 CFLAGS=-DMY_C CXXFLAGS=-DMY_CXX CPPFLAGS=-DMY_CPP LDFLAGS=-Wl,-O1,--my-ld AR=my-ar \
    "$build/libaardvark.so" "$build/libaardvark.a" "$build/aardvark" 2>&1)
of() { grep -E -- "$1" <<<"$commands"; }
all_have() { # PATTERN of commands, TEXT…: there are some, and all of them have it
    local lines text
    lines=$(of "$1")
    [[ -n $lines ]] || return
    for text in "${@:2}"; do [[ -z $(grep -vF -- "$text" <<<"$lines") ]] || return; done
}
check 'CFLAGS and CPPFLAGS are added to' all_have '-c src/[a-z/_]*\.c -o' -fPIC -std=c11 -DMY_C -DMY_CPP -fvisibility=hidden
check 'CXXFLAGS is added to' all_have '-c src/[a-z/_]*\.cc -o' -fPIC -std=c++17 -DMY_CXX -DMY_CPP -fno-exceptions
check 'AR is honoured' all_have '^(\S*ar) rcs ' my-ar
check 'LDFLAGS links the library and the command' all_have '-Wl,(-soname|-rpath,.*ORIGIN)' -Wl,-O1,--my-ld -Wl,-z,relro,-z,now
check 'PKG_CONFIG is honoured' eval '[[ $(in_build -n V=1 PKG_CONFIG="echo -lmine; :" "$build/libaardvark.so") = *-lmine* ]]'

so=$AARDVARK_BUILD/libaardvark.so
dynamic=$(readelf -d "$so")
check 'its soname is that of its minor version' grep -q 'SONAME.*\[libaardvark\.so\.0\.4\]' <<<"$dynamic"
check 'it is bound at once' grep -qE 'BIND_NOW|FLAGS.*NOW' <<<"$dynamic"
check 'and cannot be written to afterwards' grep -q GNU_RELRO <(readelf -lW "$so")
check 'its symbols have a version' grep -q 'aard_version@@AARD_0\.4' <(nm -D --defined-only "$so")
check 'the command asks for it by that' grep -q 'aard_version@AARD_0\.4' <(nm -D --undefined-only "$AARDVARK_BUILD/aardvark")

# A distribution that one version has staged is the next one's, too: nothing that makes or reads it knows the version.
version=$(sed -n 's/^.define AARD_VERSION_STRING "\(.*\)"/\1/p' include/aardvark/export.h)
know_the_version() { (cd "$AARDVARK_BUILD/obj/src" && find . -name '*.o' -exec grep -lF -- "$version" {} + | sort | tr '\n' ' '); }
check 'only aard_version and the user agent know the version' test "$(know_the_version)" = './base/version.o ./net/curl_transfer.o '
rm -rf "$build"
exit $status
