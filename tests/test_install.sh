#!/bin/bash
# test-timeout: 300
# What `make install` puts into a prefix is all that a program needs: pkg-config finds it, the examples of docs/ compile
# and link with it, shared and static, the command runs, and `make uninstall` leaves nothing.
status=0
prefix=$TMPDIR/prefix
result() { # NAME STATUS
    if (($2 == 0)); then echo "ok $1"; else
        echo "not ok $1"
        status=1
    fi
}
# As the make that runs this one was called, but for its jobs, which are not handed on to scripts.
in_build() {
    MAKEFLAGS=$(sed -E 's/ *(-j[0-9]*|--jobserver[^ ]*)//g' <<<"${MAKEFLAGS-}") \
        make --no-print-directory BUILD="${AARDVARK_BUILD#"$PWD"/}" PREFIX="$prefix" LIBDIR="$prefix/lib" DESTDIR= "$@"
}

in_build install >"$TMPDIR/log" 2>&1
rc=$?
((rc == 0)) || cat "$TMPDIR/log"
result 'make install' $rc
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
[[ $(pkg-config --modversion aardvark) = $("$prefix/bin/aardvark" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) ]]
result 'pkg-config and the installed command agree on the version' $?
! readelf -d "$prefix/lib/libaardvark.so" | grep -E 'R(UN)?PATH' | grep -vF '[$ORIGIN/aardvark]'
result 'the installed library does not look into the checkout' $?

for source in docs/examples/*.c; do
    # shellcheck disable=SC2046,SC2086
    gcc -std=c11 -Wall -Wextra -Werror ${SAN-} "$source" $(pkg-config --cflags --libs aardvark) -o "$TMPDIR/shared" \
        -Wl,-rpath,"$prefix/lib"
    result "$source links the shared library" $?
    # shellcheck disable=SC2046,SC2086
    gcc -std=c11 -Wall -Wextra -Werror ${SAN-} "$source" $(pkg-config --cflags aardvark) -o "$TMPDIR/static" \
        $(pkg-config --libs --static aardvark | sed "s|-laardvark|$prefix/lib/libaardvark.a|")
    result "$source links the static library" $?
    for kind in shared static; do
        "$TMPDIR/$kind" "$AARDVARK_BUILD/bundles/hello.zip" >"$TMPDIR/out" 2>&1
        rc=$?
        ((rc == 0)) && [[ -s $TMPDIR/out ]] || cat "$TMPDIR/out"
        result "$source runs ($kind)" $rc
    done
done

doc=$prefix/share/doc/aardvark
[[ -s $doc/isolate.md || -s $doc/install.md ]] && cmp -s docs/examples/"$(ls docs/examples | head -n 1)" "$doc/examples/$(ls docs/examples | head -n 1)"
result 'the manuals and the examples are installed' $?
[[ -s $prefix/share/bash-completion/completions/aardvark && -s $prefix/share/zsh/site-functions/_aardvark ]]
result 'completions are installed' $?

# A guest in a process of its own runs in the program that was installed, with whatever user this is.
(unset AARDVARK_GUEST_HELPER && "$prefix/bin/aardvark" exec --isolation process --language javascript -c '6 * 7') \
    >"$TMPDIR/out" 2>&1
[[ $(<"$TMPDIR/out") = 42 ]]
rc=$?
((rc == 0)) || cat "$TMPDIR/out"
result 'a guest of the installed command has a process of its own' $rc

in_build uninstall >/dev/null
left=$(find "$prefix" -type f -o -type l)
[[ -z $left ]]
result 'make uninstall leaves no file' $?
[[ -z $left ]] || echo "$left"
# The library may be anywhere: the command finds it from where it is itself.
in_build LIBDIR="$prefix/elsewhere/lib64" install >"$TMPDIR/log" 2>&1
result 'make install with a LIBDIR of its own' $?
mv "$prefix" "$prefix.moved"
"$prefix.moved/bin/aardvark" --version >"$TMPDIR/out" 2>&1 &&
    ldd "$prefix.moved/bin/aardvark" | grep -q "$prefix.moved/.*elsewhere/lib64/libaardvark.so"
result 'the command finds the library there' $?
mv "$prefix.moved" "$prefix"
in_build LIBDIR="$prefix/elsewhere/lib64" uninstall >/dev/null
[[ -z $(find "$prefix" -type f -o -type l) ]]
result 'make uninstall takes it away there' $?
rm -rf "$prefix" "$TMPDIR"/{log,shared,static,out}
exit $status
